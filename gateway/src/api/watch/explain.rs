//! `GET /v1/explain/{id}`: why a message or a conversation is as it is.

use actix_web::{get, web};
use domain::conversation::{Context, Conversation};
use protocol::api::problem::Problem;
use protocol::api::watch::{EventView, Explanation};
use protocol::command::Consent;
use protocol::fact::{Fact, MessageStatus};
use protocol::id::{ConversationId, MessageId};
use protocol::time::TimestampMs;
use store::records::{EventQuery, EventSeq, LedgerQuery, MessageRecord, PageRequest, StoredEvent};

use super::events;
use crate::api::auth::{Caller, Scope};
use crate::api::billing::{money, words};
use crate::api::command::now;
use crate::api::fresh;
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// Events of a conversation that an explanation shows at most.
const MAX_LOG: usize = 200;

/// Why a message or a conversation is as it is, and everything that happened to it.
#[utoipa::path(
    tag = "operations",
    params(("id" = String, Path, description = "A message id or a conversation id")),
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
    Err(ApiError::field("?id", "must be a message id (msg_…) or a conversation id (cnv_…)"))
}

async fn explain_conversation(
    state: &AppState,
    caller: &Caller,
    id: ConversationId,
) -> ApiResult<web::Json<Explanation>> {
    let conversation = state
        .node
        .inspect(id)
        .await?
        .filter(|conversation| conversation.address.tenant == caller.tenant)
        .ok_or_else(|| ApiError::not_found("conversation"))?;
    fresh::conversation(state, id).await;
    let log = log(state, caller, id).await?;
    let mut reasons = conversation_reasons(&conversation, now());
    reasons.extend(waiting(state, &conversation));
    Ok(web::Json(Explanation {
        subject: id.to_string(),
        reasons,
        state: serde_json::to_value(&conversation).ok(),
        log: log.iter().map(events::view).collect(),
    }))
}

/// What holds for the next message, most important first.
fn conversation_reasons(conversation: &Conversation, now: TimestampMs) -> Vec<String> {
    let mut reasons = Vec::new();
    if conversation.consent() == Consent::OptedOut {
        reasons.push("the contact opted out: nothing may be sent".to_owned());
    }
    if conversation.blocked {
        reasons.push("the contact is blocked: nothing may be sent and nobody is notified".to_owned());
    }
    if conversation.paused {
        reasons.push("sending is paused: messages wait".to_owned());
    }
    reasons.push(match conversation.window.as_ref().map(|window| window.expires_at) {
        Some(end) if now < end => format!("the window is open until {end}: free-form may be sent"),
        Some(end) => format!("the window closed at {end}: only an approved template may be sent"),
        None => "the contact has never written: only an approved template may be sent".to_owned(),
    });
    if !conversation.queue.is_empty() {
        reasons.push(format!("{} messages wait to be sent or are under way", conversation.queue.len()));
    }
    reasons
}

/// What the next message waits for.
fn waiting(state: &AppState, conversation: &Conversation) -> Option<String> {
    let directory = state.directory.load();
    let (tenant, number) = directory.number(conversation.address.tenant, conversation.address.number)?;
    let waiting = conversation.waiting(&Context { now: now(), tenant, number })?;
    Some(format!("the next message waits for: {waiting}"))
}

async fn explain_message(
    state: &AppState,
    caller: &Caller,
    id: MessageId,
) -> ApiResult<web::Json<Explanation>> {
    let message = fresh::found(state, async || Ok(state.records.message(caller.tenant, id).await?)).await?;
    let message = message.ok_or_else(|| ApiError::not_found("message"))?;
    let mut reasons = message_reasons(&message);
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
    }
    let log = log(state, caller, message.conversation).await?;
    let log = log.iter().filter(|stored| concerns(&stored.event.fact, id)).map(events::view);
    Ok(web::Json(Explanation {
        subject: id.to_string(),
        reasons,
        state: None,
        log: log.collect::<Vec<EventView>>(),
    }))
}

fn message_reasons(message: &MessageRecord) -> Vec<String> {
    let mut reasons = Vec::new();
    match message.status {
        None => reasons.push("received from the contact".to_owned()),
        Some(MessageStatus::Queued) => reasons.push(
            "waits: for its turn in the conversation, the contact's own rate limit, or a send slot of the number"
                .to_owned(),
        ),
        Some(MessageStatus::Claimed) => {
            reasons.push("the POST is under way, or its outcome is in doubt and a status is awaited".to_owned());
        }
        Some(MessageStatus::Unknown) => reasons.push(
            "nobody knows whether the provider took it: no status came before the deadline; it is never sent again by itself"
                .to_owned(),
        ),
        Some(status) => reasons.push(format!("its status is `{}`", status.name())),
    }
    for error in &message.errors {
        let detail = error.detail.as_deref().map(|text| format!(" ({text})")).unwrap_or_default();
        reasons.push(format!("error {}: {}{detail}", error.code, error.title));
    }
    for attempt in &message.attempts {
        reasons.push(format!("attempt ended at {}: {}", attempt.at, attempt.detail));
    }
    reasons
}

fn concerns(fact: &Fact, id: MessageId) -> bool {
    match fact {
        Fact::MessageReceived { message, .. }
        | Fact::MessageQueued { message, .. }
        | Fact::AttemptFailed { message, .. }
        | Fact::StatusChanged { message, .. } => *message == id,
        Fact::StatusUnmatched { message, .. } | Fact::Notify { message, .. } => *message == Some(id),
        _ => false,
    }
}

async fn log(state: &AppState, caller: &Caller, conversation: ConversationId) -> ApiResult<Vec<StoredEvent>> {
    let query = EventQuery {
        tenant: Some(caller.tenant),
        conversation: Some(conversation),
        after: EventSeq::default(),
        limit: MAX_LOG,
    };
    Ok(state.records.events(query).await?)
}
