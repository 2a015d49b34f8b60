//! Appending and reading.

use futures_util::FutureExt;
use protocol::shard::ShardId;
use store::engine::{EngineError, Position};

use super::harness::{A, B, Store, batch, for_every_engine, text, texts};

for_every_engine!(
    entries_are_read_in_the_order_of_their_appends,
    reading_waits_for_an_entry,
    a_cancelled_read_takes_nothing_away,
    entries_survive_a_crash_until_they_are_applied,
    concurrent_appends_all_arrive,
    shards_outside_the_store_are_refused,
    a_closed_store_refuses,
);

async fn entries_are_read_in_the_order_of_their_appends(store: Store) {
    store.append(vec![(A, text("1")), (B, text("x")), (A, text("2"))]).await.unwrap();
    store.append(vec![(A, text("3"))]).await.unwrap();
    store.append(vec![]).await.unwrap();
    let log = store.log(A).await;
    assert_eq!(texts(&log), ["1", "2", "3"]);
    assert_eq!(texts(&store.log(B).await), ["x"]);
    assert_eq!(texts(&store.read(A, log[0].position, 1).await.unwrap()), ["2"]);
    let stats = store.stats();
    assert_eq!((stats.backlog_entries, stats.backlog_bytes), (4, 4));
}

async fn reading_waits_for_an_entry(store: Store) {
    let reading = store.read(A, Position(0), 10);
    let appending = async {
        store.append(vec![(B, text("not this one"))]).await.unwrap();
        store.append(vec![(A, text("this one"))]).await.unwrap();
    };
    let (read, ()) = tokio::join!(reading, appending);
    assert_eq!(texts(&read.unwrap()), ["this one"]);
}

async fn a_cancelled_read_takes_nothing_away(store: Store) {
    let mut cancelled = store.read(A, Position(0), 10);
    assert!((&mut cancelled).now_or_never().is_none());
    store.append(vec![(A, text("1"))]).await.unwrap();
    drop(cancelled);
    assert_eq!(texts(&store.log(A).await), ["1"]);
}

async fn entries_survive_a_crash_until_they_are_applied(mut store: Store) {
    store.append(vec![(A, text("1")), (A, text("2"))]).await.unwrap();
    store.reopen().await;
    let lease = store.lease(A).await;
    let first = store.log(A).await[0].position;
    let mut commit = batch(&lease, 1);
    commit.new_position = first;
    store.commit(commit).await.unwrap();
    store.reopen().await;
    store.append(vec![(A, text("3"))]).await.unwrap();
    assert_eq!(texts(&store.log(A).await), ["2", "3"]);
    assert_eq!(store.lease(A).await.position, first);
}

async fn concurrent_appends_all_arrive(mut store: Store) {
    let appends = (0..500).map(|n| store.append(vec![(ShardId(n % 4), text(n.to_string()))]));
    assert!(futures_util::future::join_all(appends).await.iter().all(Result::is_ok));
    store.reopen().await;
    let mut found = vec![];
    for shard in 0..4 {
        let log = store.log(ShardId(shard)).await;
        let numbers: Vec<u16> = texts(&log).iter().map(|text| text.parse().unwrap()).collect();
        assert!(numbers.iter().all(|n| n % 4 == shard));
        found.extend(numbers);
    }
    found.sort_unstable();
    assert_eq!(found, (0..500).collect::<Vec<_>>());
}

async fn shards_outside_the_store_are_refused(store: Store) {
    let outside = ShardId(4);
    assert!(store.append(vec![(A, text("1")), (outside, text("2"))]).await.is_err());
    assert!(store.read(outside, Position(0), 1).await.is_err());
    assert_eq!(store.stats().backlog_entries, 0, "all entries of one append, or none");
}

async fn a_closed_store_refuses(mut store: Store) {
    store.append(vec![(A, text("1"))]).await.unwrap();
    let waiting = store.read(B, Position(0), 1);
    let (waiting, closed) = tokio::join!(waiting, store.close());
    closed.unwrap();
    assert!(matches!(waiting, Err(EngineError::Closed)));
    assert!(matches!(store.append(vec![(A, text("2"))]).await, Err(EngineError::Closed)));
    store.close().await.unwrap();
    store.reopen().await;
    assert_eq!(store.stats().backlog_entries, 1, "what was accepted is still there");
}
