//! `GET /v1/conversations/{id}`.

use actix_web::{get, web};
use protocol::api::conversation::ConversationView;
use protocol::api::problem::Problem;
use protocol::id::ConversationId;

use crate::api::auth::{Caller, Scope};
use crate::api::command::now;
use crate::api::fresh;
use crate::api::problem::{ApiError, ApiResult};
use crate::api::views;
use crate::state::AppState;

/// One conversation.
#[utoipa::path(
    tag = "conversations",
    params(("id" = ConversationId, Path)),
    responses(
        (status = 200, body = ConversationView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/conversations/{id}")]
pub(crate) async fn get_conversation(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<ConversationId>,
) -> ApiResult<web::Json<ConversationView>> {
    caller.require(Scope::ConversationsRead)?;
    fresh::conversation(&state, *id).await;
    let row =
        fresh::found(&state, async || Ok(state.records.conversation(caller.tenant, *id).await?)).await?;
    let row = row.ok_or_else(|| ApiError::not_found("conversation"))?;
    Ok(web::Json(views::conversation(row, now())))
}
