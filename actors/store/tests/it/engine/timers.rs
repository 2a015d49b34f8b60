//! Timers.

use protocol::id::ConversationId;
use protocol::time::TimestampMs;

use super::harness::{A, B, Store, at, batch, for_every_engine, write};

for_every_engine!(
    timers_come_in_the_order_of_their_time,
    a_timer_stays_until_a_commit_moves_it,
    times_before_1970_and_the_largest_work,
);

async fn timers_come_in_the_order_of_their_time(mut store: Store) {
    let lease = store.lease(A).await;
    assert_eq!(store.next_due(A).await.unwrap(), None);
    let mut commit = batch(&lease, 1);
    commit.conversations =
        [(1, 30), (2, 10), (3, 20), (4, 10)].map(|(id, due)| write(id, "s", None, Some(at(due)))).to_vec();
    store.commit(commit).await.unwrap();
    for _ in 0..2 {
        assert_eq!(store.next_due(A).await.unwrap(), Some(at(10)));
        assert_eq!(store.next_due(B).await.unwrap(), None);
        let due = store.due(A, at(20), 10).await.unwrap();
        assert_eq!(due, [(at(10), 2), (at(10), 4), (at(20), 3)].map(|(due, id)| (due, ConversationId(id))));
        assert_eq!(store.due(A, at(20), 1).await.unwrap().len(), 1);
        assert_eq!(store.due(A, at(9), 10).await.unwrap(), []);
        assert_eq!(store.due(B, at(99), 10).await.unwrap(), []);
        store.reopen().await;
    }
}

async fn a_timer_stays_until_a_commit_moves_it(store: Store) {
    let lease = store.lease(A).await;
    let moves = [None, Some(at(10)), Some(at(10)), Some(at(5)), Some(at(50)), None, Some(at(1)), None];
    for (id, window) in moves.windows(2).enumerate() {
        let mut commit = batch(&lease, id as u128);
        commit.conversations = vec![write(1, "s", window[0], window[1])];
        store.commit(commit).await.unwrap();
        let expected: Vec<_> = window[1].map(|due| (due, ConversationId(1))).into_iter().collect();
        assert_eq!(store.next_due(A).await.unwrap(), window[1]);
        assert_eq!(store.due(A, at(100), 10).await.unwrap(), expected);
        assert_eq!(store.stats().timers_pending, expected.len() as u64);
    }
}

async fn times_before_1970_and_the_largest_work(store: Store) {
    let lease = store.lease(A).await;
    let times = [TimestampMs(-1), TimestampMs(0), TimestampMs(i64::MAX - 1)];
    let mut commit = batch(&lease, 1);
    commit.conversations = (1..).zip(times).map(|(id, due)| write(id, "s", None, Some(due))).collect();
    store.commit(commit).await.unwrap();
    let due = store.due(A, TimestampMs(i64::MAX), 10).await.unwrap();
    assert_eq!(due.iter().map(|(due, _)| *due).collect::<Vec<_>>(), times);
}
