//! What only the engine on a server can show: what it refuses, faults of the server, full memory.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use protocol::shard::{ShardCount, ShardId};
use store::engine::{Committed, Durability, Engine, EngineError, FactPosition, RedisEngine, RedisOptions};

use super::harness::{A, LEASE, SHARDS, batch, text, texts};
use super::server::RedisServer;

async fn refusal(options: RedisOptions) -> String {
    match RedisEngine::open(options).await {
        Err(EngineError::Incompatible(message)) => message,
        other => panic!("opened, or failed otherwise: {:?}", other.err()),
    }
}

#[tokio::test]
async fn the_identity_is_made_once() {
    let server = RedisServer::start(&[]);
    let first = RedisEngine::open(server.options()).await.unwrap().identity().clone();
    assert_eq!(RedisEngine::open(server.options()).await.unwrap().identity(), &first);
    let other = RedisOptions { name: "other".into(), ..server.options() };
    assert_ne!(RedisEngine::open(other).await.unwrap().identity().opaque_key, first.opaque_key);
}

#[tokio::test]
async fn another_number_of_shards_is_refused_with_both_numbers_and_the_cure() {
    let server = RedisServer::start(&[]);
    drop(RedisEngine::open(server.options()).await.unwrap());
    let message = refusal(RedisOptions { shards: ShardCount::new(8).unwrap(), ..server.options() }).await;
    assert!(message.contains("4 shards") && message.contains("8 are configured"), "{message}");
    assert!(message.contains("set `shards` to 4"), "{message}");
}

#[tokio::test]
async fn a_server_that_would_lose_what_was_answered_is_refused() {
    for (settings, cure) in [
        (&["--maxmemory-policy", "allkeys-lru"][..], "set it to noeviction"),
        (&["--appendonly", "no"], "set appendonly to yes"),
        (&["--appendfsync", "everysec"], "needs appendfsync always"),
    ] {
        let server = RedisServer::start(settings);
        let message = refusal(RedisOptions { durability: Durability::Fsync, ..server.options() }).await;
        assert!(message.contains(cure), "{message}");
    }
}

#[tokio::test]
async fn scripts_take_the_place_of_functions_that_are_forbidden() {
    let server = RedisServer::start(&["--rename-command", "FUNCTION", ""]);
    let engine = RedisEngine::open(server.options()).await.unwrap();
    let lease = engine.acquire(A, 1, LEASE).await.unwrap().unwrap();
    engine.append(vec![(A, text("1"))]).await.unwrap();
    let mut commit = batch(&lease, 1);
    commit.new_position = engine.read(A, lease.position, 1).await.unwrap()[0].position;
    engine.commit(commit).await.unwrap();
}

#[tokio::test]
async fn functions_that_somebody_removed_are_loaded_again() {
    let server = RedisServer::start(&[]);
    let engine = RedisEngine::open(server.options()).await.unwrap();
    assert_eq!(server.command(&["FUNCTION", "FLUSH"]), "OK");
    engine.append(vec![(A, text("1"))]).await.unwrap();
    assert_eq!(engine.stats().backlog_entries, 1);
}

#[tokio::test]
async fn nodes_see_what_the_others_append() {
    let server = RedisServer::start(&[]);
    let one = RedisEngine::open(server.options()).await.unwrap();
    let two = RedisEngine::open(server.options()).await.unwrap();
    let lease = one.acquire(A, 1, LEASE).await.unwrap().unwrap();
    assert!(two.acquire(A, 2, LEASE).await.unwrap().is_none());
    let reading = one.read(A, lease.position, 9);
    let (read, appended) = tokio::join!(reading, two.append(vec![(A, text("from two"))]));
    appended.unwrap();
    let read = read.unwrap();
    assert_eq!(texts(&read), ["from two"]);
    one.append(vec![(A, text("from one"))]).await.unwrap();
    assert_eq!(texts(&one.read(A, read[0].position, 9).await.unwrap()), ["from one"]);
    assert_eq!(texts(&two.read(A, lease.position, 9).await.unwrap()), ["from two", "from one"]);
}

#[tokio::test]
async fn full_memory_refuses_appends_but_not_commits() {
    let server = RedisServer::start(&["--maxmemory", "32mb"]);
    let engine = Arc::new(RedisEngine::open(server.options()).await.unwrap());
    let mut lease = engine.acquire(A, 1, LEASE).await.unwrap().unwrap();
    let mut appended = 0;
    let refusal = loop {
        match engine.append(vec![(A, text("x".repeat(200_000)))]).await {
            Ok(()) => appended += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refusal, EngineError::Full(_)), "{refusal}");
    for n in 0..appended {
        let mut commit = batch(&lease, n);
        commit.new_position = engine.read(A, lease.position, 1).await.unwrap()[0].position;
        commit.facts = vec![text("applied")];
        lease.position = commit.new_position;
        engine.commit(commit).await.unwrap();
    }
    engine.refresh().await.unwrap();
    engine.append(vec![(A, text("x"))]).await.unwrap();
}

/// What a storm of writes was told, and the next numbers.
struct Storm {
    engine: RedisEngine,
    acknowledged: Mutex<Acknowledged>,
    /// Set before the server is killed: errors are expected from then on.
    killed: AtomicBool,
}

#[derive(Clone, Default)]
struct Acknowledged {
    appended: Vec<Vec<u64>>,
    applied: Vec<Vec<u64>>,
}

impl Storm {
    /// Appends numbers until the server is gone.
    async fn append(&self, shard: ShardId, from: u64) {
        for number in from.. {
            match self.engine.append(vec![(shard, text(number.to_string()))]).await {
                Ok(()) => self.acknowledged.lock().appended[usize::from(shard.0)].push(number),
                Err(error) => return assert!(self.killed.load(Ordering::SeqCst), "{error}"),
            }
        }
    }

    /// Applies them until the server is gone: each becomes a fact.
    async fn apply(&self, shard: ShardId) {
        let mut lease = self.engine.acquire(shard, 1, LEASE).await.unwrap().unwrap();
        loop {
            let Ok(entries) = self.engine.read(shard, lease.position, 3).await else { return };
            let mut commit = batch(&lease, rand::random());
            commit.new_position = entries.last().unwrap().position;
            commit.facts = entries.iter().map(|entry| entry.bytes.clone()).collect();
            lease.position = commit.new_position;
            match self.engine.commit(commit).await {
                Ok(_) => {
                    let numbers = texts(&entries).into_iter().map(|number| number.parse::<u64>().unwrap());
                    self.acknowledged.lock().applied[usize::from(shard.0)].extend(numbers);
                }
                Err(error) => return assert!(self.killed.load(Ordering::SeqCst), "{error}"),
            }
        }
    }

    fn count(&self) -> usize {
        self.acknowledged.lock().applied.iter().map(Vec::len).sum()
    }
}

/// Reads everything that a store holds of a shard.
async fn found(engine: &RedisEngine, shard: ShardId) -> (Vec<u64>, Vec<u64>) {
    let number = |bytes: &[u8]| std::str::from_utf8(bytes).unwrap().parse::<u64>().unwrap();
    let lane = engine.fact_lane(shard);
    let newest = engine.newest_facts(&[lane]).await.unwrap()[0];
    let (mut applied, mut after) = (vec![], FactPosition(0));
    while after < newest {
        let facts = engine.facts(lane, after, 1_000).await.unwrap();
        after = facts.last().unwrap().0;
        applied.extend(facts.iter().map(|(_, fact)| number(fact)));
    }
    let lease = engine.acquire(shard, 1, LEASE).await.unwrap().unwrap();
    let (mut waiting, mut after) = (vec![], lease.position);
    for _ in 0..engine.waiting(shard) {
        let entries = engine.read(shard, after, 1).await.unwrap();
        after = entries[0].position;
        waiting.push(number(&entries[0].bytes));
    }
    (applied, waiting)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let mut server = RedisServer::start(&["--appendfsync", "always"]);
    let options = RedisOptions { durability: Durability::Fsync, ..server.options() };
    let mut known = Acknowledged { appended: vec![vec![]; 4], applied: vec![vec![]; 4] };
    for round in 0..4 {
        let storm = Arc::new(Storm {
            engine: RedisEngine::open(options.clone()).await.unwrap(),
            acknowledged: Mutex::new(known.clone()),
            killed: AtomicBool::new(false),
        });
        let mut tasks = tokio::task::JoinSet::new();
        for shard in (0..SHARDS).map(ShardId) {
            let next = known.appended[usize::from(shard.0)].last().map_or(0, |last| last + 1_000);
            let (appending, applying) = (storm.clone(), storm.clone());
            tasks.spawn(async move { appending.append(shard, next).await });
            tasks.spawn(async move { applying.apply(shard).await });
        }
        let enough = storm.count() + 100 + 300 * round;
        while storm.count() < enough {
            tokio::task::yield_now().await;
        }
        storm.killed.store(true, Ordering::SeqCst);
        server.kill();
        server.restart();
        // Whoever reads waits for ever for what nobody appends any more.
        tasks.shutdown().await;
        known = storm.acknowledged.lock().clone();
        drop(storm);
        let engine = RedisEngine::open(options.clone()).await.unwrap();
        for shard in (0..SHARDS).map(ShardId) {
            let (applied, waiting) = found(&engine, shard).await;
            let all: BTreeSet<u64> = applied.iter().chain(&waiting).copied().collect();
            assert_eq!(all.len(), applied.len() + waiting.len(), "nothing is there twice");
            let index = usize::from(shard.0);
            for number in &known.appended[index] {
                assert!(all.contains(number), "{number} of {shard:?} was acknowledged");
            }
            let applied: BTreeSet<u64> = applied.into_iter().collect();
            assert!(known.applied[index].iter().all(|number| applied.contains(number)));
        }
    }
}

#[tokio::test]
async fn a_restarted_server_fences_what_was_granted_before() {
    let mut server = RedisServer::start(&[]);
    let engine = RedisEngine::open(server.options()).await.unwrap();
    let lease = engine.acquire(A, 1, LEASE).await.unwrap().unwrap();
    engine.append(vec![(A, text("1"))]).await.unwrap();
    server.kill();
    assert!(matches!(engine.commit(batch(&lease, 1)).await, Err(EngineError::Unknown(_))));
    server.restart();
    assert!(matches!(engine.commit(batch(&lease, 1)).await, Err(EngineError::Fenced)));
    assert_eq!(engine.renew(&[(A, lease.token)], LEASE).await.unwrap(), [false]);
    let lease = engine.acquire(A, 1, LEASE).await.unwrap().unwrap();
    engine.commit(batch(&lease, 2)).await.unwrap();
    assert_eq!(texts(&engine.read(A, lease.position, 9).await.unwrap()), ["1"]);
}

#[tokio::test]
async fn a_write_that_no_replica_confirms_is_unknown() {
    let server = RedisServer::start(&[]);
    let replica = RedisServer::start(&["--replicaof", &format!("127.0.0.1 {}", server.port())]);
    while server.command(&["WAIT", "1", "100"]) != "1" {}
    let options = RedisOptions {
        replicas: 1,
        answer_timeout: std::time::Duration::from_millis(600),
        ..server.options()
    };
    let engine = RedisEngine::open(options).await.unwrap();
    let lease = engine.acquire(A, 1, LEASE).await.unwrap().unwrap();
    engine.append(vec![(A, text("1"))]).await.unwrap();
    drop(replica);
    assert!(matches!(engine.append(vec![(A, text("2"))]).await, Err(EngineError::Unknown(_))));
    let commit = batch(&lease, 1);
    assert!(matches!(engine.commit(commit.clone()).await, Err(EngineError::Unknown(_))));
    let _replica = RedisServer::start(&["--replicaof", &format!("127.0.0.1 {}", server.port())]);
    while server.command(&["WAIT", "1", "100"]) != "1" {}
    assert_eq!(engine.commit(commit).await.unwrap(), Committed::Already);
}
