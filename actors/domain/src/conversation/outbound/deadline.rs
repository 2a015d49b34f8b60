//! What time does to a claimed message: its answer is given up.

use protocol::fact::{MessageStatus, NotificationKind};
use protocol::time::TimestampMs;

use super::{Stage, approval, recent, refuse, take_head};
use crate::conversation::Conversation;
use crate::conversation::turn::Turn;

/// When the queue has to be looked at next.
pub(in crate::conversation) fn deadline(state: &Conversation) -> Option<TimestampMs> {
    let head = match state.queue.first()?.stage {
        Stage::Waiting { .. } if state.paused => None,
        Stage::Waiting { offer_at, .. } => Some(offer_at),
        Stage::Claimed { deadline, .. } => Some(deadline),
        Stage::AwaitingApproval { .. } => None,
    };
    head.into_iter().chain(approval::deadline(&state.queue)).min()
}

/// Gives up waiting for an answer whose time is over, and looks at templates whose time has come.
pub(in crate::conversation) fn tick(turn: &mut Turn<'_>) {
    approval::tick(turn);
    let now = turn.now();
    let Some(head) = turn.state.queue.first() else { return };
    let Stage::Claimed { deadline, .. } = head.stage else { return };
    if deadline > now {
        return;
    }
    let message = head.id;
    if let Some(lost) = take_head(turn, message) {
        let reason = refuse::reason("unknown", "no answer and no status came in time; it may have arrived");
        recent::retire(turn, &lost, MessageStatus::Unknown, vec![reason]);
        turn.notify(NotificationKind::SendFailed, Some(message));
    }
}
