//! What the calls and the background tasks of one open store share.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use protocol::shard::ShardId;
use protocol::time::TimestampMs;
use tokio::sync::Notify;

use super::calls::Guarantee;
use super::keys::Keys;
use super::options::RedisOptions;
use super::tail::Tail;
use super::topology::Topology;
use crate::engine::earliest::Earliest;
use crate::engine::{EngineError, EngineResult, EngineStats, FactPosition, StoreIdentity, Token};

/// Everything of an open store.
pub(super) struct Shared {
    pub(super) identity: StoreIdentity,
    pub(super) topology: Topology,
    pub(super) options: RedisOptions,
    pub(super) guarantee: Guarantee,
    pub(super) shards: Vec<ShardView>,
    /// Something came into a log, or the store was closed.
    pub(super) news: Notify,
    /// This process committed facts.
    pub(super) facts_committed: Notify,
    pub(super) gauges: Gauges,
    pub(super) clock: StoreClock,
    /// Names this process where nodes tell each other of news.
    pub(super) instance: String,
    /// Nobody else listens: appends need not be told.
    pub(super) alone: AtomicBool,
    /// Of each lane, how far facts were trimmed.
    pub(super) facts_trimmed: Vec<AtomicU64>,
    pub(super) closed: AtomicBool,
    pub(super) closing: Notify,
}

/// What this process knows of one shard.
#[derive(Default)]
pub(super) struct ShardView {
    pub(super) tail: Mutex<Tail>,
    /// Trusted only while the shard is leased here: nobody else moves its timers then.
    pub(super) earliest: Mutex<Earliest>,
    pub(super) lease: Mutex<Option<Held>>,
    /// The newest batch of the lease that this process knows to be committed.
    pub(super) newest_batch: Mutex<Option<u128>>,
    /// The generation in which the numbers below were last learnt from the store.
    pub(super) counted_in: AtomicU64,
    last: AtomicU64,
    applied: AtomicU64,
    timers: AtomicU64,
}

/// A lease of this process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) token: Token,
    /// Of the lane, when it was granted. In a later one it may never have been granted.
    pub(super) generation: u64,
}

/// Numbers that everybody may read.
#[derive(Default)]
pub(super) struct Gauges {
    /// Bytes of appends on their way.
    pub(super) queued_bytes: AtomicU64,
    pub(super) appended_bytes: AtomicU64,
    pub(super) appended_entries: AtomicU64,
    pub(super) stored_bytes: AtomicU64,
    pub(super) groups_written: AtomicU64,
    /// Set while memory is above the mark.
    pub(super) memory: Mutex<Option<String>>,
}

impl ShardView {
    pub(super) fn count(&self, last: u64, applied: Option<u64>, timers: Option<u64>) {
        self.last.fetch_max(last, Ordering::Relaxed);
        if let Some(applied) = applied {
            self.applied.fetch_max(applied, Ordering::Relaxed);
        }
        if let Some(timers) = timers {
            self.timers.store(timers, Ordering::Relaxed);
        }
    }

    /// As the store says it, which may be less than before after a fail-over.
    pub(super) fn recount(&self, last: u64, applied: u64, timers: u64) {
        self.last.store(last, Ordering::Relaxed);
        self.applied.store(applied, Ordering::Relaxed);
        self.timers.store(timers, Ordering::Relaxed);
    }

    /// Entries that are not applied.
    pub(super) fn waiting(&self) -> u64 {
        self.last.load(Ordering::Relaxed).saturating_sub(self.applied())
    }

    /// Entries up to here are applied; some of them may still be there, packed with later ones.
    pub(super) fn applied(&self) -> u64 {
        self.applied.load(Ordering::Relaxed)
    }

    pub(super) fn is_held(&self) -> bool {
        self.lease.lock().is_some()
    }

    pub(super) fn lose(&self) {
        *self.lease.lock() = None;
        *self.newest_batch.lock() = None;
        *self.tail.lock() = Tail::default();
        *self.earliest.lock() = Earliest::default();
    }
}

impl Shared {
    pub(super) fn keys(&self) -> &Keys {
        &self.topology.keys
    }

    pub(super) fn shard(&self, shard: ShardId) -> EngineResult<&ShardView> {
        self.shards.get(usize::from(shard.0)).ok_or_else(|| EngineError::no_shard(shard))
    }

    pub(super) fn generation(&self, shard: ShardId) -> u64 {
        self.topology.generations.of(self.keys().lane(shard))
    }

    pub(super) fn check_open(&self) -> EngineResult<()> {
        if self.closed.load(Ordering::Acquire) { Err(EngineError::Closed) } else { Ok(()) }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.news.notify_waiters();
        self.closing.notify_waiters();
    }

    /// The time that functions on the server shall use: their own, unless it was handed in.
    pub(super) fn handed_in_clock(&self) -> String {
        self.options.clock.as_ref().map(|clock| clock.now().0.to_string()).unwrap_or_default()
    }

    pub(super) fn now(&self) -> TimestampMs {
        self.options.clock.as_ref().map_or_else(|| self.clock.now(), |clock| clock.now())
    }

    /// Where news are told, or nowhere.
    pub(super) fn channel(&self) -> Vec<u8> {
        if self.alone.load(Ordering::Relaxed) { vec![] } else { self.keys().channel() }
    }

    /// The log of a shard reaches to `last`.
    pub(super) fn heard(&self, shard: ShardId, last: u64) {
        let Ok(view) = self.shard(shard) else { return };
        view.count(last, None, None);
        if view.tail.lock().heard(self.generation(shard), last) {
            self.news.notify_waiters();
        }
    }

    pub(super) fn facts_trimmed(&self, lane: usize) -> FactPosition {
        FactPosition(self.facts_trimmed[lane].load(Ordering::Acquire))
    }

    /// Bytes of the backlog are not known of entries that others appended: taken as large as the average here.
    pub(super) fn stats(&self) -> EngineStats {
        let sum = |gauge: fn(&ShardView) -> u64| self.shards.iter().map(gauge).sum::<u64>();
        let gauges = &self.gauges;
        let backlog_entries = sum(ShardView::waiting);
        let appended = gauges.appended_entries.load(Ordering::Relaxed).max(1);
        EngineStats {
            backlog_bytes: gauges.appended_bytes.load(Ordering::Relaxed) * backlog_entries / appended,
            backlog_entries,
            timers_pending: sum(|view| view.timers.load(Ordering::Relaxed)),
            stored_bytes: gauges.stored_bytes.load(Ordering::Relaxed),
            groups_written: gauges.groups_written.load(Ordering::Relaxed),
        }
    }
}

/// The server's clock without asking each time: compared with the monotone clock of this machine now and then.
pub(super) struct StoreClock {
    begun: Instant,
    /// The server's time when `begun` was.
    offset_ms: AtomicI64,
    latest_ms: AtomicI64,
}

impl StoreClock {
    pub(super) fn new() -> Self {
        Self { begun: Instant::now(), offset_ms: AtomicI64::new(0), latest_ms: AtomicI64::new(0) }
    }

    /// The server said what time it is, half the round trip ago.
    pub(super) fn compare(&self, server: TimestampMs, round_trip: Duration) {
        let elapsed = self.begun.elapsed().saturating_sub(round_trip / 2);
        self.offset_ms.store(server.0 - elapsed.as_millis() as i64, Ordering::Relaxed);
    }

    /// Never goes back.
    fn now(&self) -> TimestampMs {
        let now = self.offset_ms.load(Ordering::Relaxed) + self.begun.elapsed().as_millis() as i64;
        TimestampMs(self.latest_ms.fetch_max(now, Ordering::Relaxed).max(now))
    }
}
