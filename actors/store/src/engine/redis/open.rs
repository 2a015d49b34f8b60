//! Opening a store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use parking_lot::Mutex;
use protocol::shard::ShardId;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::append::Appender;
use super::calls::Guarantee;
use super::inspect::Inspection;
use super::shared::{Gauges, ShardView, Shared, StoreClock};
use super::topology::Topology;
use super::{RedisEngine, RedisOptions, facts, identity, watch};
use crate::engine::EngineResult;
use crate::engine::embedded::Durability;

impl RedisEngine {
    /// Connects, checks that the server keeps our promises, creates the store if there is none.
    ///
    /// # Errors
    /// [`Incompatible`](crate::engine::EngineError::Incompatible) with the cure if the server is too old, would
    /// evict or lose data, or holds a store with another number of shards; `Failed` if it cannot be reached.
    pub async fn open(options: RedisOptions) -> EngineResult<Self> {
        let (topology, inspection) = Topology::open(&options).await?;
        let identity = identity::settle(&topology, &options).await?;
        let guarantee = Guarantee {
            replicas: options.replicas,
            wait_aof: options.durability == Durability::Fsync && inspection.has_waitaof(),
            timeout: options.answer_timeout / 2,
        };
        let description = describe(&options, &inspection, &guarantee);
        tracing::info!("{description}");
        let lanes = topology.keys.lanes();
        let shared = Arc::new(Shared {
            shards: options.shards.all().map(|_| Default::default()).collect(),
            identity,
            topology,
            guarantee,
            news: Notify::new(),
            facts_committed: Notify::new(),
            gauges: Gauges::default(),
            clock: StoreClock::new(),
            instance: format!("{:016x}", rand::random::<u64>()),
            alone: AtomicBool::new(false),
            facts_trimmed: (0..lanes).map(|_| AtomicU64::new(0)).collect(),
            closed: AtomicBool::new(false),
            closing: Notify::new(),
            options,
        });
        watch::look(&shared).await?;
        facts::recall(&shared).await?;
        let (mut writers, mut watchers) = (JoinSet::new(), JoinSet::new());
        let appender = Appender::start(&shared, &mut writers);
        watchers.spawn(watch::watch(shared.clone()));
        watchers.spawn(watch::listen(shared.clone()));
        Ok(Self {
            shared,
            appender: Mutex::new(Some(Arc::new(appender))),
            writers: tokio::sync::Mutex::new(writers),
            _watchers: watchers,
            description,
        })
    }

    /// The server, and what an answer promises, in one line.
    #[must_use]
    pub fn describe(&self) -> &str {
        &self.description
    }

    /// Entries of one shard that wait to be applied, as far as this node knows.
    #[must_use]
    pub fn waiting(&self, shard: ShardId) -> u64 {
        self.shared.shard(shard).map_or(0, ShardView::waiting)
    }

    /// Asks the server for the numbers of [`stats`](crate::engine::Engine::stats) now instead of with the next look.
    ///
    /// # Errors
    /// If the server does not answer.
    pub async fn refresh(&self) -> EngineResult<()> {
        watch::look(&self.shared).await
    }
}

fn describe(options: &RedisOptions, inspection: &Inspection, guarantee: &Guarantee) -> String {
    let disk = match (options.durability, guarantee.wait_aof) {
        (Durability::Fsync, true) => "answers wait for the disk (WAITAOF)",
        (Durability::Fsync, false) => "answers wait for the disk (appendfsync always)",
        (Durability::EverySecond, _) => "about a second is lost if the host of Redis dies (everysec)",
    };
    let replicas = match options.replicas {
        0 => "a fail-over may lose what its replica had not received".to_owned(),
        count => format!("and for {count} replicas"),
    };
    format!("store `{}` in {}: {disk}; {replicas}", options.name, inspection.describe())
}
