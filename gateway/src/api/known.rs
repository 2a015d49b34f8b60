//! Parts of bodies that several calls share, and what must hold of them.

use std::sync::Arc;

use domain::directory::TenantDirectory;
use protocol::api::problem::FieldError;
use protocol::command::{Owner, Vacancy};
use protocol::id::TenantId;
use protocol::limits::{ROLE_CHARS, VACANCY_ID_CHARS, VACANCY_TITLE_CHARS};
use protocol::text::is_line;

use super::auth::Caller;
use super::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// The caller's tenant as it is configured now. A node that has just started, or a tenant that has just been made, may
/// be a moment too early.
pub(crate) fn tenant(state: &AppState, caller: &Caller) -> ApiResult<Arc<TenantDirectory>> {
    let held = state.directory.load().tenants.get(&caller.tenant).cloned();
    held.ok_or_else(|| ApiError::unavailable("the tenant is being loaded"))
}

/// A field that is wrong.
pub(crate) fn wrong(pointer: &str, detail: impl Into<String>) -> FieldError {
    FieldError { pointer: pointer.to_owned(), detail: detail.into() }
}

/// Refuses what breaks the contract, if anything does.
pub(crate) fn well_formed(errors: impl IntoIterator<Item = FieldError>) -> ApiResult<()> {
    let errors: Vec<_> = errors.into_iter().collect();
    if errors.is_empty() { Ok(()) } else { Err(ApiError::malformed_fields(errors)) }
}

/// What is wrong with text that has to be one line.
pub(crate) fn line(pointer: &str, text: &str, max: usize) -> Option<FieldError> {
    let detail = || format!("must have 1 to {max} characters on one line");
    (!is_line(text, max)).then(|| wrong(pointer, detail()))
}

/// What no schema allows of an owner at `/owner`.
pub(crate) fn owner_shape(owner: Option<&Owner>) -> Option<FieldError> {
    match owner? {
        Owner::Role(role) => line("/owner/role", role, ROLE_CHARS),
        Owner::User(_) | Owner::Group(_) => None,
    }
}

/// What is wrong with a well-formed owner at `/owner`.
pub(crate) fn owner(state: &AppState, tenant: TenantId, owner: Option<&Owner>) -> Option<FieldError> {
    let directory = state.directory.load();
    let known = match (owner?, directory.tenants.get(&tenant)) {
        (Owner::Role(_), _) => true,
        (Owner::User(user), Some(tenant)) => tenant.users.contains_key(user),
        (Owner::Group(group), Some(tenant)) => tenant.groups.contains_key(group),
        (_, None) => false,
    };
    (!known).then(|| {
        wrong("/owner", "is not a user or group of this tenant; GET /v1/users and /v1/groups list them")
    })
}

/// What no schema allows of a vacancy at `/vacancy`.
pub(crate) fn vacancy(vacancy: Option<&Vacancy>) -> impl Iterator<Item = FieldError> {
    let parts = vacancy.map(|vacancy| {
        [
            line("/vacancy/id", &vacancy.id, VACANCY_ID_CHARS),
            line("/vacancy/title", &vacancy.title, VACANCY_TITLE_CHARS),
        ]
    });
    parts.into_iter().flatten().flatten()
}
