//! The fenced commit.

use protocol::command::CommandKey;
use protocol::id::{Bsuid, ConversationId};
use protocol::phone::ContactKey;
use protocol::time::SpanMs;
use store::engine::{
    AliasKey, Committed, EngineError, FactLane, FactPosition, LoadRequest, Position, SeenKey, limits,
};

use super::harness::{A, B, Store, at, batch, for_every_engine, text, texts, write};

for_every_engine!(
    everything_of_a_commit_is_there_after_it,
    a_stale_token_changes_nothing,
    a_wrong_position_changes_nothing,
    the_same_batch_is_applied_once,
    a_refused_commit_does_not_spoil_its_neighbours,
    results_and_seen_keys_are_forgotten_in_time,
    forwards_arrive_with_the_commit,
);

async fn everything_of_a_commit_is_there_after_it(mut store: Store) {
    let lease = store.lease(A).await;
    store.append(vec![(A, text("1"))]).await.unwrap();
    let contact = ContactKey::Bsuid(Bsuid::new("US.1"));
    let mut commit = batch(&lease, 1);
    commit.new_position = store.log(A).await[0].position;
    commit.conversations = vec![write(7, "state", None, Some(at(5))), write(8, "", None, None)];
    commit.facts = vec![text("f1"), text("f2")];
    commit.results = vec![(CommandKey(1), text("done"))];
    commit.seen = vec![SeenKey(2)];
    commit.aliases = vec![(AliasKey(3), contact.clone())];
    assert_eq!(store.commit(commit.clone()).await.unwrap(), Committed::Applied);
    for _ in 0..2 {
        let request = LoadRequest {
            conversations: [7, 8, 9].map(ConversationId).to_vec(),
            commands: vec![CommandKey(1), CommandKey(9)],
            seen: vec![SeenKey(2), SeenKey(9)],
        };
        let loaded = store.load(A, request).await.unwrap();
        let state = loaded.conversations[0].clone().unwrap();
        assert_eq!((state.snapshot, state.timer_at), (text("state"), Some(at(5))));
        let empty = loaded.conversations[1].clone().unwrap();
        assert_eq!((empty.snapshot, empty.timer_at), (text(""), None));
        assert_eq!(loaded.conversations[2], None);
        assert_eq!(loaded.results, [Some(text("done")), None]);
        assert_eq!(loaded.seen, [true, false]);
        assert_eq!(store.result(CommandKey(1)).await.unwrap(), Some(text("done")));
        let aliases = store.aliases(&[AliasKey(9), AliasKey(3)]).await.unwrap();
        assert_eq!(aliases, [None, Some(contact.clone())]);
        let facts = store.facts(FactLane(0), FactPosition(0), 10).await.unwrap();
        assert_eq!(facts.iter().map(|(_, fact)| fact.clone()).collect::<Vec<_>>(), commit.facts);
        let stats = store.stats();
        assert_eq!((stats.backlog_entries, stats.timers_pending), (0, 1));
        store.reopen().await;
    }
}

async fn a_stale_token_changes_nothing(mut store: Store) {
    let stale = store.lease(A).await;
    let current = store.lease(A).await;
    assert_ne!(stale.token, current.token);
    for wrong in [
        stale.token,
        store::engine::Token { nonce: stale.token.nonce, ..current.token },
        store::engine::Token { epoch: stale.token.epoch, ..current.token },
    ] {
        let mut commit = batch(&current, 1);
        commit.token = wrong;
        commit.conversations = vec![write(7, "never", None, Some(at(1)))];
        commit.facts = vec![text("never")];
        commit.forwards = vec![(B, text("never"))];
        assert!(matches!(store.commit(commit).await, Err(EngineError::Fenced)));
    }
    store.reopen().await;
    assert_eq!(store.stored(A, ConversationId(7)).await, None);
    assert_eq!((store.stats().timers_pending, store.stats().backlog_entries), (0, 0));
}

async fn a_wrong_position_changes_nothing(store: Store) {
    let lease = store.lease(A).await;
    store.append(vec![(A, text("1")), (A, text("2"))]).await.unwrap();
    let log = store.log(A).await;
    let (first, last) = (log[0].position, log[1].position);
    let beyond = Position(last.0 + 1);
    for (expected, new) in [(first, last), (lease.position, beyond)] {
        let mut commit = batch(&lease, 1);
        (commit.expected_position, commit.new_position) = (expected, new);
        commit.facts = vec![text("never")];
        assert!(matches!(store.commit(commit).await, Err(EngineError::Position)));
    }
    let mut forward = batch(&lease, 2);
    forward.new_position = last;
    store.commit(forward).await.unwrap();
    let mut back = batch(&lease, 3);
    (back.expected_position, back.new_position) = (last, first);
    assert!(matches!(store.commit(back).await, Err(EngineError::Position)));
}

async fn the_same_batch_is_applied_once(mut store: Store) {
    let lease = store.lease(A).await;
    let mut commit = batch(&lease, 77);
    commit.facts = vec![text("once")];
    let (first, second) = tokio::join!(store.commit(commit.clone()), store.commit(commit.clone()));
    assert_eq!((first.unwrap(), second.unwrap()), (Committed::Applied, Committed::Already));
    store.reopen().await;
    commit.token = store.lease(A).await.token;
    assert_eq!(store.commit(commit.clone()).await.unwrap(), Committed::Already);
    assert_eq!(store.facts(FactLane(0), FactPosition(0), 10).await.unwrap().len(), 1);
    let stranger = batch(&store.lease(B).await, 77);
    assert_eq!(store.commit(stranger).await.unwrap(), Committed::Applied, "batch ids belong to a shard");
}

async fn a_refused_commit_does_not_spoil_its_neighbours(store: Store) {
    let stale = store.lease(A).await;
    let (a, b) = (store.lease(A).await, store.lease(B).await);
    let fact = |lease, id: u128| {
        let mut commit = batch(lease, id);
        commit.facts = vec![text(id.to_string())];
        commit
    };
    let (one, refused, two, appended) = tokio::join!(
        store.commit(fact(&a, 1)),
        store.commit(fact(&stale, 2)),
        store.commit(fact(&b, 3)),
        store.append(vec![(A, text("x"))]),
    );
    assert_eq!((one.unwrap(), two.unwrap()), (Committed::Applied, Committed::Applied));
    assert!(matches!(refused, Err(EngineError::Fenced)));
    appended.unwrap();
    let lanes: Vec<_> = store.fact_lanes().into_iter().map(|lane| (lane, FactPosition(0))).collect();
    let facts = store.facts_any(&lanes, 10).await.unwrap();
    assert_eq!(facts.into_iter().map(|(_, _, fact)| fact).collect::<Vec<_>>(), [text("1"), text("3")]);
}

async fn results_and_seen_keys_are_forgotten_in_time(store: Store) {
    let lease = store.lease(A).await;
    let mut commit = batch(&lease, 1);
    commit.results = vec![(CommandKey(1), text("done"))];
    commit.seen = vec![SeenKey(2)];
    store.commit(commit).await.unwrap();
    let request =
        LoadRequest { commands: vec![CommandKey(1)], seen: vec![SeenKey(2)], ..LoadRequest::default() };
    let tick = SpanMs(1);
    for (now, result, seen) in [
        (at(0) + limits::RESULT_LIFE - tick, true, true),
        (at(0) + limits::RESULT_LIFE, false, true),
        (at(0) + limits::SEEN_LIFE - tick, false, true),
        (at(0) + limits::SEEN_LIFE, false, false),
    ] {
        store.clock.set(now);
        let loaded = store.load(A, request.clone()).await.unwrap();
        assert_eq!((loaded.results[0].is_some(), loaded.seen[0]), (result, seen), "at {now}");
        assert_eq!(store.result(CommandKey(1)).await.unwrap().is_some(), result);
    }
}

async fn forwards_arrive_with_the_commit(mut store: Store) {
    let lease = store.lease(A).await;
    let mut commit = batch(&lease, 1);
    commit.forwards = vec![(B, text("there")), (A, text("here"))];
    store.commit(commit.clone()).await.unwrap();
    store.commit(commit).await.unwrap();
    store.reopen().await;
    assert_eq!(texts(&store.log(B).await), ["there"]);
    assert_eq!(texts(&store.log(A).await), ["here"]);
}
