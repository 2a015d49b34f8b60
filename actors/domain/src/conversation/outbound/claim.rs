//! A send slot is free: the last look at the rules before the POST.

use protocol::fact::{Fact, MessageStatus};
use protocol::id::MessageId;

use super::{Stage, recent, refuse, take_head};
use crate::conversation::Post;
use crate::conversation::turn::Turn;
use crate::limits::{IN_DOUBT, TEMPLATE_REST};

/// Claims a message and lets it go, or refuses it if a rule forbids it by now. A claim of anything but the
/// waiting first message changes nothing: offers may be doubled or late.
pub(in crate::conversation) fn claim(turn: &mut Turn<'_>, message: MessageId) {
    let now = turn.now();
    let Some(head) = turn.state.queue.first().filter(|head| head.id == message) else { return };
    let Stage::Waiting { not_before, .. } = head.stage else { return };
    let ready = not_before <= now && turn.state.pair.ready_at(now) <= now;
    let number = turn.context.number;
    let paused = turn.state.paused || turn.context.tenant.is_paused(number.id);
    if paused || !number.enabled || !ready {
        return;
    }
    if let Err(reason) = refuse::still_allowed(turn, head) {
        if let Some(refused) = take_head(turn, message) {
            recent::retire(turn, &refused, MessageStatus::Refused, vec![reason]);
        }
        return;
    }
    if refuse::template_at_rest(turn, head) {
        rest(turn);
        return;
    }
    post(turn);
}

/// The message is looked at again later; others may pass.
fn rest(turn: &mut Turn<'_>) {
    let at = turn.now() + TEMPLATE_REST;
    if let Some(head) = turn.state.queue.first_mut() {
        head.stage = Stage::Waiting { not_before: at, offer_at: at };
    }
}

fn post(turn: &mut Turn<'_>) {
    let now = turn.now();
    let to = turn.state.identity.clone();
    turn.state.pair.take(now);
    let Some(head) = turn.state.queue.first_mut() else { return };
    head.attempts = head.attempts.saturating_add(1);
    head.stage = Stage::Claimed { deadline: now + IN_DOUBT, in_doubt: false };
    let status = Fact::StatusChanged {
        message: head.id,
        status: MessageStatus::Claimed,
        at: now,
        provider_id: None,
        category: head.category,
        template: head.is_template(),
        pricing: None,
        errors: Vec::new(),
        queued_at: head.queued_at,
    };
    let post = Post {
        message: head.id,
        to,
        category: head.category,
        content: head.content.clone(),
        reply_to: head.reply_to.clone(),
        traceparent: head.traceparent.clone(),
    };
    turn.fact(status);
    turn.effects.posts.push(post);
}
