//! Into the queue, and to the front of it.

use protocol::command::Party;
use protocol::content::{Category, Content};
use protocol::fact::Fact;
use protocol::id::{MessageId, ProviderId};

use super::{Outgoing, Stage, approval};
use crate::conversation::Offer;
use crate::conversation::turn::Turn;
use crate::limits::{KEEPS_ITS_PLACE, OFFER_AGAIN, OFFER_TO_DISABLED, QUEUE};

/// A message that was found to be allowed.
pub(in crate::conversation) struct NewMessage {
    pub(in crate::conversation) by: Party,
    pub(in crate::conversation) content: Content,
    pub(in crate::conversation) reply_to: Option<ProviderId>,
    pub(in crate::conversation) confirms_opt_out: bool,
}

impl NewMessage {
    /// What the bot or the gateway says by itself.
    pub(in crate::conversation) fn automatic(by: Party, content: Content) -> Self {
        Self { by, content, reply_to: None, confirms_opt_out: false }
    }
}

/// Puts a message at the end of the queue. The caller has checked that there is room.
pub(in crate::conversation) fn enqueue(turn: &mut Turn<'_>, new: NewMessage) -> MessageId {
    let now = turn.now();
    let id = turn.next_message_id();
    let category = match &new.content {
        Content::Template(template) => template.category,
        _ => Category::Service,
    };
    turn.start(false);
    turn.fact(Fact::MessageQueued {
        message: id,
        by: new.by,
        content: new.content.clone(),
        category,
        reply_to: new.reply_to.clone(),
    });
    turn.state.queue.push(Outgoing {
        id,
        by: new.by,
        content: new.content,
        category,
        reply_to: new.reply_to,
        queued_at: now,
        attempts: 0,
        stage: Stage::Waiting { not_before: now, offer_at: now },
        confirms_opt_out: new.confirms_opt_out,
        traceparent: turn.traceparent.clone(),
    });
    id
}

/// Puts an automatic message into the queue unless it is full: then nobody reads what the bot says anyway.
pub(in crate::conversation) fn enqueue_if_room(turn: &mut Turn<'_>, new: NewMessage) {
    if turn.state.queue.len() < QUEUE {
        enqueue(turn, new);
    }
}

/// Brings the message that is sent next to the front: the first that need not wait long, else the one that waits
/// least. Order is kept but for messages that the provider holds back for hours.
fn choose_next(turn: &mut Turn<'_>) {
    let patience = turn.now() + KEEPS_ITS_PLACE;
    let queue = &mut turn.state.queue;
    if queue.first().is_none_or(Outgoing::is_claimed) {
        return;
    }
    let soon = queue.iter().position(|waiting| waiting.not_before().is_some_and(|at| at <= patience));
    let waiting = |index: usize| queue[index].not_before().map(|at| (at, index));
    let least = || (0..queue.len()).filter_map(waiting).min().map(|(_, index)| index);
    if let Some(index) = soon.or_else(least)
        && index > 0
    {
        let next = queue.remove(index);
        queue.insert(0, next);
    }
}

/// Offers the first message of the queue if it is time to, or notes when it will be. Runs after every input, so
/// that no rule has to think of it.
pub(in crate::conversation) fn settle(turn: &mut Turn<'_>) {
    approval::release_into_window(turn);
    choose_next(turn);
    let now = turn.now();
    let (enabled, ready_at) = (turn.context.number.enabled, turn.state.pair.ready_at(now));
    let paused = turn.state.paused;
    let Some(head) = turn.state.queue.first_mut() else { return };
    let Stage::Waiting { not_before, offer_at } = head.stage else { return };
    if paused || offer_at > now {
        return;
    }
    let ready_at = ready_at.max(not_before);
    let due = ready_at <= now;
    let offer_at = match (enabled, due) {
        (false, _) => now + OFFER_TO_DISABLED,
        (true, true) => now + OFFER_AGAIN,
        (true, false) => ready_at,
    };
    head.stage = Stage::Waiting { not_before, offer_at };
    if enabled && due {
        let message = head.id;
        turn.effects.offers.push(Offer { message });
    }
}

/// Earlier offers are gone (a take-over) or came at a bad time (a pause): the first message is offered now.
pub(in crate::conversation) fn offer_now(turn: &mut Turn<'_>) {
    let now = turn.now();
    if let Some(head) = turn.state.queue.first_mut()
        && let Stage::Waiting { not_before, .. } = head.stage
    {
        head.stage = Stage::Waiting { not_before, offer_at: now };
    }
}

/// Takes a message out of the queue.
pub(in crate::conversation) fn take(turn: &mut Turn<'_>, index: usize) -> Outgoing {
    let message = turn.state.queue.remove(index);
    if turn.state.queue.is_empty() {
        // An idle conversation should not keep the room of its busiest hour.
        turn.state.queue = Vec::new();
    }
    message
}

/// Takes the first message out of the queue, if it is this one.
pub(in crate::conversation) fn take_head(turn: &mut Turn<'_>, message: MessageId) -> Option<Outgoing> {
    let is_head = turn.state.queue.first().is_some_and(|head| head.id == message);
    is_head.then(|| take(turn, 0))
}
