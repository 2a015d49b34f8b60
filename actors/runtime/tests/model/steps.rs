//! Everything that can happen, one step at a time. A node that pauses simply has no step for a while.

use stateright::{Model, Property};

use crate::node::{Cause, Delivery, Node};
use crate::properties;
use crate::protocol::Protocol;
use crate::store::{Message, Stage, Store};
use crate::world::World;

/// What becomes of a call that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Done, and its caller knows.
    Answered,
    /// Its caller does not know; it is done later, or never.
    Unanswered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The ingress stores a webhook.
    Append(Fate),
    Acquire(u8, Fate),
    Renew(u8),
    Release(u8),
    Read(u8),
    /// A batch with this input is committed.
    Commit(u8, Cause, Fate),
    /// The batch in doubt is sent again.
    Repeat(u8, Fate),
    /// The batch in doubt was sent often enough.
    GiveUp(u8),
    /// A POST, whose answer comes or not.
    Post(u8, Message, Fate),
    /// Only without claims.
    PostUnclaimed(u8, Message),
    /// The replica catches up by itself.
    Replicate,
    /// A request that its sender gave up arrives.
    DeliverLate,
    /// The store's clock says that the lease is over: its owner paused, or could not renew.
    LeaseRunsOut,
    Crash(u8),
    /// The replica takes over.
    FailOver,
}

const FATES: [Fate; 2] = [Fate::Answered, Fate::Unanswered];

impl Model for Protocol {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            store: Store::new(self),
            nodes: (0..self.nodes).map(|_| Node::new(self.inputs)).collect(),
            acknowledged: vec![],
            posted: vec![0; usize::from(self.inputs)],
            faults_left: self.faults,
        }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        if world.store.broken.is_some() {
            return;
        }
        if world.acknowledged.len() < usize::from(self.inputs) {
            steps.extend(FATES.map(Step::Append));
        }
        for node in 0..self.nodes {
            self.node_steps(world, node, steps);
        }
        steps.extend([Step::Replicate, Step::DeliverLate, Step::LeaseRunsOut, Step::FailOver]);
    }

    fn next_state(&self, before: &World, step: Step) -> Option<World> {
        let mut world = before.clone();
        if is_fault(step) {
            world.faults_left = world.faults_left.checked_sub(1)?;
        }
        world.take(step, self)?;
        (world != *before).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}

impl Protocol {
    fn node_steps(&self, world: &World, node: u8, steps: &mut Vec<Step>) {
        steps.push(Step::Crash(node));
        let this = &world.nodes[usize::from(node)];
        for message in 0..self.inputs {
            if matches!(this.deliveries[usize::from(message)], Delivery::Ready { .. }) {
                steps.extend(FATES.map(|fate| Step::Post(node, message, fate)));
            }
        }
        if this.held.is_none() {
            steps.extend(FATES.map(|fate| Step::Acquire(node, fate)));
            return;
        }
        steps.extend([Step::Renew(node), Step::Release(node)]);
        if this.in_doubt.is_some() {
            steps.extend(FATES.map(|fate| Step::Repeat(node, fate)));
            steps.push(Step::GiveUp(node));
            return;
        }
        steps.push(Step::Read(node));
        for cause in self.causes(this) {
            steps.extend(FATES.map(|fate| Step::Commit(node, cause, fate)));
        }
        if !self.claims {
            steps.extend((0..self.inputs).map(|message| Step::PostUnclaimed(node, message)));
        }
    }

    /// What may stand in the next batch of a node: what a lost batch left behind comes first.
    fn causes(&self, node: &Node) -> Vec<Cause> {
        if let Some(left) = node.left {
            return vec![Cause::Outcome(left.message, left.ended)];
        }
        let Some(memory) = &node.memory else { return vec![] };
        let mut causes: Vec<_> = node.unread.map(Cause::Entry).into_iter().collect();
        causes.extend(memory.next_to_claim().filter(|_| self.claims).map(Cause::Claim));
        for (message, delivery) in (0..).zip(&node.deliveries) {
            match delivery {
                Delivery::Ended(ended) => causes.push(Cause::Outcome(message, *ended)),
                _ if memory.stages[usize::from(message)] == Stage::Claimed => {
                    causes.push(Cause::GiveUp(message));
                }
                _ => {}
            }
        }
        causes
    }
}

fn is_fault(step: Step) -> bool {
    match step {
        Step::Append(fate) | Step::Acquire(_, fate) | Step::Commit(_, _, fate) | Step::Repeat(_, fate) => {
            fate == Fate::Unanswered
        }
        Step::Post(_, _, fate) => fate == Fate::Unanswered,
        Step::LeaseRunsOut | Step::Crash(_) | Step::FailOver => true,
        _ => false,
    }
}
