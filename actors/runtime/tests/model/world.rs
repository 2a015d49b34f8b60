//! What each step does to the store and to the nodes.

use crate::node::{Cause, Delivery, Ended, Held, Node, apply};
use crate::protocol::Protocol;
use crate::steps::{Fate, Step};
use crate::store::{Answer, Broken, Commit, Message, Stage, Store};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) nodes: Vec<Node>,
    /// By input: whether the provider was told that it is safe. Inputs that were not appended yet are missing.
    pub(crate) acknowledged: Vec<bool>,
    /// By message: how often it left.
    pub(crate) posted: Vec<u8>,
    pub(crate) faults_left: u8,
}

impl World {
    /// `None`: it cannot happen now.
    pub(crate) fn take(&mut self, step: Step, protocol: &Protocol) -> Option<()> {
        match step {
            Step::Append(fate) => self.append(fate),
            Step::Acquire(node, fate) => self.acquire(node, fate, protocol)?,
            Step::Renew(node) => self.renew(node, protocol)?,
            Step::Release(node) => self.release(node, protocol)?,
            Step::Read(node) => self.read(node, protocol)?,
            Step::Commit(node, cause, fate) => self.commit(node, cause, fate, protocol)?,
            Step::Repeat(node, fate) => self.repeat(node, fate, protocol)?,
            Step::GiveUp(node) => {
                let lost = self.node(node).in_doubt.take()?;
                self.node(node).lose(&lost);
            }
            Step::Post(node, message, fate) => self.post(node, message, fate, protocol),
            Step::PostUnclaimed(node, message) => self.offer_unclaimed(node, message)?,
            Step::Replicate => self.store.replicate(),
            Step::DeliverLate => self.store.deliver_late(protocol),
            Step::LeaseRunsOut => self.lease_runs_out()?,
            Step::Crash(node) => *self.node(node) = Node::new(protocol.inputs),
            Step::FailOver => self.store.fail_over(),
        }
        Some(())
    }

    fn node(&mut self, node: u8) -> &mut Node {
        &mut self.nodes[usize::from(node)]
    }

    fn append(&mut self, fate: Fate) {
        self.store.primary.log.push(self.acknowledged.len() as Message);
        if fate == Fate::Answered {
            self.store.replicate();
        }
        self.acknowledged.push(fate == Fate::Answered);
    }

    fn acquire(&mut self, node: u8, fate: Fate, protocol: &Protocol) -> Option<()> {
        // Nodes are alike: let the first one begin.
        let epoch = self.store.primary.epoch;
        if epoch >= protocol.leases || (epoch == 0 && node > 0) {
            return None;
        }
        let (token, before) = self.store.acquire(node)?;
        if fate == Fate::Unanswered {
            return Some(());
        }
        let store = &self.store;
        let (generation, position) = (store.generation, store.primary.position);
        let memory = store.primary.snapshot.clone();
        let this = self.node(node);
        let own = this.left.is_some_and(|left| before.is_some_and(|before| before.is(left.token, protocol)));
        this.mind_rival(!own && protocol.minds_rivals);
        this.held = Some(Held { token, generation, sure: true });
        (this.position, this.memory) = (position, Some(memory));
        Some(())
    }

    /// What a node that held the lease knows of the store. An earlier incarnation of it may have granted the lease.
    fn held(&self, node: u8, protocol: &Protocol) -> Option<(Held, bool)> {
        let held = self.nodes[usize::from(node)].held?;
        Some((held, held.generation == self.store.generation || !protocol.checks_generation))
    }

    fn renew(&mut self, node: u8, protocol: &Protocol) -> Option<()> {
        let (held, known) = self.held(node, protocol)?;
        if known && self.store.is_current(held.token, protocol) {
            self.store.lease_is_over = false;
            self.node(node).held = Some(Held { sure: true, ..held });
        } else {
            match self.node(node).in_doubt.take() {
                Some(lost) => self.node(node).lose(&lost),
                None => self.node(node).give_up(),
            }
        }
        Some(())
    }

    fn release(&mut self, node: u8, protocol: &Protocol) -> Option<()> {
        let (held, known) = self.held(node, protocol)?;
        if self.nodes[usize::from(node)].in_doubt.is_some() {
            return None;
        }
        if known && self.store.is_current(held.token, protocol) {
            self.store.primary.holder = None;
            self.store.replicate();
        }
        self.node(node).give_up();
        Some(())
    }

    fn read(&mut self, node: u8, protocol: &Protocol) -> Option<()> {
        let (_, known) = self.held(node, protocol)?;
        let position = self.nodes[usize::from(node)].position;
        if !known || self.nodes[usize::from(node)].unread.is_some() {
            return None;
        }
        self.node(node).unread = Some(*self.store.primary.log.get(usize::from(position))?);
        Some(())
    }

    fn commit(&mut self, node: u8, cause: Cause, fate: Fate, protocol: &Protocol) -> Option<()> {
        let this = &self.nodes[usize::from(node)];
        let Some(snapshot) = apply(this.memory.as_ref()?, cause, protocol) else {
            self.consumed(node, cause);
            return Some(());
        };
        let held = this.held?;
        let moves = u8::from(matches!(cause, Cause::Entry(_)));
        let commit = Commit {
            by: node,
            token: held.token,
            generation: held.generation,
            batch: self.fresh_batch(),
            expected: this.position,
            new: this.position + moves,
            snapshot,
            cause,
        };
        if let Cause::GiveUp(message) = cause {
            self.time_passes(message);
        }
        self.consumed(node, cause);
        self.node(node).in_doubt = Some(commit);
        self.repeat(node, fate, protocol)
    }

    /// A deadline is over, so every claim of that message is as old. The code gives up after `IN_DOUBT`, and does
    /// not begin a POST later than `POST_WITHIN`, which is shorter.
    fn time_passes(&mut self, message: Message) {
        for node in &mut self.nodes {
            if let Delivery::Ready { old } = &mut node.deliveries[usize::from(message)] {
                *old = true;
            }
        }
    }

    /// The smallest that is not in use: in the code a hash of token and count.
    fn fresh_batch(&self) -> u8 {
        let in_doubt = self.nodes.iter().filter_map(|node| node.in_doubt.as_ref());
        let late = self.store.late.as_ref().map(|late| &late.commit);
        let mut used: Vec<u8> = in_doubt.chain(late).map(|commit| commit.batch).collect();
        used.extend(self.store.primary.batches.iter().chain(&self.store.replica.batches));
        (0..).find(|batch| !used.contains(batch)).unwrap_or_default()
    }

    /// An input is in a batch now.
    fn consumed(&mut self, node: u8, cause: Cause) {
        let this = self.node(node);
        match cause {
            Cause::Entry(_) => this.unread = None,
            Cause::Outcome(message, _) => {
                if this.left.take().is_none() {
                    this.deliveries[usize::from(message)] = Delivery::None;
                }
            }
            Cause::Claim(_) | Cause::GiveUp(_) => {}
        }
    }

    fn repeat(&mut self, node: u8, fate: Fate, protocol: &Protocol) -> Option<()> {
        let (_, known) = self.held(node, protocol)?;
        let commit = self.nodes[usize::from(node)].in_doubt.clone()?;
        if !known {
            // The connection tells before anything is sent.
            self.node(node).lose(&commit);
            return Some(());
        }
        if fate == Fate::Unanswered {
            self.store.delay(&commit);
            if !protocol.repeats_identical {
                // Taken for failed.
                self.node(node).in_doubt = None;
            }
            return Some(());
        }
        let answer = self.store.commit(&commit, protocol);
        match answer {
            Answer::Applied | Answer::Already => {
                if protocol.waits_for_replica || !matches!(commit.cause, Cause::Claim(_)) {
                    self.store.replicate();
                }
                self.settle(node, commit);
            }
            Answer::Fenced | Answer::Position => self.node(node).lose(&commit),
        }
        Some(())
    }

    /// Committed: now its effects get out.
    fn settle(&mut self, node: u8, commit: Commit) {
        let this = self.node(node);
        this.in_doubt = None;
        this.position = commit.new;
        this.memory = Some(commit.snapshot);
        if let Cause::Claim(message) = commit.cause {
            this.deliveries[usize::from(message)] = Delivery::Ready { old: false };
        }
    }

    fn post(&mut self, node: u8, message: Message, fate: Fate, protocol: &Protocol) {
        let place = usize::from(message);
        let held = self.nodes[usize::from(node)].held;
        let old = self.nodes[usize::from(node)].deliveries[place] == Delivery::Ready { old: true };
        let lease_holds = held.is_some_and(|held| held.sure);
        if (protocol.checks_lease && !lease_holds) || (protocol.checks_age && old) {
            self.node(node).deliveries[place] = Delivery::Ended(Ended::NotSent);
            return;
        }
        self.posted[place] += 1;
        let generation = self.store.generation;
        let stray = self.store.primary.holder.as_ref().is_none_or(|holder| holder.node != node);
        // After a fail-over the newest renewal may be lost: then two nodes believe in their lease for a moment.
        let lost_renewal = held.is_some_and(|held| held.sure && held.generation != generation);
        if stray && !lost_renewal {
            self.store.broken = Some(Broken::StraySend);
        } else if self.store.primary.snapshot.stages[place] == Stage::Unknown {
            self.store.broken = Some(Broken::SentAfterGivenUp);
        }
        self.node(node).deliveries[place] = match fate {
            Fate::Answered => Delivery::Ended(Ended::Accepted),
            // In doubt: a status resolves it, or its deadline.
            Fate::Unanswered => Delivery::None,
        };
    }

    fn offer_unclaimed(&mut self, node: u8, message: Message) -> Option<()> {
        let this = self.node(node);
        let waits = this.memory.as_ref()?.next_to_claim() == Some(message);
        let idle = this.deliveries[usize::from(message)] == Delivery::None;
        (waits && idle).then(|| this.deliveries[usize::from(message)] = Delivery::Ready { old: false })
    }

    /// The owner's own clock says so before the store's does. A renewal of an earlier incarnation says nothing.
    fn lease_runs_out(&mut self) -> Option<()> {
        let token = self.store.primary.holder.as_ref()?.token;
        for node in &mut self.nodes {
            if let Some(held) = node.held.as_mut().filter(|held| held.token == token) {
                held.sure &= held.generation != self.store.generation;
            }
        }
        self.store.lease_is_over = true;
        Some(())
    }
}
