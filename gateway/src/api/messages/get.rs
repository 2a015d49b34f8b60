//! `GET /v1/messages/{id}`.

use actix_web::{get, web};
use protocol::api::message::MessageView;
use protocol::api::problem::Problem;
use protocol::id::MessageId;

use crate::api::auth::{Caller, Scope};
use crate::api::fresh;
use crate::api::problem::{ApiError, ApiResult};
use crate::api::views;
use crate::state::AppState;

/// One message with its attempts.
#[utoipa::path(
    tag = "messages",
    params(("id" = MessageId, Path)),
    responses(
        (status = 200, body = MessageView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/messages/{id}")]
pub(crate) async fn get_message(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<MessageId>,
) -> ApiResult<web::Json<MessageView>> {
    caller.require(Scope::MessagesRead)?;
    let row = fresh::found(&state, async || Ok(state.records.message(caller.tenant, *id).await?)).await?;
    Ok(web::Json(views::message(row.ok_or_else(|| ApiError::not_found("message"))?)))
}
