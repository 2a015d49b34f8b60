//! The store: one shard on a primary, its copy on a replica, and requests that are still on their way.

use crate::node::Cause;
use crate::protocol::Protocol;

/// An input and the message that it asks for.
pub(crate) type Message = u8;

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stage {
    Absent,
    Waiting,
    Claimed,
    /// Given up: nobody knows.
    Unknown,
    Sent,
}

/// The state of the shard's one conversation, as a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Snapshot {
    pub(crate) stages: Vec<Stage>,
    /// How often each input was applied.
    pub(crate) applied: Vec<u8>,
}

impl Snapshot {
    /// Messages of a conversation leave one at a time, in order.
    pub(crate) fn next_to_claim(&self) -> Option<Message> {
        let open = self.stages.iter().position(|stage| matches!(stage, Stage::Waiting | Stage::Claimed))?;
        (self.stages[open] == Stage::Waiting).then_some(open as Message)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Token {
    pub(crate) epoch: u8,
    /// Stands for a random number: it differs wherever the epoch could be issued twice, which is after a fail-over.
    pub(crate) nonce: u8,
}

impl Token {
    pub(crate) fn is(self, other: Self, protocol: &Protocol) -> bool {
        self.epoch == other.epoch && (self.nonce == other.nonce || !protocol.nonce)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Holder {
    pub(crate) node: u8,
    pub(crate) token: Token,
}

/// The data of one server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Data {
    pub(crate) log: Vec<Message>,
    pub(crate) position: u8,
    pub(crate) snapshot: Snapshot,
    /// The newest batches, newest first.
    pub(crate) batches: Vec<u8>,
    pub(crate) epoch: u8,
    pub(crate) holder: Option<Holder>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Commit {
    pub(crate) by: u8,
    pub(crate) token: Token,
    /// Of the store, when the lease was granted.
    pub(crate) generation: u8,
    pub(crate) batch: u8,
    pub(crate) expected: u8,
    pub(crate) new: u8,
    pub(crate) snapshot: Snapshot,
    /// The one input of the batch.
    pub(crate) cause: Cause,
}

/// A request whose sender does not wait for it any more.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Late {
    pub(crate) commit: Commit,
    /// Commits that were applied since.
    overtaken_by: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Applied,
    Already,
    Fenced,
    Position,
}

/// What must never happen, as seen where it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Broken {
    /// A commit of a node that does not own the shard was applied.
    ForeignWrite,
    /// A commit moved the position or a message back.
    MovedBack,
    /// A node that had lost its lease sent something.
    StraySend,
    /// Something was sent after people were told that it is given up.
    SentAfterGivenUp,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Store {
    pub(crate) primary: Data,
    pub(crate) replica: Data,
    /// Counts fail-overs.
    pub(crate) generation: u8,
    /// The lease on the primary ran out by the store's clock.
    pub(crate) lease_is_over: bool,
    pub(crate) late: Option<Late>,
    pub(crate) broken: Option<Broken>,
}

/// Batches that a shard remembers; eight in the code.
const BATCHES_KEPT: usize = 3;

impl Store {
    pub(crate) fn new(protocol: &Protocol) -> Self {
        let inputs = usize::from(protocol.inputs);
        let snapshot = Snapshot { stages: vec![Stage::Absent; inputs], applied: vec![0; inputs] };
        let data = Data { log: vec![], position: 0, snapshot, batches: vec![], epoch: 0, holder: None };
        Self {
            primary: data.clone(),
            replica: data,
            generation: 0,
            lease_is_over: false,
            late: None,
            broken: None,
        }
    }

    /// `WAIT`: what stands on the primary now survives a fail-over.
    pub(crate) fn replicate(&mut self) {
        self.replica = self.primary.clone();
    }

    /// The primary is gone, with the connections to it.
    pub(crate) fn fail_over(&mut self) {
        self.primary = self.replica.clone();
        self.generation += 1;
        self.lease_is_over = false;
        self.late = None;
    }

    /// `Engine::acquire`. The token before it tells the new owner whether somebody else owned the shard since.
    pub(crate) fn acquire(&mut self, node: u8) -> Option<(Token, Option<Token>)> {
        let held = self.primary.holder.as_ref();
        if held.is_some_and(|holder| holder.node != node && !self.lease_is_over) {
            return None;
        }
        let before = held.map(|holder| holder.token);
        self.primary.epoch += 1;
        let token = Token { epoch: self.primary.epoch, nonce: self.generation };
        self.primary.holder = Some(Holder { node, token });
        self.lease_is_over = false;
        // It would be fenced for ever.
        self.late = None;
        Some((token, before))
    }

    pub(crate) fn is_current(&self, token: Token, protocol: &Protocol) -> bool {
        self.primary.holder.as_ref().is_some_and(|holder| holder.token.is(token, protocol))
    }

    /// `Engine::commit_all`, on the primary alone. The checks come in the order of the contract.
    pub(crate) fn commit(&mut self, commit: &Commit, protocol: &Protocol) -> Answer {
        if !self.is_current(commit.token, protocol) {
            return Answer::Fenced;
        }
        if self.primary.batches.contains(&commit.batch) {
            return Answer::Already;
        }
        if self.primary.position != commit.expected && protocol.compares_position {
            return Answer::Position;
        }
        if self.primary.holder.as_ref().is_none_or(|holder| holder.node != commit.by) {
            self.broken = Some(Broken::ForeignWrite);
        }
        let mut stages = self.primary.snapshot.stages.iter().zip(&commit.snapshot.stages);
        let taken_back = matches!(commit.cause, Cause::Outcome(..));
        let back =
            |(before, after): (&Stage, &Stage)| after < before && !(taken_back && *before == Stage::Claimed);
        if commit.new < self.primary.position || stages.any(back) {
            self.broken = Some(Broken::MovedBack);
        }
        self.primary.position = commit.new;
        self.primary.snapshot = commit.snapshot.clone();
        if protocol.remembers_batches {
            self.primary.batches.insert(0, commit.batch);
            self.primary.batches.truncate(BATCHES_KEPT);
        }
        self.age_late(commit.batch);
        Answer::Applied
    }

    /// A request may be so late that the log was applied further: then its position tells. One that leaves the
    /// position is known only by its batch: it is assumed not to be later than batches are remembered.
    fn age_late(&mut self, batch: u8) {
        let Some(late) = self.late.as_mut().filter(|late| late.commit.batch != batch) else { return };
        late.overtaken_by = (late.overtaken_by + 1).min(BATCHES_KEPT as u8);
        let moves = late.commit.new != late.commit.expected;
        if !moves && usize::from(late.overtaken_by) >= BATCHES_KEPT {
            self.late = None;
        }
    }

    /// Nobody waits for this request any more, but it may arrive.
    pub(crate) fn delay(&mut self, commit: &Commit) {
        if self.late.is_none() {
            self.late = Some(Late { commit: commit.clone(), overtaken_by: 0 });
        }
    }

    pub(crate) fn deliver_late(&mut self, protocol: &Protocol) {
        let Some(late) = self.late.take() else { return };
        let position = self.primary.position;
        if self.commit(&late.commit, protocol) == Answer::Applied && !protocol.all_or_nothing {
            self.primary.position = position;
        }
    }
}
