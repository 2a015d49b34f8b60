//! Whose conversation it is.

use protocol::command::{Owner, Party};
use protocol::fact::{Fact, NotificationKind};

use super::turn::Turn;

/// A person wrote for the first time: the number's configuration says for whom, unless somebody at the tenant
/// wrote first and has it.
pub(super) fn first(turn: &mut Turn<'_>) {
    if turn.state.owner.is_none()
        && let Some(owner) = turn.context.number.unknown_sender.assign.clone()
    {
        set(turn, Some(owner), Party::Gateway);
    }
}

/// Gives the conversation to somebody, or to nobody. The new owner is told, unless they took it themselves.
pub(super) fn set(turn: &mut Turn<'_>, owner: Option<Owner>, by: Party) {
    if turn.state.owner == owner {
        return;
    }
    turn.state.owner.clone_from(&owner);
    let took_it = matches!((&owner, by), (Some(Owner::User(user)), Party::User(actor)) if *user == actor);
    let given = owner.is_some() && !took_it;
    turn.fact(Fact::OwnerChanged { owner, by });
    if given {
        turn.notify(NotificationKind::Assigned, None);
    }
}
