//! A POST ended: taken, refused, never sent, or nobody knows.

use protocol::content::ProviderError;
use protocol::fact::{Fact, MessageStatus, NotificationKind};
use protocol::id::{MessageId, ProviderId};
use protocol::outbound::{Attempt, Outcome};
use protocol::time::TimestampMs;

use super::policy::{self, Next};
use super::{Report, Stage, changed, recent, refuse, report, take_head};
use crate::conversation::seen::message_hash;
use crate::conversation::turn::Turn;
use crate::conversation::{consent, identity, parked, status};

/// Applies the outcome of a claimed message. A message that a status has resolved in the meantime, or that was
/// never claimed, is not touched.
pub(in crate::conversation) fn outcome(turn: &mut Turn<'_>, message: MessageId, outcome: Outcome) {
    if let Outcome::Accepted { recipient: Some(recipient), .. }
    | Outcome::Held { recipient: Some(recipient), .. } = outcome
    {
        identity::alias_for_phone(turn, recipient);
    }
    let claimed = turn.state.queue.first().is_some_and(|head| head.id == message && head.is_claimed());
    if !claimed {
        late(turn, message, outcome);
        return;
    }
    match outcome {
        Outcome::Accepted { provider_id, .. } => taken(turn, message, MessageStatus::Sent, provider_id),
        Outcome::Held { provider_id, .. } => taken(turn, message, MessageStatus::Held, provider_id),
        Outcome::Rejected { error, retry_after_ms } => rejected(turn, message, error, retry_after_ms),
        Outcome::NotSent { detail } => {
            let attempts = head_attempts(turn);
            let error = refuse::reason("not_sent", detail);
            not_taken(turn, message, error, policy::not_sent(attempts));
        }
        Outcome::Unfunded { detail } => {
            let error = refuse::reason("insufficient_credits", detail);
            not_taken(turn, message, error, Next::Refused);
        }
        Outcome::InDoubt { detail } => in_doubt(turn, message, detail),
    }
}

/// The provider has it. What it holds back is followed like what it sent: a status says what becomes of it, and nothing
/// waits for that.
fn taken(turn: &mut Turn<'_>, message: MessageId, status: MessageStatus, provider_id: ProviderId) {
    let Some(sent) = take_head(turn, message) else { return };
    let (at, pricing, errors) = (turn.now(), None, Vec::new());
    report(turn, &sent, Report { status, at, provider_id: Some(provider_id.clone()), pricing, errors });
    apply_parked(turn, &provider_id);
}

/// Statuses that were faster than the answer.
fn apply_parked(turn: &mut Turn<'_>, provider_id: &ProviderId) {
    for update in parked::take(turn, provider_id) {
        status::status(turn, update);
    }
}

fn rejected(turn: &mut Turn<'_>, message: MessageId, error: ProviderError, retry_after_ms: Option<i64>) {
    let code = error.code;
    let next = policy::rejected(code, head_attempts(turn), retry_after_ms);
    not_taken(turn, message, error, next);
    consent::learn_from_errors(turn, &[code]);
}

/// The provider does not have the message: it is tried again, or ends here.
fn not_taken(turn: &mut Turn<'_>, message: MessageId, error: ProviderError, next: Next) {
    let now = turn.now();
    let retry_at = match next {
        Next::Again(wait) => Some(now + wait),
        Next::Refused | Next::Failed => None,
    };
    attempt_failed(turn, message, &error, retry_at);
    match (next, retry_at) {
        (Next::Again(_), Some(at)) => {
            if let Some(head) = turn.state.queue.first_mut() {
                head.stage = Stage::Waiting { not_before: at, offer_at: at };
            }
            // An opt-out or a block may have come while it was under way.
            super::refuse_all(turn);
        }
        (Next::Refused, _) => finish(turn, message, MessageStatus::Refused, error),
        (Next::Failed | Next::Again(_), _) => finish(turn, message, MessageStatus::Failed, error),
    }
}

fn finish(turn: &mut Turn<'_>, message: MessageId, status: MessageStatus, error: ProviderError) {
    if let Some(ended) = take_head(turn, message) {
        recent::retire(turn, &ended, status, vec![error]);
        turn.notify(NotificationKind::SendFailed, Some(message));
    }
}

/// It may have been taken: its status tells, or its deadline ends the waiting. It is never sent again.
fn in_doubt(turn: &mut Turn<'_>, message: MessageId, detail: String) {
    let Some(head) = turn.state.queue.first_mut() else { return };
    let Stage::Claimed { deadline, in_doubt } = head.stage else { return };
    turn.effects.in_doubt.push(message);
    if in_doubt {
        return;
    }
    head.stage = Stage::Claimed { deadline, in_doubt: true };
    let error = refuse::reason("in_doubt", detail);
    attempt_failed(turn, message, &error, None);
}

/// The shard was loaded anew. Whoever sent the first message may be gone with the answer (if not, it still counts);
/// one that waits is offered again.
pub(in crate::conversation) fn recover(turn: &mut Turn<'_>) {
    if let Some(head) = turn.state.queue.first().filter(|head| head.is_claimed()) {
        let message = head.id;
        in_doubt(turn, message, "the node that sent it was replaced before the answer came".to_owned());
    }
    super::offer_now(turn);
}

/// The answer came after the message was given up as unknown.
fn late(turn: &mut Turn<'_>, message: MessageId, outcome: Outcome) {
    let now = turn.now();
    let unknown =
        |recent: &&mut recent::Recent| recent.id() == message && recent.status == MessageStatus::Unknown;
    let Some(recent) = turn.state.recent.iter_mut().find(unknown) else { return };
    let (status, provider_id, errors) = match outcome {
        // By now it may have been sent, too: that the provider took it is all that is sure.
        Outcome::Accepted { provider_id, .. } | Outcome::Held { provider_id, .. } => {
            (MessageStatus::Sent, Some(provider_id), Vec::new())
        }
        Outcome::Rejected { error, .. } => (MessageStatus::Failed, None, vec![error]),
        Outcome::NotSent { detail } | Outcome::Unfunded { detail } => {
            let error = refuse::reason("not_sent", detail);
            (MessageStatus::Failed, None, vec![error])
        }
        Outcome::InDoubt { .. } => return,
    };
    recent.status = status;
    recent.provider_hash = provider_id.as_ref().map(|id| message_hash(id.as_str()).to_le_bytes());
    let report = Report { status, at: now, provider_id: provider_id.clone(), pricing: None, errors };
    let fact = changed(recent, report);
    turn.fact(fact);
    if let Some(provider_id) = provider_id {
        apply_parked(turn, &provider_id);
    }
}

fn head_attempts(turn: &Turn<'_>) -> u8 {
    turn.state.queue.first().map_or(0, |head| head.attempts)
}

fn attempt_failed(
    turn: &mut Turn<'_>,
    message: MessageId,
    error: &ProviderError,
    retry_at: Option<TimestampMs>,
) {
    let detail = match &error.detail {
        Some(detail) => format!("{}: {detail}", error.title),
        None => error.title.clone(),
    };
    let code = (error.code != 0).then_some(error.code);
    let attempt = Attempt { at: turn.now(), code, detail };
    turn.fact(Fact::AttemptFailed { message, attempt, retry_at });
}
