//! `/v1/users`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, put, web};
use protocol::api::Page;
use protocol::api::account::{UserBody, UserView};
use protocol::api::problem::Problem;
use protocol::directory::{NoticeSettings, User};
use protocol::id::UserId;
use protocol::limits::{PERSON_NAME_CHARS, ROLE_CHARS};
use protocol::text::is_email;
use store::records::{DocumentKind, Expect};

use super::document::{self, Versioned, answer};
use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::idempotency::{Answer, once};
use crate::api::known::{line, well_formed, wrong};
use crate::api::problem::{ApiError, ApiResult};
use crate::ids;
use crate::state::AppState;

fn view(user: User) -> UserView {
    UserView { id: user.id, name: user.name, email: user.email, role: user.role.to_string() }
}

fn user(caller: &Caller, body: UserBody) -> ApiResult<User> {
    let email = (!is_email(&body.email)).then(|| wrong("/email", "must be an e-mail address"));
    let lines = [line("/name", &body.name, PERSON_NAME_CHARS), line("/role", &body.role, ROLE_CHARS)];
    well_formed(lines.into_iter().flatten().chain(email))?;
    let email = body.email.to_lowercase();
    Ok(User {
        id: ids::user(caller.tenant, &email),
        tenant: caller.tenant,
        name: body.name,
        email,
        role: body.role.into(),
    })
}

/// The people of the tenant.
#[utoipa::path(tag = "settings", responses((status = 200, body = Page<UserView>)))]
#[get("/users")]
pub(crate) async fn list_users(
    state: web::Data<AppState>,
    caller: Caller,
) -> ApiResult<web::Json<Page<UserView>>> {
    caller.require(Scope::SettingsRead)?;
    let users = document::read_all::<User>(&state, &caller, DocumentKind::User).await?;
    Ok(web::Json(Page { data: users.into_iter().map(view).collect(), next: None }))
}

/// One person.
#[utoipa::path(
    tag = "settings",
    params(("id" = UserId, Path)),
    responses((status = 200, body = UserView), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[get("/users/{id}")]
pub(crate) async fn get_user(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<UserId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsRead)?;
    let Versioned { value, version } =
        document::read::<User>(&state, &caller, DocumentKind::User, id.to_string()).await?;
    Ok(answer(version, &view(value)))
}

/// Adds a person.
#[utoipa::path(
    tag = "settings",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = UserBody,
    responses((status = 201, body = UserView), (status = 409, body = Problem, content_type = "application/problem+json"))
)]
#[post("/users")]
pub(crate) async fn create_user(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    body: Body<UserBody>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsWrite)?;
    let user = user(&caller, body.value)?;
    once(&state, &caller, &request, body.fingerprint, || async {
        let place = (DocumentKind::User, user.id.to_string().into());
        let version = document::write(&state, &caller, place, Expect::Absent, Some(&user)).await?;
        Answer::json(StatusCode::CREATED, Some(version), &view(user))
    })
    .await
}

/// Changes a person's name or role.
#[utoipa::path(
    tag = "settings",
    params(("id" = UserId, Path), ("If-Match" = Option<String>, Header)),
    request_body = UserBody,
    responses(
        (status = 200, body = UserView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 412, body = Problem, content_type = "application/problem+json"),
    )
)]
#[put("/users/{id}")]
pub(crate) async fn change_user(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<UserId>,
    body: Body<UserBody>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsWrite)?;
    let place = (DocumentKind::User, id.to_string().into());
    document::read::<User>(&state, &caller, DocumentKind::User, id.to_string()).await?;
    let user = user(&caller, body.value)?;
    if user.id != *id {
        return Err(ApiError::field("/email", "cannot be changed: it is what the user is known by"));
    }
    let version = document::write(&state, &caller, place, document::expect(&request)?, Some(&user)).await?;
    Ok(answer(version, &view(user)))
}

/// Removes a person.
#[utoipa::path(
    tag = "settings",
    params(("id" = UserId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204, description = "Gone"), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[delete("/users/{id}")]
pub(crate) async fn delete_user(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<UserId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsWrite)?;
    document::read::<User>(&state, &caller, DocumentKind::User, id.to_string()).await?;
    let place = (DocumentKind::User, id.to_string().into());
    document::write::<User>(&state, &caller, place, document::expect(&request)?, None).await?;
    let wishes = (DocumentKind::Notices, id.to_string().into());
    document::write::<NoticeSettings>(&state, &caller, wishes, Expect::Any, None).await?;
    state.records.forget_user(*id).await?;
    Ok(HttpResponse::NoContent().finish())
}
