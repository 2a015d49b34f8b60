//! `PATCH` and `DELETE /v1/messages/{id}`: only where the channel can really do it.

use actix_web::{HttpResponse, delete, patch, web};
use protocol::api::problem::Problem;
use protocol::command::Refusal;
use protocol::id::MessageId;

use crate::api::auth::{Caller, Scope};
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// Edits a sent message. WhatsApp and SMS cannot; the answer says so instead of pretending.
#[utoipa::path(
    tag = "messages",
    params(("id" = MessageId, Path)),
    responses(
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, description = "`not_supported`", content_type = "application/problem+json"),
    )
)]
#[patch("/messages/{id}")]
pub(crate) async fn edit_message(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<MessageId>,
) -> ApiResult<HttpResponse> {
    refuse(&state, &caller, *id, "edit").await
}

/// Deletes a sent message. WhatsApp and SMS cannot; the answer says so instead of pretending.
#[utoipa::path(
    tag = "messages",
    params(("id" = MessageId, Path)),
    responses(
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, description = "`not_supported`", content_type = "application/problem+json"),
    )
)]
#[delete("/messages/{id}")]
pub(crate) async fn delete_message(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<MessageId>,
) -> ApiResult<HttpResponse> {
    refuse(&state, &caller, *id, "delete").await
}

/// No channel that exists today can change what was sent.
async fn refuse(
    state: &AppState,
    caller: &Caller,
    id: MessageId,
    capability: &'static str,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::MessagesWrite)?;
    if state.records.message(caller.tenant, id).await?.is_none() {
        return Err(ApiError::not_found("message"));
    }
    Err(Refusal::NotSupported { capability: capability.into() }.into())
}
