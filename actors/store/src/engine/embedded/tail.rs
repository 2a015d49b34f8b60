//! The tail of a shard: entries that were appended and not yet applied, in memory.
//!
//! Their bytes are kept as long as all tails together stay within a bound; beyond it only their place in the
//! log row is known and the row is read again.

use std::collections::VecDeque;

use bytes::Bytes;

use super::log_row::Slot;
use crate::engine::Position;

/// Where the bytes of an entry are.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// Here.
    Memory(Bytes),
    /// In the log row.
    Disk(Slot),
}

impl Place {
    /// Bytes of the entry.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::Disk(slot) => slot.length as usize,
        }
    }

    /// Bytes of the entry that are held in memory.
    pub(super) fn resident(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::Disk(_) => 0,
        }
    }
}

/// Unapplied entries in the order of their positions.
#[derive(Debug, Default)]
pub(super) struct Tail {
    entries: VecDeque<(Position, Place)>,
}

impl Tail {
    pub(super) fn push(&mut self, position: Position, place: Place) {
        self.entries.push_back((position, place));
    }

    /// At most `limit` entries after a position.
    pub(super) fn after(&self, after: Position, limit: usize) -> Vec<(Position, Place)> {
        let first = self.entries.partition_point(|(position, _)| *position <= after);
        self.entries.range(first..).take(limit).cloned().collect()
    }

    /// Forgets entries up to and including a position, oldest first.
    pub(super) fn pop_through(&mut self, through: Position) -> Option<(Position, Place)> {
        if self.entries.front()?.0 > through {
            return None;
        }
        let popped = self.entries.pop_front();
        if self.entries.is_empty() && self.entries.capacity() > KEPT_CAPACITY {
            // A backlog that was worked off must not hold its index for ever.
            self.entries = VecDeque::new();
        }
        popped
    }
}

/// Room for this many entries is kept when a tail runs empty: a busy shard's usual batch.
const KEPT_CAPACITY: usize = 256;
