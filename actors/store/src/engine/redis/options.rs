//! What the owner of a store chooses.

use std::sync::Arc;
use std::time::Duration;

use protocol::shard::ShardCount;

use crate::engine::Clock;
use crate::engine::embedded::Durability;
use crate::engine::limits::REDIS_SHARDS;

/// How to open a store in Redis or Valkey.
#[derive(Clone)]
pub struct RedisOptions {
    /// `redis://` addresses, or `rediss://` for TLS. Of several, a server that is not in a cluster is found by its role: the master of
    /// them serves. In a cluster they are where to ask for the others.
    pub urls: Vec<String>,
    /// First part of every key, so that several stores may share a server.
    pub name: String,
    /// Number of shards; must be the one that the store was created with.
    pub shards: ShardCount,
    /// When an answer is given.
    pub durability: Durability,
    /// So many replicas must have a write before it is answered.
    pub replicas: u8,
    /// How long an answer may take. Later it is unknown.
    pub answer_timeout: Duration,
    /// Appends are refused above this share of `maxmemory`.
    pub memory_high_percent: u8,
    /// Tests hand in the time; otherwise it is the server's.
    pub clock: Option<Arc<dyn Clock>>,
}

impl RedisOptions {
    /// The defaults, on one server.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            urls: vec![url.into()],
            name: "gw".into(),
            shards: ShardCount::new(REDIS_SHARDS).unwrap_or_default(),
            durability: Durability::default(),
            replicas: 0,
            answer_timeout: Duration::from_secs(3),
            memory_high_percent: 85,
            clock: None,
        }
    }
}
