//! A node: what one process holds of the shard, and what it has promised itself to do.

use crate::protocol::Protocol;
use crate::store::{Commit, Message, Snapshot, Stage, Token};

/// An input of a batch. The code gathers many; one at a time is every way of splitting them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cause {
    /// An entry of the log.
    Entry(Message),
    Claim(Message),
    /// How a POST ended.
    Outcome(Message, Ended),
    /// The deadline of a claim.
    GiveUp(Message),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Ended {
    Accepted,
    /// Provably never sent.
    NotSent,
}

/// The way of one message through the node's outbound queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Delivery {
    None,
    /// Claimed, waiting for its slot.
    Ready {
        /// Waiting for so long that the claim may have been given up.
        old: bool,
    },
    /// The outcome waits for the shard.
    Ended(Ended),
}

/// A lease as its node knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Held {
    pub(crate) token: Token,
    /// Of the store that granted it.
    pub(crate) generation: u8,
    /// By the node's own clock it has not run out.
    pub(crate) sure: bool,
}

/// What a lost batch leaves behind, and the token that it was sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Left {
    pub(crate) token: Token,
    pub(crate) message: Message,
    pub(crate) ended: Ended,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(crate) held: Option<Held>,
    pub(crate) position: u8,
    /// As committed, or as the batch in doubt would make it.
    pub(crate) memory: Option<Snapshot>,
    /// Read and not applied.
    pub(crate) unread: Option<Message>,
    /// Sent, and not answered.
    pub(crate) in_doubt: Option<Commit>,
    pub(crate) left: Option<Left>,
    pub(crate) deliveries: Vec<Delivery>,
}

impl Node {
    pub(crate) fn new(inputs: u8) -> Self {
        Self {
            held: None,
            position: 0,
            memory: None,
            unread: None,
            in_doubt: None,
            left: None,
            deliveries: vec![Delivery::None; usize::from(inputs)],
        }
    }

    /// `Shard::give_up`: everything in memory may be wrong. What was claimed is still on its way to its POST.
    pub(crate) fn give_up(&mut self) {
        self.held = None;
        self.position = 0;
        self.memory = None;
        self.unread = None;
        self.in_doubt = None;
    }

    /// `Shard::lose`: takes note of what a batch that was perhaps committed would have done.
    pub(crate) fn lose(&mut self, lost: &Commit) {
        let left = |message, ended| Some(Left { token: lost.token, message, ended });
        self.left = match lost.cause {
            // Its POST was called off.
            Cause::Claim(message) => left(message, Ended::NotSent),
            Cause::Outcome(message, ended) => left(message, ended),
            Cause::Entry(_) | Cause::GiveUp(_) => None,
        };
        self.give_up();
    }

    /// `Leavings::after_a_rival`: somebody else may have claimed the same message since.
    pub(crate) fn mind_rival(&mut self, rival: bool) {
        self.left = self.left.filter(|left| !rival || left.ended == Ended::Accepted);
    }
}

/// The pure step: what an input makes of a state. `None`: nothing.
pub(crate) fn apply(before: &Snapshot, cause: Cause, protocol: &Protocol) -> Option<Snapshot> {
    let mut after = before.clone();
    let (Cause::Entry(message) | Cause::Claim(message) | Cause::Outcome(message, _) | Cause::GiveUp(message)) =
        cause;
    let stage = &mut after.stages[usize::from(message)];
    *stage = match (cause, *stage) {
        (Cause::Entry(_), Stage::Absent) => Stage::Waiting,
        (Cause::Entry(_), stage) => stage,
        (Cause::Claim(_), Stage::Waiting) => Stage::Claimed,
        (Cause::Outcome(_, Ended::Accepted), Stage::Claimed | Stage::Unknown) => Stage::Sent,
        (Cause::Outcome(_, Ended::Accepted), Stage::Waiting) if !protocol.claims => Stage::Sent,
        (Cause::Outcome(_, Ended::NotSent), Stage::Claimed) => Stage::Waiting,
        (Cause::GiveUp(_), Stage::Claimed) => Stage::Unknown,
        _ => return None,
    };
    if matches!(cause, Cause::Entry(_)) {
        after.applied[usize::from(message)] += 1;
    }
    Some(after)
}
