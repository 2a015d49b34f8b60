//! What the suites share: a store that can be opened again, and short ways to say things.

use std::sync::Arc;

use bytes::Bytes;
use protocol::id::ConversationId;
use protocol::outbound::OpaqueKey;
use protocol::shard::{HASH_VERSION, ShardCount, ShardId};
use protocol::time::{SpanMs, TimestampMs};
use store::engine::{
    Commit, ConversationWrite, Durability, EmbeddedEngine, EmbeddedOptions, Engine, EngineError,
    EngineResult, Lease, LoadRequest, LogEntry, ManualClock, MemoryEngine, Position, StoreIdentity, Stored,
};
use tempfile::TempDir;

pub(super) const START: TimestampMs = TimestampMs(1_790_000_000_000);
pub(super) const SHARDS: u16 = 4;
pub(super) const A: ShardId = ShardId(0);
pub(super) const B: ShardId = ShardId(1);
pub(super) const LEASE: SpanMs = SpanMs::seconds(10);

/// An engine under test, its clock, and its folder if it has one.
pub(super) struct Store {
    engine: Option<Arc<dyn Engine>>,
    pub(super) clock: ManualClock,
    folder: Option<TempDir>,
    durability: Durability,
}

impl Store {
    pub(super) fn memory() -> Self {
        let clock = ManualClock::at(START);
        let identity = StoreIdentity {
            shards: ShardCount::new(SHARDS).unwrap(),
            hash_version: HASH_VERSION,
            opaque_key: OpaqueKey([7; 32]),
        };
        let engine = MemoryEngine::new(identity, Arc::new(clock.clone()));
        Self { engine: Some(Arc::new(engine)), clock, folder: None, durability: Durability::Fsync }
    }

    pub(super) fn embedded() -> Self {
        Self::embedded_with(Durability::Fsync)
    }

    pub(super) fn embedded_with(durability: Durability) -> Self {
        let folder = Some(tempfile::tempdir().unwrap());
        let mut store = Self { engine: None, clock: ManualClock::at(START), folder, durability };
        store.reopen();
        store
    }

    /// As after a crash: dropped without `close`, opened again. The model stands for a store elsewhere: it stays.
    pub(super) fn reopen(&mut self) {
        let Some(folder) = &self.folder else { return };
        self.engine = None;
        let options = EmbeddedOptions { durability: self.durability, ..options(folder) };
        self.engine = Some(Arc::new(EmbeddedEngine::open(&options, Arc::new(self.clock.clone())).unwrap()));
    }

    /// A lease that nobody else holds; leases of before a restart are waited out.
    pub(super) async fn lease(&self, shard: ShardId) -> Lease {
        self.acquire(shard, 1, LEASE).await.unwrap().unwrap()
    }

    /// The unapplied log of a shard. Only for logs that are not empty: reading waits.
    pub(super) async fn log(&self, shard: ShardId) -> Vec<LogEntry> {
        self.read(shard, Position(0), usize::MAX).await.unwrap()
    }

    pub(super) async fn stored(&self, shard: ShardId, id: ConversationId) -> Option<Stored> {
        let request = LoadRequest { conversations: vec![id], ..LoadRequest::default() };
        self.load(shard, request).await.unwrap().conversations.remove(0)
    }
}

impl std::ops::Deref for Store {
    type Target = dyn Engine;

    fn deref(&self) -> &Self::Target {
        self.engine.as_deref().unwrap()
    }
}

pub(super) fn options(folder: &TempDir) -> EmbeddedOptions {
    let shards = ShardCount::new(SHARDS).unwrap();
    EmbeddedOptions { shards, disk_free_min_bytes: 0, ..EmbeddedOptions::new(folder.path()) }
}

pub(super) fn text(text: impl Into<String>) -> Bytes {
    Bytes::from(text.into())
}

pub(super) fn at(offset_ms: i64) -> TimestampMs {
    START + SpanMs(offset_ms)
}

pub(super) fn texts(entries: &[LogEntry]) -> Vec<&str> {
    entries.iter().map(|entry| std::str::from_utf8(&entry.bytes).unwrap()).collect()
}

/// A batch that changes nothing yet.
pub(super) fn batch(lease: &Lease, batch_id: u128) -> Commit {
    Commit {
        shard: lease.shard,
        token: lease.token,
        batch_id,
        expected_position: lease.position,
        new_position: lease.position,
        now: START,
        conversations: vec![],
        facts: vec![],
        results: vec![],
        seen: vec![],
        aliases: vec![],
        forwards: vec![],
        dead_letters: vec![],
    }
}

pub(super) fn write(
    id: u128,
    snapshot: &str,
    timer_before: Option<TimestampMs>,
    timer_after: Option<TimestampMs>,
) -> ConversationWrite {
    ConversationWrite {
        conversation: ConversationId(id),
        snapshot: text(snapshot),
        timer_before,
        timer_after,
    }
}

/// The name of a result, for comparing engines whose errors carry different words.
pub(super) fn outcome<T: std::fmt::Debug>(result: &EngineResult<T>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(EngineError::Fenced) => "fenced".into(),
        Err(EngineError::Position) => "position".into(),
        Err(EngineError::Full(_)) => "full".into(),
        Err(EngineError::Closed) => "closed".into(),
        Err(error) => format!("unexpected: {error}"),
    }
}

/// Runs each check against every engine.
macro_rules! for_every_engine {
    ($($check:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $check() {
                super::$check(crate::engine::harness::Store::memory()).await;
            })*
        }
        mod embedded {
            $(#[tokio::test]
            async fn $check() {
                super::$check(crate::engine::harness::Store::embedded()).await;
            })*
        }
    };
}
pub(super) use for_every_engine;
