//! What readers and the writer share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use protocol::shard::ShardId;
use tokio::sync::Notify;

use super::disk::Disk;
use super::log_row::{Slot, group_of};
use super::tables::{Tables, damaged, failed};
use super::tail::{Place, Tail};
use crate::engine::earliest::Earliest;
use crate::engine::limits::QUEUED_MAX_BYTES;
use crate::engine::presence::Presence;
use crate::engine::slots::Bookings;
use crate::engine::{EngineError, EngineResult, LogEntry, Position};

/// Everything of an open store except the writer's own state.
pub(super) struct Shared {
    pub(super) tables: Tables,
    pub(super) shards: Vec<ShardView>,
    /// A group brought entries. Readers wait for many shards at once, so they share one bell.
    pub(super) appended: Notify,
    pub(super) fact_written: Notify,
    pub(super) gauges: Gauges,
    /// The nodes of this process: a folder is open in one at a time.
    pub(super) presence: Mutex<Presence>,
    /// In memory: what was sent before a restart is older than the second that counts.
    pub(super) bookings: Mutex<Bookings>,
    pub(super) disk: Disk,
    pub(super) backlog_max_bytes: u64,
    pub(super) closed: AtomicBool,
}

/// What readers see of one shard.
#[derive(Default)]
pub(super) struct ShardView {
    pub(super) tail: Mutex<Tail>,
    pub(super) earliest: Mutex<Earliest>,
}

/// Numbers that everybody may read.
#[derive(Default)]
pub(super) struct Gauges {
    pub(super) backlog_bytes: AtomicU64,
    pub(super) backlog_entries: AtomicU64,
    pub(super) timers_pending: AtomicU64,
    pub(super) last_fact: AtomicU64,
    pub(super) facts_trimmed: AtomicU64,
    pub(super) groups_written: AtomicU64,
    /// As of the last checkpoint: counting looks at every file.
    pub(super) stored_bytes: AtomicU64,
    /// Bytes of appends on their way to the writer.
    pub(super) queued_bytes: AtomicU64,
}

impl Shared {
    pub(super) fn shard(&self, shard: ShardId) -> EngineResult<&ShardView> {
        self.shards.get(usize::from(shard.0)).ok_or_else(|| EngineError::no_shard(shard))
    }

    pub(super) fn check_open(&self) -> EngineResult<()> {
        if self.closed.load(Ordering::Acquire) { Err(EngineError::Closed) } else { Ok(()) }
    }

    /// Why the writer does not take requests any more.
    pub(super) fn gone(&self) -> EngineError {
        match self.check_open() {
            Err(closed) => closed,
            Ok(()) => {
                EngineError::Failed("the writer stopped after a failed write; restart the process".into())
            }
        }
    }

    /// Wakes whoever waits, to be told that the store is closed.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.appended.notify_waiters();
        self.fact_written.notify_waiters();
    }

    /// Lets an append in, or says why not.
    pub(super) fn admit(self: &Arc<Self>, bytes: u64) -> EngineResult<Admission> {
        let waiting = self.gauges.backlog_bytes.load(Ordering::Relaxed);
        if waiting >= self.backlog_max_bytes {
            return Err(EngineError::Full(format!(
                "{waiting} bytes wait to be applied, {} may",
                self.backlog_max_bytes
            )));
        }
        if let Some(shortage) = self.disk.shortage() {
            return Err(EngineError::Full(shortage));
        }
        let admission = Admission { shared: self.clone(), bytes };
        let queued = self.gauges.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        if queued >= QUEUED_MAX_BYTES {
            return Err(EngineError::Full(format!(
                "{queued} bytes wait to be written, {QUEUED_MAX_BYTES} may"
            )));
        }
        Ok(admission)
    }

    /// The bytes of entries, from memory or from their log rows.
    pub(super) fn fetch(&self, places: Vec<(Position, Place)>) -> EngineResult<Vec<LogEntry>> {
        let mut row: Option<(u64, Bytes)> = None;
        let mut entries = Vec::with_capacity(places.len());
        for (position, place) in places {
            let bytes = match place {
                Place::Memory(bytes) => bytes,
                Place::Disk(slot) => {
                    let group = group_of(position);
                    if row.as_ref().is_none_or(|(held, _)| *held != group) {
                        row = self.log_row(group)?.map(|bytes| (group, bytes));
                    }
                    // No row: it was applied and trimmed meanwhile, so the caller is not the owner any more.
                    let Some((_, row)) = &row else { break };
                    cut(row, slot)?
                }
            };
            entries.push(LogEntry { position, bytes });
        }
        Ok(entries)
    }

    fn log_row(&self, group: u64) -> EngineResult<Option<Bytes>> {
        Ok(self.tables.log.get(group.to_be_bytes()).map_err(failed)?.map(Bytes::from_owner))
    }
}

fn cut(row: &Bytes, slot: Slot) -> EngineResult<Bytes> {
    let (start, end) = (slot.offset as usize, slot.offset as usize + slot.length as usize);
    if end > row.len() {
        return Err(damaged("log row"));
    }
    // Copied, so that one slow entry does not hold its whole row in memory.
    Ok(Bytes::copy_from_slice(&row[start..end]))
}

/// The right to queue some bytes; given back when it is dropped, however the request ends.
pub(super) struct Admission {
    shared: Arc<Shared>,
    bytes: u64,
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.shared.gauges.queued_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
