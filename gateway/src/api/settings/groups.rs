//! `/v1/groups`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, put, web};
use protocol::api::Page;
use protocol::api::account::{GroupBody, GroupView};
use protocol::api::problem::{FieldError, Problem};
use protocol::directory::Group;
use protocol::id::GroupId;
use protocol::limits::{GROUP_MEMBERS, NAME_CHARS};
use store::records::{DocumentKind, Expect};

use super::document::{self, Versioned, answer};
use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::idempotency::{Answer, once};
use crate::api::known::{line, well_formed, wrong};
use crate::api::problem::{ApiError, ApiResult};
use crate::ids;
use crate::state::AppState;

fn view(group: Group) -> GroupView {
    GroupView { id: group.id, name: group.name.to_string(), members: group.members }
}

fn group(state: &AppState, caller: &Caller, body: GroupBody) -> ApiResult<Group> {
    let detail = || format!("may have {GROUP_MEMBERS} entries");
    let members = (body.members.len() > GROUP_MEMBERS).then(|| wrong("/members", detail()));
    well_formed(line("/name", &body.name, NAME_CHARS).into_iter().chain(members))?;
    let directory = state.directory.load();
    let users = directory.tenants.get(&caller.tenant).map(|tenant| &tenant.users);
    let unknown =
        body.members.iter().enumerate().filter(|(_, member)| !users.is_some_and(|u| u.contains_key(member)));
    let errors: Vec<FieldError> = unknown
        .map(|(index, _)| FieldError {
            pointer: format!("/members/{index}"),
            detail: "is not a user of this tenant".to_owned(),
        })
        .collect();
    if !errors.is_empty() {
        return Err(ApiError::fields(errors));
    }
    Ok(Group {
        id: ids::group(caller.tenant, &body.name),
        tenant: caller.tenant,
        name: body.name.into(),
        members: body.members,
    })
}

/// The groups of the tenant.
#[utoipa::path(tag = "settings", responses((status = 200, body = Page<GroupView>)))]
#[get("/groups")]
pub(crate) async fn list_groups(
    state: web::Data<AppState>,
    caller: Caller,
) -> ApiResult<web::Json<Page<GroupView>>> {
    caller.require(Scope::SettingsRead)?;
    let groups = document::read_all::<Group>(&state, &caller, DocumentKind::Group).await?;
    Ok(web::Json(Page { data: groups.into_iter().map(view).collect(), next: None }))
}

/// One group.
#[utoipa::path(
    tag = "settings",
    params(("id" = GroupId, Path)),
    responses((status = 200, body = GroupView), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[get("/groups/{id}")]
pub(crate) async fn get_group(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<GroupId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsRead)?;
    let Versioned { value, version } =
        document::read::<Group>(&state, &caller, DocumentKind::Group, id.to_string()).await?;
    Ok(answer(version, &view(value)))
}

/// Adds a group.
#[utoipa::path(
    tag = "settings",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = GroupBody,
    responses((status = 201, body = GroupView), (status = 409, body = Problem, content_type = "application/problem+json"))
)]
#[post("/groups")]
pub(crate) async fn create_group(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    body: Body<GroupBody>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsWrite)?;
    let group = group(&state, &caller, body.value)?;
    once(&state, &caller, &request, body.fingerprint, || async {
        let place = (DocumentKind::Group, group.id.to_string().into());
        let version = document::write(&state, &caller, place, Expect::Absent, Some(&group)).await?;
        Answer::json(StatusCode::CREATED, Some(version), &view(group))
    })
    .await
}

/// Changes the members of a group.
#[utoipa::path(
    tag = "settings",
    params(("id" = GroupId, Path), ("If-Match" = Option<String>, Header)),
    request_body = GroupBody,
    responses(
        (status = 200, body = GroupView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 412, body = Problem, content_type = "application/problem+json"),
    )
)]
#[put("/groups/{id}")]
pub(crate) async fn change_group(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<GroupId>,
    body: Body<GroupBody>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsWrite)?;
    document::read::<Group>(&state, &caller, DocumentKind::Group, id.to_string()).await?;
    let group = group(&state, &caller, body.value)?;
    if group.id != *id {
        return Err(ApiError::field("/name", "cannot be changed: it is what the group is known by"));
    }
    let place = (DocumentKind::Group, id.to_string().into());
    let version = document::write(&state, &caller, place, document::expect(&request)?, Some(&group)).await?;
    Ok(answer(version, &view(group)))
}

/// Removes a group.
#[utoipa::path(
    tag = "settings",
    params(("id" = GroupId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204, description = "Gone"), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[delete("/groups/{id}")]
pub(crate) async fn delete_group(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<GroupId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsWrite)?;
    document::read::<Group>(&state, &caller, DocumentKind::Group, id.to_string()).await?;
    let place = (DocumentKind::Group, id.to_string().into());
    document::write::<Group>(&state, &caller, place, document::expect(&request)?, None).await?;
    Ok(HttpResponse::NoContent().finish())
}
