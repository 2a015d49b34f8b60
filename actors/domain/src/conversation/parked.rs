//! Statuses without our opaque id that overtook the answer to our own POST: they wait for it, for a while.

use protocol::entry::StatusUpdate;
use protocol::fact::Fact;
use protocol::id::ProviderId;
use protocol::time::TimestampMs;
use serde::{Deserialize, Serialize};

use super::Conversation;
use super::turn::Turn;
use crate::limits::{PARKED, PARKED_FOR};

/// A status whose message is not known yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parked {
    /// What was reported.
    pub update: Box<StatusUpdate>,
    /// When it is passed on without a message.
    pub expires_at: TimestampMs,
}

/// When the oldest has waited long enough.
pub(super) fn deadline(state: &Conversation) -> Option<TimestampMs> {
    state.parked.iter().map(|parked| parked.expires_at).min()
}

/// Keeps a status until its message is known.
pub(super) fn park(turn: &mut Turn<'_>, update: StatusUpdate) {
    let same = |parked: &Parked| {
        parked.update.provider_id == update.provider_id && parked.update.status == update.status
    };
    if turn.state.parked.iter().any(same) {
        return;
    }
    if turn.state.parked.len() >= PARKED {
        let oldest = turn.state.parked.remove(0);
        unmatched(turn, *oldest.update);
    }
    let expires_at = turn.now() + PARKED_FOR;
    turn.state.parked.push(Parked { update: Box::new(update), expires_at });
}

/// Takes out what waited for this id, in the order it came.
pub(super) fn take(turn: &mut Turn<'_>, provider_id: &ProviderId) -> Vec<StatusUpdate> {
    let all = std::mem::take(&mut turn.state.parked);
    let (matching, others) = all.into_iter().partition(|parked| parked.update.provider_id == *provider_id);
    turn.state.parked = others;
    let matching: Vec<Parked> = matching;
    matching.into_iter().map(|parked| *parked.update).collect()
}

/// Passes on what waited long enough.
pub(super) fn tick(turn: &mut Turn<'_>) {
    let now = turn.now();
    if deadline(turn.state).is_none_or(|at| at > now) {
        return;
    }
    let all = std::mem::take(&mut turn.state.parked);
    for parked in all {
        if parked.expires_at <= now {
            unmatched(turn, *parked.update);
        } else {
            turn.state.parked.push(parked);
        }
    }
}

/// The records may know the message; this conversation does not.
pub(super) fn unmatched(turn: &mut Turn<'_>, update: StatusUpdate) {
    turn.fact(Fact::StatusUnmatched {
        provider_id: update.provider_id,
        message: update.message,
        status: update.status,
        at: update.at,
        pricing: update.pricing,
        errors: update.errors,
    });
}
