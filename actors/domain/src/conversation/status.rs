//! What the provider reports about our messages: late, doubled, out of order, or before its own answer.

use protocol::entry::{ProviderStatus, StatusUpdate};
use protocol::fact::{MessageStatus, NotificationKind};
use protocol::id::MessageId;

use super::outbound::{self, Recent, Report};
use super::seen::message_hash;
use super::turn::Turn;
use super::{Conversation, consent, identity, parked};

/// Applies a report. A status never moves backwards; what changes nothing leaves no trace.
pub(super) fn status(turn: &mut Turn<'_>, update: StatusUpdate) {
    identity::fill_in(turn, &update.identity);
    if let Some(index) = in_queue(turn.state, &update) {
        resolve(turn, index, update);
    } else if let Some(index) = in_recent(turn.state, &update) {
        advance(turn, index, update);
    } else if update.message.is_none() && has_unresolved(turn.state) {
        parked::park(turn, update);
    } else {
        parked::unmatched(turn, update);
    }
}

fn in_queue(state: &Conversation, update: &StatusUpdate) -> Option<usize> {
    let message = update.message?;
    state.queue.iter().position(|waiting| waiting.id == message)
}

fn in_recent(state: &Conversation, update: &StatusUpdate) -> Option<usize> {
    state.recent.iter().position(|recent| match update.message {
        Some(message) => recent.id() == message,
        None => recent.is_known_as(&update.provider_id),
    })
}

/// A message whose provider id is not known yet may be the one that a status without opaque id is about.
fn has_unresolved(state: &Conversation) -> bool {
    state.queue.first().is_some_and(outbound::Outgoing::is_claimed)
        || state.recent.iter().any(|recent| recent.status == MessageStatus::Unknown)
}

/// The report came before the answer to our POST, or instead of it.
fn resolve(turn: &mut Turn<'_>, index: usize, update: StatusUpdate) {
    let message = outbound::take(turn, index);
    let status = ours(update.status);
    let codes: Vec<i64> = update.errors.iter().map(|error| error.code).collect();
    outbound::report(
        turn,
        &message,
        Report {
            status,
            at: update.at,
            provider_id: Some(update.provider_id),
            pricing: update.pricing,
            errors: update.errors,
        },
    );
    if status == MessageStatus::Failed {
        failed(turn, message.id, &codes);
    }
}

fn advance(turn: &mut Turn<'_>, index: usize, update: StatusUpdate) {
    let Some(recent) = turn.state.recent.get_mut(index) else { return };
    let next = ours(update.status);
    let moved = recent.status.may_become(next);
    let priced_now = update.pricing.is_some() && !recent.priced;
    learn_id(recent, &update);
    if !moved && !priced_now {
        return;
    }
    if moved {
        recent.status = next;
    }
    recent.priced |= update.pricing.is_some();
    let (id, codes) = (recent.id(), update.errors.iter().map(|error| error.code).collect::<Vec<_>>());
    let fact = outbound::changed(
        recent,
        Report {
            status: recent.status,
            at: update.at,
            provider_id: Some(update.provider_id),
            // One price per message: a second mention could be counted twice.
            pricing: update.pricing.filter(|_| priced_now),
            errors: if moved { update.errors } else { Vec::new() },
        },
    );
    turn.fact(fact);
    if moved && next == MessageStatus::Failed {
        failed(turn, id, &codes);
    }
}

fn learn_id(recent: &mut Recent, update: &StatusUpdate) {
    if recent.provider_hash.is_none() {
        recent.provider_hash = Some(message_hash(update.provider_id.as_str()).to_le_bytes());
    }
}

/// The provider gave up on a message that it had taken. Its text is no longer here: a person decides what next.
fn failed(turn: &mut Turn<'_>, message: MessageId, codes: &[i64]) {
    turn.notify(NotificationKind::SendFailed, Some(message));
    consent::learn_from_errors(turn, codes);
}

/// Our name of the provider's status; a voice note that was played was read.
fn ours(status: ProviderStatus) -> MessageStatus {
    match status {
        ProviderStatus::Sent => MessageStatus::Sent,
        ProviderStatus::Delivered => MessageStatus::Delivered,
        ProviderStatus::Read | ProviderStatus::Played => MessageStatus::Read,
        ProviderStatus::Failed => MessageStatus::Failed,
    }
}
