//! What only the engine on a server can show: what it refuses, full memory, several nodes.

use std::sync::Arc;

use protocol::shard::ShardCount;
use store::engine::{Durability, Engine, EngineError, RedisEngine, RedisOptions};

use super::harness::{A, LEASE, batch, text, texts};
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
    ] {
        let server = RedisServer::start(settings);
        let message = refusal(RedisOptions { durability: Durability::Fsync, ..server.options() }).await;
        assert!(message.contains(cure), "{message}");
    }
}

/// Redis from 7.2 on and Valkey can be asked whether the disk has it; an older one must write it at once.
#[tokio::test]
async fn fsync_needs_a_server_that_waits_for_its_disk() {
    let server = RedisServer::start(&["--appendfsync", "everysec"]);
    let options = RedisOptions { durability: Durability::Fsync, ..server.options() };
    if server.command(&["COMMAND", "INFO", "WAITAOF"]).is_empty() {
        let message = refusal(options).await;
        assert!(message.contains("needs appendfsync always"), "{message}");
    } else {
        let engine = RedisEngine::open(options).await.unwrap();
        engine.append(vec![(A, text("1"))]).await.unwrap();
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
    assert!(
        server.command(&["FUNCTION", "LIST"]).contains("gateway_v1"),
        "functions are used where they may be"
    );
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
