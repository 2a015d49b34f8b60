//! `PATCH` and `DELETE /v1/messages/{id}`: only where the channel can really do it.

use actix_web::{HttpResponse, delete, patch, web};
use domain::capability::Capability;
use protocol::api::problem::Problem;
use protocol::command::Refusal;
use protocol::id::MessageId;

use crate::api::auth::{Caller, Scope};
use crate::api::fresh;
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

macro_rules! changes {
    ($($(#[$doc:meta])* $method:ident $name:ident => $capability:expr;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(
            tag = "messages",
            params(("id" = MessageId, Path)),
            responses(
                (status = 404, body = Problem, content_type = "application/problem+json"),
                (status = 422, body = Problem, description = "`not_supported`", content_type = "application/problem+json"),
            )
        )]
        #[$method("/messages/{id}")]
        pub(crate) async fn $name(
            state: web::Data<AppState>,
            caller: Caller,
            id: web::Path<MessageId>,
        ) -> ApiResult<HttpResponse> {
            change(&state, &caller, *id, $capability).await
        }
    )*};
}

changes! {
    /// Edits a sent message. WhatsApp and SMS cannot; the answer says so instead of pretending.
    patch edit_message => Capability::Edit;
    /// Deletes a sent message. WhatsApp and SMS cannot; the answer says so instead of pretending.
    delete delete_message => Capability::Delete;
}

async fn change(
    state: &AppState,
    caller: &Caller,
    id: MessageId,
    capability: Capability,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::MessagesWrite)?;
    let message = fresh::found(state, async || Ok(state.records.message(caller.tenant, id).await?)).await?;
    let message = message.ok_or_else(|| ApiError::not_found("message"))?;
    let conversation = state.records.conversation(caller.tenant, message.conversation).await?;
    capability.require(conversation.ok_or_else(|| ApiError::not_found("conversation"))?.channel)?;
    // The first channel that can do it brings the command that does it.
    Err(Refusal::NotSupported { capability: capability.name().into() }.into())
}
