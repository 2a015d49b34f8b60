//! The checkpoint: all heads in one row, so that log rows can be removed.
//!
//! A log row carries what its group committed, and the heads follow from all rows. When rows are removed, the
//! checkpoint that stands for them is written in the same batch.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::head::Head;
use super::tables::{Tables, failed};
use crate::engine::{EngineResult, Position};

pub(super) const CHECKPOINT_KEY: &str = "checkpoint";

/// Everything that follows from the log rows up to `through`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    /// The last group that is contained.
    pub(super) through: u64,
    /// The oldest log row that still holds unapplied entries, or the next one.
    pub(super) oldest: u64,
    pub(super) heads: Vec<Head>,
    pub(super) counters: Counters,
}

/// Numbers of the whole store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counters {
    pub(super) last_fact: u64,
    /// Facts up to here are forgotten.
    pub(super) facts_trimmed: u64,
    /// The first fact of the newest row that was removed.
    pub(super) facts_removed: u64,
    pub(super) last_letter: u64,
    pub(super) timers: i64,
}

impl Checkpoint {
    /// The stored one, or the beginning of a store.
    pub(super) fn load(tables: &Tables, shards: usize) -> EngineResult<Self> {
        match tables.meta.get(CHECKPOINT_KEY).map_err(failed)? {
            Some(row) => postcard::from_bytes(&row).map_err(failed),
            None => Ok(Self { heads: vec![Head::default(); shards], ..Self::default() }),
        }
    }
}

/// Which log rows are still needed.
#[derive(Debug, Default)]
pub(super) struct LiveRows {
    /// Unapplied entries per group.
    live: BTreeMap<u64, u32>,
    removable: Vec<u64>,
    /// Bytes of all entries in removable rows.
    removable_bytes: usize,
}

impl LiveRows {
    /// A row was written.
    pub(super) fn add(&mut self, group: u64, entries: usize) {
        if entries == 0 {
            self.removable.push(group);
        } else {
            self.live.insert(group, entries as u32);
        }
    }

    /// One entry was applied.
    pub(super) fn applied(&mut self, position: Position, bytes: usize) {
        let group = super::log_row::group_of(position);
        self.removable_bytes += bytes;
        if let Some(entries) = self.live.get_mut(&group) {
            *entries -= 1;
            if *entries == 0 {
                self.live.remove(&group);
                self.removable.push(group);
            }
        }
    }

    /// Is it time to remove rows?
    pub(super) fn is_due(&self) -> bool {
        use crate::engine::limits::{CHECKPOINT_BYTES, CHECKPOINT_GROUPS};
        self.removable.len() >= CHECKPOINT_GROUPS
            || self.removable_bytes >= CHECKPOINT_BYTES && !self.removable.is_empty()
    }

    /// The oldest row that is needed, if any is.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.live.first_key_value().map(|(&group, _)| group)
    }

    /// Rows that nobody needs.
    pub(super) fn take_removable(&mut self) -> Vec<u64> {
        self.removable_bytes = 0;
        std::mem::take(&mut self.removable)
    }
}
