//! Reasons in words, most important first.

use std::collections::VecDeque;

use domain::conversation::{Conversation, Waiting};
use protocol::command::{Consent, Mode};
use protocol::fact::{Fact, MessageStatus};
use protocol::id::MessageId;
use protocol::time::TimestampMs;
use store::records::{MessageRecord, StoredEvent};

use crate::api::problem::detail_of;

/// What holds for the next message.
pub(super) fn of_conversation(conversation: &Conversation, now: TimestampMs) -> Vec<String> {
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
    reasons.push(match (conversation.mode, &conversation.run) {
        (Mode::Direct, _) => "direct chat: what the contact writes lands in the inbox".to_owned(),
        (Mode::Bot, Some(run)) => format!("the bot answers: the application {} is under way", run.flow),
        (Mode::Bot, None) => "the bot answers: it waits for the code of an application or `/chat`".to_owned(),
    });
    reasons
}

/// Why messages wait.
pub(super) fn of_queue(conversation: &Conversation, waiting: Option<Waiting>) -> Option<String> {
    let count = conversation.queue.len();
    waiting.map(|waiting| format!("{count} message(s) wait or are under way; the first waits for: {waiting}"))
}

/// Why one message waits.
pub(super) fn of_turn(
    conversation: &Conversation,
    id: MessageId,
    waiting: Option<Waiting>,
) -> Option<String> {
    let place = conversation.queue.iter().position(|message| message.id == id)?;
    let waiting = waiting?;
    Some(match place {
        0 => format!("waits for: {waiting}"),
        before => {
            format!("waits behind {before} message(s) of the conversation; the first waits for: {waiting}")
        }
    })
}

/// What was refused last, and why.
pub(super) fn last_refusal(log: &VecDeque<StoredEvent>) -> Option<String> {
    log.iter().rev().find_map(|stored| match &stored.event.fact {
        Fact::CommandRefused { action, refusal, .. } => {
            let (at, code, why) = (stored.event.at, refusal.code(), detail_of(refusal));
            Some(format!("the last refusal: `{action}` at {at}, because `{code}`: {why}"))
        }
        _ => None,
    })
}

/// What became of a message.
pub(super) fn of_message(message: &MessageRecord) -> Vec<String> {
    let mut reasons = Vec::new();
    match message.status {
        None => reasons.push("received from the contact".to_owned()),
        Some(MessageStatus::Claimed) => {
            reasons.push("the POST is under way, or its outcome is in doubt and a status is awaited".to_owned());
        }
        Some(MessageStatus::Unknown) => reasons.push(
            "nobody knows whether the provider took it: no status came before the deadline; it is never sent again by itself"
                .to_owned(),
        ),
        Some(MessageStatus::Held) => reasons.push(
            "the provider has it and holds it back: it paces a template that is new, was unpaused or is not of good quality, \
             until it knows how people like it; then it sends it, or drops it (error 132015) and pauses the template; it is \
             never sent again by itself"
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
