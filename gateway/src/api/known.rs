//! Parts of bodies that several calls share, and what must hold of them.

use std::sync::Arc;

use domain::directory::TenantDirectory;
use domain::limits::{VACANCY_ID_CHARS, VACANCY_TITLE_CHARS};
use protocol::api::problem::FieldError;
use protocol::command::{Owner, Vacancy};
use protocol::id::TenantId;

use super::auth::Caller;
use super::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// Longest name of a role: as the users' own.
const MAX_ROLE_CHARS: usize = 50;

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

/// Whether text has 1 to `max` characters, none of them a control character.
pub(crate) fn is_line(text: &str, max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= max && !text.chars().any(char::is_control)
}

/// What is wrong with an owner at `/owner`.
pub(crate) fn owner(state: &AppState, tenant: TenantId, owner: Option<&Owner>) -> Option<FieldError> {
    let directory = state.directory.load();
    let known = match (owner?, directory.tenants.get(&tenant)) {
        (Owner::Role(role), _) => {
            let detail = || format!("must have 1 to {MAX_ROLE_CHARS} characters");
            return (!is_line(role, MAX_ROLE_CHARS)).then(|| wrong("/owner/role", detail()));
        }
        (Owner::User(user), Some(tenant)) => tenant.users.contains_key(user),
        (Owner::Group(group), Some(tenant)) => tenant.groups.contains_key(group),
        (_, None) => false,
    };
    (!known).then(|| {
        wrong("/owner", "is not a user or group of this tenant; GET /v1/users and /v1/groups list them")
    })
}

/// What is wrong with a vacancy at `/vacancy`.
pub(crate) fn vacancy(vacancy: Option<&Vacancy>) -> Vec<FieldError> {
    let Some(vacancy) = vacancy else { return Vec::new() };
    let parts = [
        ("/vacancy/id", vacancy.id.as_str(), VACANCY_ID_CHARS),
        ("/vacancy/title", vacancy.title.as_str(), VACANCY_TITLE_CHARS),
    ];
    let parts = parts.into_iter().filter(|(_, text, max)| !is_line(text, *max));
    parts.map(|(pointer, _, max)| wrong(pointer, format!("must have 1 to {max} characters"))).collect()
}
