//! What a server says of itself, and whether a store may live on it.

use std::collections::HashMap;

use redis::aio::ConnectionLike;
use redis::{RedisError, Value};

use super::options::RedisOptions;
use crate::engine::embedded::Durability;
use crate::engine::{EngineError, EngineResult};

/// Functions, `MINID`, and options of `PEXPIRE` came with it.
const OLDEST: (u32, u32) = (7, 0);
/// `WAITAOF` came with it.
const WAITAOF: (u32, u32) = (7, 2);

/// The answer to `INFO`.
pub(super) struct Inspection(HashMap<String, String>);

impl Inspection {
    pub(super) async fn of(server: &mut (impl ConnectionLike + Send)) -> Result<Self, RedisError> {
        let text: String = redis::cmd("INFO").query_async(server).await?;
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        Ok(Self(lines.map(|(key, value)| (key.to_owned(), value.trim().to_owned())).collect()))
    }

    fn get(&self, key: &str) -> &str {
        self.0.get(key).map_or("", String::as_str)
    }

    pub(super) fn number(&self, key: &str) -> u64 {
        self.get(key).parse().unwrap_or(0)
    }

    /// Differs after a restart and after a fail-over: what was read before may never have happened.
    pub(super) fn incarnation(&self) -> String {
        format!("{}/{}", self.get("run_id"), self.get("master_replid"))
    }

    pub(super) fn is_master(&self) -> bool {
        self.get("role") == "master"
    }

    pub(super) fn in_cluster(&self) -> bool {
        self.get("cluster_enabled") == "1"
    }

    fn version(&self) -> (u32, u32) {
        let mut parts = self.get("redis_version").split('.').map(|part| part.parse().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    }

    pub(super) fn has_waitaof(&self) -> bool {
        self.version() >= WAITAOF && self.get("aof_enabled") == "1"
    }

    /// One line for people.
    pub(super) fn describe(&self) -> String {
        let name = if self.get("valkey_version").is_empty() { "Redis" } else { "Valkey" };
        let version = if name == "Redis" { self.get("redis_version") } else { self.get("valkey_version") };
        let kind = if self.in_cluster() { "cluster" } else { "single server" };
        let memory = match self.number("maxmemory") {
            0 => "without maxmemory".to_owned(),
            bytes => format!("maxmemory {} MB", bytes / 1_000_000),
        };
        format!("{name} {version}, {kind}, {} replicas, {memory}", self.get("connected_slaves"))
    }

    /// Refuses servers that would break a promise, each with its cure.
    pub(super) fn check(&self, options: &RedisOptions, appendfsync: Option<&str>) -> EngineResult<()> {
        let refuse = |message: String| Err(EngineError::Incompatible(message));
        let (major, minor) = self.version();
        if (major, minor) < OLDEST {
            return refuse(format!(
                "the Redis server has version {major}.{minor}: 7.0 or later is needed (or any Valkey)"
            ));
        }
        let policy = self.get("maxmemory_policy");
        if policy != "noeviction" {
            return refuse(format!(
                "the Redis server would throw conversations away: maxmemory-policy is {policy}; set it to noeviction"
            ));
        }
        if self.get("aof_enabled") != "1" {
            return refuse(
                "the Redis server would lose everything since its last snapshot: set appendonly to yes"
                    .into(),
            );
        }
        if options.durability == Durability::Fsync && !self.has_waitaof() && appendfsync != Some("always") {
            return refuse(format!(
                "durability `fsync` needs appendfsync always (it is {}) or a server with WAITAOF (7.2); \
                 set one of them, or durability to `everysec`",
                appendfsync.unwrap_or("not readable: CONFIG is forbidden")
            ));
        }
        let replicas = self.number("connected_slaves");
        if replicas < u64::from(options.replicas) {
            return refuse(format!(
                "every write shall wait for {} replicas, the server has {replicas}",
                options.replicas
            ));
        }
        Ok(())
    }
}

/// `None` where `CONFIG` is forbidden.
pub(super) async fn appendfsync(server: &mut (impl ConnectionLike + Send)) -> Option<String> {
    let mut ask = redis::cmd("CONFIG");
    match ask.arg("GET").arg("appendfsync").query_async::<Value>(server).await {
        Ok(Value::Array(pair)) => match pair.into_iter().nth(1) {
            Some(Value::BulkString(value)) => String::from_utf8(value).ok(),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn healthy() -> Vec<(&'static str, &'static str)> {
        vec![("redis_version", "7.0.15"), ("maxmemory_policy", "noeviction"), ("aof_enabled", "1")]
    }

    fn refusal(changes: &[(&'static str, &'static str)], appendfsync: &str, replicas: u8) -> String {
        let all = healthy().into_iter().chain(changes.iter().copied());
        let inspection = Inspection(all.map(|(key, value)| (key.into(), value.into())).collect());
        let options = RedisOptions { replicas, ..RedisOptions::new("redis://127.0.0.1") };
        match inspection.check(&options, Some(appendfsync)) {
            Ok(()) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn servers_that_would_break_a_promise_are_refused_with_the_cure() {
        assert_eq!(refusal(&[], "always", 0), "");
        for (changes, appendfsync, replicas, cure) in [
            (&[("redis_version", "6.2.7")][..], "always", 0, "7.0 or later is needed"),
            (&[("maxmemory_policy", "allkeys-lru")], "always", 0, "set it to noeviction"),
            (&[("aof_enabled", "0")], "always", 0, "set appendonly to yes"),
            (&[], "everysec", 0, "needs appendfsync always (it is everysec)"),
            (&[("connected_slaves", "1")], "always", 2, "wait for 2 replicas, the server has 1"),
        ] {
            let message = refusal(changes, appendfsync, replicas);
            assert!(message.contains(cure), "{message}");
        }
    }

    #[test]
    fn waitaof_takes_the_place_of_appendfsync_always() {
        assert_eq!(refusal(&[("redis_version", "7.2.4")], "everysec", 0), "");
    }
}
