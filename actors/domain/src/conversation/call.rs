//! Calls: they restart the window as messages do.

use protocol::entry::CallEvent;
use protocol::fact::{Fact, NotificationKind};

use super::turn::Turn;
use super::{erase, identity, window};

/// A call began or ended.
pub(super) fn call(turn: &mut Turn<'_>, event: CallEvent) {
    erase::meet(turn, &event.identity);
    turn.start(event.by_contact);
    identity::learn(turn, &event.identity);
    let ended = event.event == "terminate";
    // Only its beginning: the provider counts from the call, not from its end.
    if event.by_contact && !ended {
        window::restart(turn, event.at);
    }
    let missed = event.by_contact && ended && event.duration_seconds.unwrap_or(0) == 0;
    turn.fact(Fact::Call(event));
    if missed {
        turn.notify(NotificationKind::MissedCall, None);
    }
}
