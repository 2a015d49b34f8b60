//! The one timer of a conversation: the earliest of everything that waits for time.

use protocol::time::TimestampMs;

use super::turn::Turn;
use super::{Conversation, flow, outbound, parked, window};

/// The next time at which a tick would do something.
pub(super) fn next_deadline(state: &Conversation) -> Option<TimestampMs> {
    [
        state.window.as_ref().and_then(window::Window::deadline),
        state.run.as_ref().and_then(|run| run.remind_at),
        outbound::deadline(state),
        parked::deadline(state),
    ]
    .into_iter()
    .flatten()
    .min()
}

/// Does whatever is due by now, late or not. An early tick finds nothing.
pub(super) fn tick(turn: &mut Turn<'_>) {
    let open_before = turn.state.window.as_ref().is_some_and(|window| !window.closed);
    window::tick(turn);
    let closed_now = open_before && turn.state.window.as_ref().is_some_and(|window| window.closed);
    if closed_now {
        outbound::refuse_all(turn);
    }
    flow::tick(turn);
    parked::tick(turn);
    outbound::tick(turn);
}
