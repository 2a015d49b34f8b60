//! The log of facts.

use store::engine::{FactLane, FactPosition, Lease};

use super::harness::{A, B, Store, batch, for_every_engine, text};

for_every_engine!(
    facts_keep_the_order_of_their_commits,
    reading_facts_waits,
    trimmed_facts_are_gone,
    the_newest_fact_is_known,
);

async fn record(store: &Store, lease: &Lease, id: u128, facts: &[&str]) {
    let mut commit = batch(lease, id);
    commit.facts = facts.iter().copied().map(text).collect();
    store.commit(commit).await.unwrap();
}

async fn all(store: &Store, after: FactPosition, limit: usize) -> Vec<String> {
    let facts = store.facts(FactLane(0), after, limit).await.unwrap();
    facts.into_iter().map(|(_, fact)| String::from_utf8(fact.to_vec()).unwrap()).collect()
}

async fn facts_keep_the_order_of_their_commits(mut store: Store) {
    let (a, b) = (store.lease(A).await, store.lease(B).await);
    record(&store, &a, 1, &["1", "2"]).await;
    record(&store, &b, 2, &["3"]).await;
    record(&store, &a, 3, &[]).await;
    record(&store, &a, 4, &["4", "5"]).await;
    let together = store.fact_lane(A) == store.fact_lane(B);
    let expected: &[&str] = if together { &["1", "2", "3", "4", "5"] } else { &["1", "2", "4", "5"] };
    for _ in 0..2 {
        let facts = store.facts(FactLane(0), FactPosition(0), 99).await.unwrap();
        assert!(facts.is_sorted_by_key(|(position, _)| *position));
        assert_eq!(all(&store, FactPosition(0), 99).await, expected);
        for (index, (position, _)) in facts.iter().enumerate().take(expected.len() - 1) {
            assert_eq!(all(&store, *position, 1).await, [expected[index + 1]]);
        }
        let lanes: Vec<_> = store.fact_lanes().into_iter().map(|lane| (lane, FactPosition(0))).collect();
        let mut everything = store.facts_any(&lanes, 99).await.unwrap();
        everything.sort_unstable_by_key(|(_, _, fact)| fact.clone());
        let everything: Vec<_> = everything.into_iter().map(|(_, _, fact)| fact).collect();
        assert_eq!(everything, ["1", "2", "3", "4", "5"].map(text));
        store.reopen().await;
    }
}

async fn reading_facts_waits(store: Store) {
    let lease = store.lease(A).await;
    let (facts, ()) = tokio::join!(all(&store, FactPosition(0), 9), record(&store, &lease, 1, &["1"]));
    assert_eq!(facts, ["1"]);
}

async fn trimmed_facts_are_gone(mut store: Store) {
    let lease = store.lease(A).await;
    record(&store, &lease, 1, &["1", "2"]).await;
    record(&store, &lease, 2, &["3", "4"]).await;
    let positions: Vec<_> =
        store.facts(FactLane(0), FactPosition(0), 9).await.unwrap().iter().map(|(at, _)| *at).collect();
    for (through, left) in [(0, &["2", "3", "4"][..]), (1, &["3", "4"]), (0, &["3", "4"]), (2, &["4"])] {
        store.trim_facts(FactLane(0), positions[through]).await.unwrap();
        store.reopen().await;
        assert_eq!(all(&store, FactPosition(0), 9).await, left);
    }
    let lease = store.lease(A).await;
    store.trim_facts(FactLane(0), FactPosition(u64::MAX)).await.unwrap();
    record(&store, &lease, 3, &["5"]).await;
    assert_eq!(all(&store, FactPosition(0), 9).await, ["5"]);
}

async fn the_newest_fact_is_known(mut store: Store) {
    let lane = store.fact_lane(A);
    assert_eq!(store.newest_facts(&[lane]).await.unwrap(), [FactPosition(0)]);
    let lease = store.lease(A).await;
    record(&store, &lease, 1, &["1", "2"]).await;
    let newest = store.facts(lane, FactPosition(0), 9).await.unwrap().last().unwrap().0;
    for _ in 0..2 {
        assert_eq!(store.newest_facts(&[lane]).await.unwrap(), [newest]);
        store.trim_facts(lane, newest).await.unwrap();
        store.reopen().await;
    }
}
