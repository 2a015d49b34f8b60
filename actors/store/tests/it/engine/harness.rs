//! What the suites share: a store that can be opened again, and short ways to say things.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use protocol::id::ConversationId;
use protocol::outbound::OpaqueKey;
use protocol::shard::{HASH_VERSION, ShardCount, ShardId};
use protocol::time::{SpanMs, TimestampMs};
use store::engine::{
    Clock, Commit, ConversationWrite, Durability, EmbeddedEngine, EmbeddedOptions, Engine, EngineError,
    EngineResult, FactLane, Lease, LoadRequest, LogEntry, ManualClock, MemoryEngine, Position, RedisEngine,
    RedisOptions, StoreIdentity, Stored,
};
use tempfile::TempDir;

use super::server::{RedisCluster, RedisServer};

pub(super) const START: TimestampMs = TimestampMs(1_790_000_000_000);
pub(super) const SHARDS: u16 = 4;
pub(super) const A: ShardId = ShardId(0);
pub(super) const B: ShardId = ShardId(1);
pub(super) const LEASE: SpanMs = SpanMs::seconds(10);

/// An engine under test, its clock, and where it keeps things.
pub(super) struct Store {
    engine: Option<Arc<dyn Engine>>,
    /// The same engine, if it is one on a server.
    redis: Option<Arc<RedisEngine>>,
    pub(super) clock: ManualClock,
    place: Place,
}

enum Place {
    Memory,
    Folder(TempDir, Durability),
    Server(RedisServer),
    Cluster(Arc<RedisCluster>, &'static str),
}

impl Store {
    pub(super) async fn memory() -> Self {
        let clock = ManualClock::at(START);
        let identity = StoreIdentity {
            shards: ShardCount::new(SHARDS).unwrap(),
            hash_version: HASH_VERSION,
            opaque_key: OpaqueKey([7; 32]),
        };
        let engine = MemoryEngine::new(identity, Arc::new(clock.clone()));
        Self { engine: Some(Arc::new(engine)), redis: None, clock, place: Place::Memory }
    }

    pub(super) async fn embedded() -> Self {
        Self::embedded_with(Durability::Fsync).await
    }

    pub(super) async fn embedded_with(durability: Durability) -> Self {
        Self::opened(Place::Folder(tempfile::tempdir().unwrap(), durability)).await
    }

    /// A server of its own, in the default configuration of the tests.
    pub(super) async fn redis() -> Self {
        Self::opened(Place::Server(RedisServer::start(&[]))).await
    }

    /// Starting a cluster takes seconds: several checks share one, each with a store of its own.
    pub(super) async fn on_cluster(cluster: &Arc<RedisCluster>, name: &'static str) -> Self {
        Self::opened(Place::Cluster(cluster.clone(), name)).await
    }

    async fn opened(place: Place) -> Self {
        let mut store = Self { engine: None, redis: None, clock: ManualClock::at(START), place };
        store.reopen().await;
        store
    }

    /// As after a crash: dropped without `close`, opened again. The model stands for a store elsewhere: it stays.
    pub(super) async fn reopen(&mut self) {
        match &self.place {
            Place::Memory => {}
            Place::Folder(folder, durability) => {
                self.engine = None;
                let options = EmbeddedOptions { durability: *durability, ..options(folder) };
                let engine = EmbeddedEngine::open(&options, Arc::new(self.clock.clone())).unwrap();
                self.engine = Some(Arc::new(engine));
            }
            Place::Server(server) => self.connect(server.options()).await,
            Place::Cluster(cluster, name) => self.connect(cluster.options(name)).await,
        }
    }

    async fn connect(&mut self, options: RedisOptions) {
        self.engine = None;
        self.redis = None;
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let options = RedisOptions { clock: Some(clock), ..options };
        let engine = Arc::new(RedisEngine::open(options).await.unwrap());
        self.engine = Some(engine.clone());
        self.redis = Some(engine);
    }

    /// The unapplied entries of a shard that may have none. Waiting for a server ends when it has answered what
    /// was asked behind the read on the same connection.
    pub(super) async fn unread(&self, shard: ShardId, mut after: Position) -> Vec<LogEntry> {
        let mut entries: Vec<LogEntry> = vec![];
        while let Some(read) = self.read_or_nothing(shard, after).await {
            after = read.last().unwrap().position;
            entries.extend(read);
        }
        entries
    }

    async fn read_or_nothing(&self, shard: ShardId, after: Position) -> Option<Vec<LogEntry>> {
        let mut reading = self.read(shard, after, usize::MAX);
        let read = match &self.redis {
            None => (&mut reading).now_or_never(),
            Some(redis) => tokio::select! {
                biased;
                read = &mut reading => Some(read),
                refreshed = redis.refresh() => {
                    refreshed.unwrap();
                    (&mut reading).now_or_never()
                }
            },
        };
        read.map(Result::unwrap)
    }

    /// Every lane that the shards of the tests have.
    pub(super) fn fact_lanes(&self) -> Vec<FactLane> {
        let mut lanes: Vec<_> = (0..SHARDS).map(|shard| self.fact_lane(ShardId(shard))).collect();
        lanes.sort_unstable();
        lanes.dedup();
        lanes
    }

    /// A lease that nobody else holds; leases of before a restart are waited out.
    pub(super) async fn lease(&self, shard: ShardId) -> Lease {
        self.acquire(shard, 1, LEASE).await.unwrap().unwrap()
    }

    /// The unapplied log of a shard.
    pub(super) async fn log(&self, shard: ShardId) -> Vec<LogEntry> {
        self.unread(shard, Position(0)).await
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
                super::$check(crate::engine::harness::Store::memory().await).await;
            })*
        }
        mod embedded {
            $(#[tokio::test]
            async fn $check() {
                super::$check(crate::engine::harness::Store::embedded().await).await;
            })*
        }
        mod redis {
            $(#[tokio::test]
            async fn $check() {
                super::$check(crate::engine::harness::Store::redis().await).await;
            })*
        }
        mod cluster {
            #[tokio::test]
            async fn every_check() {
                let cluster = std::sync::Arc::new(crate::engine::server::RedisCluster::start());
                $(
                    let store = crate::engine::harness::Store::on_cluster(&cluster, stringify!($check)).await;
                    super::$check(store).await;
                )*
            }
        }
    };
}
pub(super) use for_every_engine;
