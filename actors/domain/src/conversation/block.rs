//! Blocking a contact, and leaving a chat.

use protocol::command::Party;
use protocol::entry::ContactChange;
use protocol::fact::Fact;

use super::turn::Turn;
use super::{consent, flow, outbound};

/// Blocks the contact on every number of the channel, or undoes it.
pub(super) fn set_blocked(turn: &mut Turn<'_>, blocked: bool, by: Party) {
    if turn.state.blocked != blocked {
        turn.fact(Fact::BlockChanged { blocked, by });
        consent::tell_siblings(turn, &ContactChange::Blocked { blocked, by });
        hold(turn, blocked);
    }
}

/// A sibling conversation was told; it has told everybody else. Each chat that people see carries its own mark.
pub(super) fn from_sibling(turn: &mut Turn<'_>, blocked: bool, by: Party) {
    if turn.state.blocked != blocked {
        if turn.state.started {
            turn.fact(Fact::BlockChanged { blocked, by });
        }
        hold(turn, blocked);
    }
}

fn hold(turn: &mut Turn<'_>, blocked: bool) {
    turn.state.blocked = blocked;
    if blocked {
        silence(turn);
    }
}

/// The tenant leaves the chat, or comes back.
pub(super) fn set_left(turn: &mut Turn<'_>, left: bool, by: Party) {
    if turn.state.left == left {
        return;
    }
    turn.state.left = left;
    turn.fact(Fact::LeftChanged { left, by });
    if left {
        silence(turn);
    }
}

fn silence(turn: &mut Turn<'_>) {
    flow::abandon(turn);
    outbound::refuse_all(turn);
}
