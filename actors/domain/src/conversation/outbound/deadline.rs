//! What time does to the queue: offers again, and gives up waiting for an answer.

use protocol::fact::{MessageStatus, NotificationKind};
use protocol::time::TimestampMs;

use super::{Stage, offer_next, recent, refuse, take_head};
use crate::conversation::Conversation;
use crate::conversation::turn::Turn;

/// When the queue has to be looked at next.
pub(in crate::conversation) fn deadline(state: &Conversation) -> Option<TimestampMs> {
    match state.queue.first()?.stage {
        Stage::Waiting { .. } if state.paused => None,
        Stage::Waiting { offer_at, .. } => Some(offer_at),
        Stage::Claimed { deadline, .. } => Some(deadline),
    }
}

/// Does what is due.
pub(in crate::conversation) fn tick(turn: &mut Turn<'_>) {
    let now = turn.now();
    if deadline(turn.state).is_none_or(|at| at > now) {
        return;
    }
    let Some(head) = turn.state.queue.first() else { return };
    if head.is_claimed() {
        let message = head.id;
        if let Some(lost) = take_head(turn, message) {
            let reason =
                refuse::reason("unknown", "no answer and no status came in time; it may have arrived");
            recent::retire(turn, &lost, MessageStatus::Unknown, vec![reason]);
            turn.notify(NotificationKind::SendFailed, Some(message));
        }
    }
    offer_next(turn);
}

/// The shard has a new owner: offers of the old one are gone. What was claimed stays claimed, only its status or
/// its deadline resolves it.
pub(in crate::conversation) fn recover(turn: &mut Turn<'_>) {
    offer_next(turn);
}
