//! `GET /v1/notifications` and `POST /v1/notifications/read`.

use actix_web::{HttpResponse, get, post, web};
use protocol::api::watch::NotificationView;
use serde::Deserialize;
use store::records::{NotificationRecord, ReadThrough};
use utoipa::{IntoParams, ToSchema};

use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::command::now;
use crate::api::page::{Paging, sequence};
use crate::api::problem::{ApiError, ApiResult};
use crate::api::query::Query;
use crate::state::AppState;

/// A notification as callers see it.
pub(crate) fn view(row: &NotificationRecord) -> NotificationView {
    NotificationView {
        sequence: row.seq.0,
        id: row.id,
        kind: serde_json::to_value(row.about)
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default(),
        at: row.at,
        conversation_id: row.conversation,
        message_id: row.message,
        read: row.read_at.is_some(),
    }
}

/// What the bell shows, then the notifications.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, ToSchema)]
pub(crate) struct Bell {
    /// All unread notifications.
    unread: u64,
    /// Newest first.
    data: Vec<NotificationView>,
    /// Give it back as `cursor` for older ones; `null` at the end.
    next: Option<String>,
}

/// Query of the notifications.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct BellQuery {
    /// Entries at most, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<u64>,
}

/// The caller's notifications, newest first. The key must act for a user.
#[utoipa::path(tag = "notifications", params(BellQuery), responses((status = 200, body = Bell)))]
#[get("/notifications")]
pub(crate) async fn list_notifications(
    state: web::Data<AppState>,
    caller: Caller,
    query: Query<BellQuery>,
) -> ApiResult<web::Json<Bell>> {
    caller.require(Scope::NotificationsRead)?;
    let user = caller.require_user()?;
    let limit = Paging { limit: query.limit, cursor: None }.limit()?;
    let place =
        |cursor| sequence(cursor).ok_or_else(|| ApiError::malformed("?cursor", "must be a `next` of a list"));
    let before = query.cursor.map(place).transpose()?;
    let rows = state.records.notifications_before(caller.tenant, user, before, limit).await?;
    let unread = state.records.unread_counts(caller.tenant, user).await?.total;
    let next = (rows.len() == limit).then(|| rows.last().map(|row| row.seq.0.to_string())).flatten();
    Ok(web::Json(Bell { unread, data: rows.iter().map(view).collect(), next }))
}

/// What was read.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MarkRead {
    /// Everything up to and including this `sequence`.
    #[schema(minimum = 1, maximum = 9_223_372_036_854_775_807u64)]
    through: u64,
}

/// Marks notifications as read.
#[utoipa::path(
    tag = "notifications",
    request_body = MarkRead,
    responses((status = 204, description = "Done"))
)]
#[post("/notifications/read")]
pub(crate) async fn mark_notifications_read(
    state: web::Data<AppState>,
    caller: Caller,
    body: Body<MarkRead>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::NotificationsRead)?;
    let user = caller.require_user()?;
    let through = sequence(body.value.through).filter(|place| place.0 > 0);
    let through =
        through.ok_or_else(|| ApiError::malformed("/through", "must be the `sequence` of a notification"))?;
    let through = ReadThrough::Seq(through);
    state.records.mark_read(caller.tenant, user, through, now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
