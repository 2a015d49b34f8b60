//! `POST /v1/messages` and `POST /v1/conversations/{id}/messages`.

use actix_web::{HttpRequest, HttpResponse, post, web};
use protocol::api::message::{Queued, SendKind, SendRequest};
use protocol::api::problem::Problem;
use protocol::command::{CommandResult, Refusal};
use protocol::entry::Address;
use protocol::fact::MessageStatus;
use protocol::id::ConversationId;

use super::{recipient, wish};
use crate::api::auth::{Caller, Scope};
use crate::api::billing::credits;
use crate::api::body::Body;
use crate::api::command;
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// Sends a message. The answer comes once the message is durable; it leaves when its number and the contact's
/// own limit allow.
#[utoipa::path(
    tag = "messages",
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with the same key sends once")),
    request_body = SendRequest,
    responses(
        (status = 202, body = Queued),
        (status = 402, body = Problem, description = "`insufficient_credits`", content_type = "application/problem+json"),
        (status = 422, body = Problem, description = "`window_closed` (lists usable templates), `opted_out`, `blocked`, `template_parameters` …", content_type = "application/problem+json"),
        (status = 429, body = Problem, description = "Too many messages of the conversation wait, or too many requests of the tenant", content_type = "application/problem+json"),
    )
)]
#[post("/messages")]
pub(crate) async fn send_message(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    body: Body<SendRequest>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::MessagesWrite)?;
    let address = async || recipient::resolve(&state, &caller, &body.value).await;
    send(&state, &caller, &request, &body, address).await
}

/// Sends a message in a conversation. The body is that of `POST /v1/messages` without the address.
#[utoipa::path(
    tag = "messages",
    params(
        ("id" = ConversationId, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with the same key sends once"),
    ),
    request_body = SendRequest,
    responses(
        (status = 202, body = Queued),
        (status = 402, body = Problem, description = "`insufficient_credits`", content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/conversations/{id}/messages")]
pub(crate) async fn send_in_conversation(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<ConversationId>,
    body: Body<SendRequest>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::MessagesWrite)?;
    let wish = &body.value;
    if wish.to.is_some() || wish.contact_id.is_some() || wish.number_id.is_some() || wish.channel.is_some() {
        return Err(ApiError::field(
            "/to",
            "the conversation is the address: leave out `to`, `contact_id`, `number_id` and `channel`",
        ));
    }
    let address = async || command::address(&state, &caller, *id).await;
    send(&state, &caller, &request, &body, address).await
}

async fn send(
    state: &AppState,
    caller: &Caller,
    request: &HttpRequest,
    body: &Body<SendRequest>,
    address: impl AsyncFnOnce() -> ApiResult<Address>,
) -> ApiResult<HttpResponse> {
    if let Some(queued) = repeated(state, caller, request, body).await? {
        return Ok(accepted(queued));
    }
    let address = address().await?;
    // Nothing may stand in the log before the number knows who opted out.
    let directory = state.directory.load();
    if directory.number(address.tenant, address.number).is_some_and(|(_, number)| !number.introduced) {
        return Err(Refusal::NumberNotReady.into());
    }
    drop(directory);
    let wishes = wish::wishes(state, caller, &body.value, &address).await?;
    for wish in &wishes {
        credits::require_funds(state, caller, request, (&address, wish)).await?;
    }
    let mut queued = None;
    for (part, wish) in wishes.into_iter().enumerate() {
        let part = (address.clone(), body.fingerprint, part);
        let done = command::run_part(state, caller, request, part, wish).await;
        // A custom template is submitted as the text that it becomes.
        let done = done.map_err(|error| match body.value.kind {
            SendKind::Template => error.moved("/text/body", "/template"),
            _ => error,
        });
        add(&mut queued, confirmed(done?)?);
    }
    queued.map(accepted).ok_or_else(unconfirmed)
}

/// The answer to a request that repeats one: what it names, such as a file or a contact, may be gone by now.
async fn repeated(
    state: &AppState,
    caller: &Caller,
    request: &HttpRequest,
    body: &Body<SendRequest>,
) -> ApiResult<Option<Queued>> {
    let mut queued = None;
    for part in 0..body.value.attachments.len().max(1) {
        let known = command::known(state, caller, request, (body.fingerprint, part)).await?;
        let Some(result) = known else { return Ok(None) };
        add(&mut queued, confirmed(result)?);
    }
    Ok(queued)
}

fn add(queued: &mut Option<Queued>, next: Queued) {
    match queued {
        Some(queued) => queued.more.push(next.id),
        None => *queued = Some(next),
    }
}

fn accepted(queued: Queued) -> HttpResponse {
    let location = format!("/v1/messages/{}", queued.id);
    HttpResponse::Accepted().insert_header(("Location", location)).json(queued)
}

fn confirmed(result: CommandResult) -> ApiResult<Queued> {
    let (id, conversation_id, status) = match result {
        CommandResult::Queued { message, conversation } => (message, conversation, MessageStatus::Queued),
        CommandResult::AwaitingApproval { message, conversation } => {
            (message, conversation, MessageStatus::AwaitingApproval)
        }
        other => {
            tracing::error!(?other, "a send was answered with something else");
            return Err(unconfirmed());
        }
    };
    Ok(Queued { id, conversation_id, status, more: Vec::new() })
}

fn unconfirmed() -> ApiError {
    ApiError::unavailable("the send was not confirmed; repeat it with the same Idempotency-Key")
}
