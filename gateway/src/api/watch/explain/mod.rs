//! `GET /v1/explain/{id}`: why a message or a conversation is as it is.

mod log;
mod reasons;

use actix_web::{get, web};
use domain::conversation::{Context, Conversation, Waiting};
use protocol::api::problem::Problem;
use protocol::api::watch::Explanation;
use protocol::fact::{Fact, MessageStatus};
use protocol::id::{ConversationId, MessageId};
use store::records::{LedgerQuery, PageRequest};

use super::events;
use crate::api::auth::{Caller, Scope};
use crate::api::billing::{credits, difference, money, words};
use crate::api::command::now;
use crate::api::fresh;
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// Why a message or a conversation is as it is, and everything that happened to it.
#[utoipa::path(
    tag = "operations",
    params(("id" = String, Path, pattern = "^(msg|cnv)_[0-7][0-9a-hjkmnp-tv-z]{25}$", description = "A message id or a conversation id")),
    responses((status = 200, body = Explanation), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[get("/explain/{id}")]
pub(crate) async fn explain(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<String>,
) -> ApiResult<web::Json<Explanation>> {
    caller.require(Scope::OperationsRead)?;
    if let Ok(conversation) = id.parse::<ConversationId>() {
        return explain_conversation(&state, &caller, conversation).await;
    }
    if let Ok(message) = id.parse::<MessageId>() {
        return explain_message(&state, &caller, message).await;
    }
    Err(ApiError::not_found("message (msg_…) or conversation (cnv_…)"))
}

async fn explain_conversation(
    state: &AppState,
    caller: &Caller,
    id: ConversationId,
) -> ApiResult<web::Json<Explanation>> {
    let conversation = inspect(state, caller, id).await?;
    fresh::conversation(state, id).await;
    let log = log::newest(state, caller, id, |_| true).await?;
    // One that was refused its first message has never begun.
    if conversation.is_none() && log.is_empty() {
        return Err(ApiError::not_found("conversation"));
    }
    let mut reasons = Vec::new();
    if let Some(conversation) = &conversation {
        reasons.extend(reasons::of_conversation(conversation, now()));
        reasons.extend(reasons::of_queue(conversation, waiting(state, conversation)));
    }
    reasons.extend(reasons::last_refusal(&log));
    Ok(web::Json(Explanation {
        subject: id.to_string(),
        reasons,
        state: conversation.and_then(|conversation| serde_json::to_value(&conversation).ok()),
        log: log.iter().map(events::view).collect(),
    }))
}

async fn explain_message(
    state: &AppState,
    caller: &Caller,
    id: MessageId,
) -> ApiResult<web::Json<Explanation>> {
    let message = fresh::found(state, async || Ok(state.records.message(caller.tenant, id).await?)).await?;
    let message = message.ok_or_else(|| ApiError::not_found("message"))?;
    let mut reasons = reasons::of_message(&message);
    if message.status == Some(MessageStatus::Queued) {
        let conversation = inspect(state, caller, message.conversation).await?;
        reasons.extend(conversation.and_then(|c| reasons::of_turn(&c, id, waiting(state, &c))));
    }
    let query = LedgerQuery { message: Some(id), ..LedgerQuery::default() };
    for entry in state.records.ledger(caller.tenant, query, PageRequest::first(10)).await?.data {
        let charge = money(&entry.amount);
        reasons.push(format!(
            "billed as {} ({}, {}): {} {}; {}",
            entry.category.name(),
            entry.origin,
            entry.policy,
            charge.amount,
            charge.currency,
            words(&entry.explanation)
        ));
        reasons.extend(difference::words(&entry));
    }
    let changes = state.records.message_credits(caller.tenant, id).await?;
    reasons.extend(changes.iter().filter_map(credits::words));
    let log = log::newest(state, caller, message.conversation, |fact| concerns(fact, id)).await?;
    let log = log.iter().map(events::view).collect();
    Ok(web::Json(Explanation { subject: id.to_string(), reasons, state: None, log }))
}

/// The committed state of one of the caller's conversations.
async fn inspect(state: &AppState, caller: &Caller, id: ConversationId) -> ApiResult<Option<Conversation>> {
    let found = state.node.inspect(id).await?;
    Ok(found.filter(|conversation| conversation.address.tenant == caller.tenant))
}

/// What the first message of the queue waits for.
fn waiting(state: &AppState, conversation: &Conversation) -> Option<Waiting> {
    let directory = state.directory.load();
    let (tenant, number) = directory.number(conversation.address.tenant, conversation.address.number)?;
    conversation.waiting(&Context { now: now(), tenant, number })
}

fn concerns(fact: &Fact, id: MessageId) -> bool {
    match fact {
        Fact::MessageReceived { message, .. }
        | Fact::MessageQueued { message, .. }
        | Fact::ApprovalAwaited { message, .. }
        | Fact::AttemptFailed { message, .. }
        | Fact::StatusChanged { message, .. } => *message == id,
        Fact::StatusUnmatched { message, .. } | Fact::Notify { message, .. } => *message == Some(id),
        _ => false,
    }
}
