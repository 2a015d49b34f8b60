//! What must always hold, and what must be reachable for that to mean anything.

use stateright::Property;

use crate::node::{Delivery, Ended};
use crate::protocol::Protocol;
use crate::store::{Broken, Stage};
use crate::world::World;

type Condition = fn(&Protocol, &World) -> bool;

pub(crate) const POSTED_ONCE: &str = "no message is POSTed twice";
pub(crate) const NOTHING_LOST: &str = "no acknowledged input is lost";
pub(crate) const APPLIED_ONCE: &str = "no input is applied twice";
pub(crate) const ONE_WRITER: &str = "only the owner of a shard changes it";
pub(crate) const FORWARD: &str = "neither position nor statuses move back without a fail-over";
pub(crate) const NO_STRAY_SEND: &str = "a node that lost its lease sends nothing";
pub(crate) const GIVEN_UP: &str = "what was given up is not sent";

const ALWAYS: [(&str, Condition); 7] = [
    (POSTED_ONCE, |_, world| world.posted.iter().all(|&times| times <= 1)),
    (NOTHING_LOST, |_, world| {
        (0..).zip(&world.acknowledged).all(|(input, known)| !known || world.keeps(input))
    }),
    (APPLIED_ONCE, |_, world| world.store.primary.snapshot.applied.iter().all(|&times| times <= 1)),
    (ONE_WRITER, |_, world| world.store.broken != Some(Broken::ForeignWrite)),
    (FORWARD, |_, world| world.store.broken != Some(Broken::MovedBack)),
    (NO_STRAY_SEND, |_, world| world.store.broken != Some(Broken::StraySend)),
    (GIVEN_UP, |_, world| world.store.broken != Some(Broken::SentAfterGivenUp)),
];

const SOMETIMES: [(&str, Condition); 9] = [
    ("every message is sent", |_, world| {
        world.store.primary.snapshot.stages.iter().all(|&stage| stage == Stage::Sent)
    }),
    ("a message is given up", |_, world| world.store.primary.snapshot.stages.contains(&Stage::Unknown)),
    ("a shard is taken over while a claim waits for its slot", |_, world| world.claimed_by_another()),
    ("a message is sent in spite of a fail-over", |_, world| world.fell_over_and_sent()),
    ("a fail-over makes the store issue an epoch twice", |_, world| world.epoch_issued_twice()),
    ("a batch was committed although its answer was lost", |_, world| world.committed_in_doubt()),
    ("a late copy of a commit meets its own token behind its place", |_, world| {
        world.late_behind_its_place()
    }),
    ("a commit meets the token of another owner", |protocol, world| world.commit_of_predecessor(protocol)),
    ("a claim is taken back", |_, world| {
        world
            .nodes
            .iter()
            .any(|node| node.held.is_some() && node.left.is_some_and(|left| left.ended == Ended::NotSent))
    }),
];

pub(crate) fn all() -> Vec<Property<Protocol>> {
    let always = ALWAYS.into_iter().map(|(name, holds)| Property::always(name, holds));
    let sometimes = SOMETIMES.into_iter().map(|(name, holds)| Property::sometimes(name, holds));
    always.chain(sometimes).collect()
}

impl World {
    fn keeps(&self, input: u8) -> bool {
        let data = &self.store.primary;
        data.snapshot.applied[usize::from(input)] > 0
            || data.log[usize::from(data.position)..].contains(&input)
    }

    fn claimed_by_another(&self) -> bool {
        let claims = |message: usize| {
            let ready = |delivery: &Delivery| matches!(delivery, Delivery::Ready { .. });
            let owner = self.store.primary.holder.as_ref().map(|holder| usize::from(holder.node));
            let mut nodes = self.nodes.iter().enumerate();
            self.store.primary.snapshot.stages[message] == Stage::Claimed
                && nodes.any(|(place, node)| {
                    owner.is_some() && owner != Some(place) && ready(&node.deliveries[message])
                })
        };
        (0..self.posted.len()).any(claims)
    }

    fn fell_over_and_sent(&self) -> bool {
        self.store.generation > 0 && self.store.primary.snapshot.stages.contains(&Stage::Sent)
    }

    fn epoch_issued_twice(&self) -> bool {
        let Some(holder) = &self.store.primary.holder else { return false };
        let mut held = self.nodes.iter().filter_map(|node| node.held);
        held.any(|held| held.token.epoch == holder.token.epoch && held.token.nonce != holder.token.nonce)
    }

    fn committed_in_doubt(&self) -> bool {
        let known = &self.store.primary.batches;
        self.nodes
            .iter()
            .filter_map(|node| node.in_doubt.as_ref())
            .any(|commit| known.contains(&commit.batch))
    }

    fn late_behind_its_place(&self) -> bool {
        let Some(late) = &self.store.late else { return false };
        let data = &self.store.primary;
        data.holder.as_ref().is_some_and(|holder| holder.token == late.commit.token)
            && !data.batches.contains(&late.commit.batch)
            && data.position != late.commit.expected
    }

    fn commit_of_predecessor(&self, protocol: &Protocol) -> bool {
        let current = |token| self.store.is_current(token, protocol);
        let mut in_doubt = self.nodes.iter().filter_map(|node| node.in_doubt.as_ref());
        self.store.primary.holder.is_some() && in_doubt.any(|commit| !current(commit.token))
    }
}
