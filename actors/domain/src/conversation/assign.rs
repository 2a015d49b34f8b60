//! Whose conversation it is.

use protocol::command::{Owner, Party, Refusal};
use protocol::fact::{Fact, NotificationKind};
use protocol::id::UserId;

use super::state::Followers;
use super::turn::Turn;
use crate::limits::FOLLOWERS;

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

/// Takes the conversation, unless a person has it: groups and roles own what one of them is to take.
pub(super) fn pick_up(turn: &mut Turn<'_>, user: UserId, by: Party) -> Result<(), Refusal> {
    match turn.state.owner {
        Some(Owner::User(owner)) if owner != user => Err(Refusal::AlreadyOwned { owner }),
        _ => {
            set(turn, Some(Owner::User(user)), by);
            Ok(())
        }
    }
}

/// Adds a follower, or takes one away.
pub(super) fn follow(turn: &mut Turn<'_>, user: UserId, following: bool, by: Party) -> Result<(), Refusal> {
    let mut users = turn.state.followers().to_vec();
    let known = users.iter().position(|follower| *follower == user);
    match (known, following) {
        (Some(_), true) | (None, false) => return Ok(()),
        (None, true) if users.len() >= FOLLOWERS => {
            return Err(Refusal::TooManyFollowers { limit: FOLLOWERS });
        }
        (None, true) => users.push(user),
        (Some(index), false) => drop(users.remove(index)),
    }
    turn.state.followers = (!users.is_empty()).then(|| Box::new(Followers { users }));
    turn.fact(Fact::FollowChanged { user, following, by });
    Ok(())
}
