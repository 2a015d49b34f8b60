//! What only the embedded engine can show: its folder, its limits, its durability classes.

use std::sync::Arc;

use protocol::shard::ShardCount;
use store::engine::{
    Durability, EmbeddedEngine, EmbeddedOptions, Engine, EngineError, ManualClock, SystemClock,
};

use super::harness::{A, Store, batch, options, text, texts};

fn open(options: &EmbeddedOptions) -> Result<EmbeddedEngine, EngineError> {
    EmbeddedEngine::open(options, Arc::new(ManualClock::default()))
}

fn refusal(options: &EmbeddedOptions) -> String {
    match open(options) {
        Err(EngineError::Incompatible(message)) => message,
        other => panic!("opened, or failed otherwise: {:?}", other.err()),
    }
}

#[test]
fn the_identity_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(&options(&folder)).unwrap().identity().clone();
    assert_eq!(open(&options(&folder)).unwrap().identity(), &first);
    let other = tempfile::tempdir().unwrap();
    assert_ne!(open(&options(&other)).unwrap().identity().opaque_key, first.opaque_key);
}

#[test]
fn another_number_of_shards_is_refused_with_both_numbers_and_the_cure() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(&options(&folder)).unwrap());
    let other = EmbeddedOptions { shards: ShardCount::new(8).unwrap(), ..options(&folder) };
    let message = refusal(&other);
    assert!(message.contains("4 shards") && message.contains("8 are configured"), "{message}");
    assert!(message.contains("set `shards` to 4"), "{message}");
}

#[test]
fn a_folder_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _holder = open(&options(&folder)).unwrap();
    let message = refusal(&options(&folder));
    assert!(message.contains("in use by another process"), "{message}");
}

#[tokio::test]
async fn a_full_backlog_refuses_appends_but_not_commits() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&EmbeddedOptions { backlog_max_bytes: 10, ..options(&folder) }).unwrap();
    engine.append(vec![(A, text("0123456789"))]).await.unwrap();
    assert!(matches!(engine.append(vec![(A, text("x"))]).await, Err(EngineError::Full(_))));
    let lease = engine.acquire(A, 1, super::harness::LEASE).await.unwrap().unwrap();
    let mut commit = batch(&lease, 1);
    commit.new_position = engine.read(A, lease.position, 1).await.unwrap()[0].position;
    engine.commit(commit).await.unwrap();
    engine.append(vec![(A, text("x"))]).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_refuses_appends() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&EmbeddedOptions { disk_free_min_bytes: u64::MAX, ..options(&folder) }).unwrap();
    let Err(EngineError::Full(message)) = engine.append(vec![(A, text("x"))]).await else { panic!("taken") };
    assert!(message.contains("must stay free"), "{message}");
}

#[tokio::test]
async fn more_than_memory_may_hold_is_read_from_the_log_rows() {
    let mut store = Store::embedded_with(Durability::EverySecond).await;
    let big = |n: usize| text(format!("{n:03}{}", "x".repeat(2 * 1024 * 1024)));
    for n in 0..40 {
        store.append(vec![(A, big(n)), (A, text("small"))]).await.unwrap();
    }
    for _ in 0..2 {
        let log = store.log(A).await;
        assert_eq!(log.len(), 80);
        for (n, pair) in log.chunks(2).enumerate() {
            assert!(pair[0].bytes == big(n) && pair[1].bytes == text("small"), "entry {n}");
        }
        store.reopen().await;
    }
}

#[tokio::test]
async fn log_rows_are_trimmed_while_a_slow_shard_keeps_its_own() {
    let mut store = Store::embedded().await;
    store.append(vec![(super::harness::B, text("slow"))]).await.unwrap();
    let mut lease = store.lease(A).await;
    for n in 0..1_500 {
        store.append(vec![(A, text(n.to_string()))]).await.unwrap();
        let mut commit = batch(&lease, n);
        commit.new_position = store.log(A).await[0].position;
        lease.position = commit.new_position;
        store.commit(commit).await.unwrap();
    }
    store.reopen().await;
    assert_eq!(texts(&store.log(super::harness::B).await), ["slow"]);
    assert_eq!(store.stats().backlog_entries, 1);
    assert_eq!(store.lease(A).await.position, lease.position);
}

#[test]
fn the_machine_clock_never_goes_back() {
    use store::engine::Clock;
    let clock = SystemClock::default();
    let first = clock.now();
    assert!(clock.now() >= first && first.0 > 0);
}
