//! `/v1/notifications/settings`: how the caller wants to be told what happens while they are away.

use actix_web::{HttpRequest, HttpResponse, get, put, web};
use protocol::api::problem::{FieldError, Problem};
use protocol::directory::{NoticeSettings, NoticeWishes};
use store::records::DocumentKind;

use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::command::now;
use crate::api::problem::{ApiError, ApiResult};
use crate::api::settings::document::{self, answer, expect};
use crate::state::AppState;

/// How the caller is told what happens while they are away. The key must act for a user.
#[utoipa::path(tag = "notifications", responses((status = 200, body = NoticeWishes)))]
#[get("/notifications/settings")]
pub(crate) async fn get_notice_settings(
    state: web::Data<AppState>,
    caller: Caller,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::NotificationsRead)?;
    let user = caller.require_user()?;
    let kind = DocumentKind::Notices;
    Ok(match document::find::<NoticeSettings>(&state, &caller, kind, user.to_string()).await? {
        Some(found) => answer(found.version, &found.value.wishes),
        None => HttpResponse::Ok().json(NoticeWishes::default()),
    })
}

/// Changes how the caller is told what happens while they are away; what is left out is as it was for everybody at first. The key
/// must act for a user.
#[utoipa::path(
    tag = "notifications",
    params(("If-Match" = Option<String>, Header)),
    request_body = NoticeWishes,
    responses(
        (status = 200, body = NoticeWishes),
        (status = 412, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[put("/notifications/settings")]
pub(crate) async fn put_notice_settings(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    body: Body<NoticeWishes>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::NotificationsRead)?;
    let user = caller.require_user()?;
    let wishes = body.value;
    let mut problems: Vec<FieldError> = domain::notice::check(&wishes)
        .into_iter()
        .map(|problem| FieldError { pointer: problem.pointer.into(), detail: problem.detail.into() })
        .collect();
    if wishes.email && state.settings.mail.url.is_empty() {
        let detail = "cannot be true: no e-mail is sent here until the operator sets `mail.url`";
        problems.push(FieldError { pointer: "/email".into(), detail: detail.into() });
    }
    if !problems.is_empty() {
        return Err(ApiError::fields(problems));
    }
    let place = (DocumentKind::Notices, user.to_string().into());
    let settings = NoticeSettings { tenant: caller.tenant, user, wishes };
    let version = document::write(&state, &caller, place, expect(&request)?, Some(&settings)).await?;
    // What waits for the end of quiet hours or for a digest may be due now.
    state.records.wake_reaches(user, now()).await?;
    Ok(answer(version, &settings.wishes))
}
