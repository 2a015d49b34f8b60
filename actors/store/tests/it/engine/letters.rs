//! Dead letters.

use protocol::id::DeadLetterId;
use store::engine::DeadLetter;

use super::harness::{A, B, START, Store, batch, for_every_engine, text, texts};

for_every_engine!(
    letters_are_listed_oldest_first,
    a_replayed_letter_is_in_the_log_again,
    a_discarded_letter_is_gone,
);

fn letter(id: u128) -> DeadLetter {
    let entry = text(format!("entry {id}"));
    DeadLetter { id: DeadLetterId(id), shard: B, at: START, reason: "a panic".into(), entry }
}

async fn set_aside(store: &Store, batch_id: u128, ids: &[u128]) {
    let mut commit = batch(&store.lease(A).await, batch_id);
    commit.dead_letters = ids.iter().copied().map(letter).collect();
    store.commit(commit).await.unwrap();
}

async fn letters_are_listed_oldest_first(mut store: Store) {
    set_aside(&store, 1, &[9, 3]).await;
    set_aside(&store, 2, &[5, 9]).await;
    store.reopen().await;
    let ids = |letters: Vec<DeadLetter>| letters.iter().map(|letter| letter.id.0).collect::<Vec<_>>();
    assert_eq!(store.dead_letters(None, 1).await.unwrap(), [letter(9)]);
    assert_eq!(ids(store.dead_letters(None, 9).await.unwrap()), [9, 3, 5]);
    assert_eq!(ids(store.dead_letters(Some(DeadLetterId(9)), 9).await.unwrap()), [3, 5]);
    assert_eq!(ids(store.dead_letters(Some(DeadLetterId(1)), 9).await.unwrap()), [9, 3, 5]);
}

async fn a_replayed_letter_is_in_the_log_again(mut store: Store) {
    set_aside(&store, 1, &[1, 2]).await;
    assert!(!store.replay(DeadLetterId(7)).await.unwrap());
    assert!(store.replay(DeadLetterId(1)).await.unwrap());
    assert!(!store.replay(DeadLetterId(1)).await.unwrap(), "only once");
    store.reopen().await;
    assert_eq!(texts(&store.log(B).await), ["entry 1"]);
    assert_eq!(store.dead_letters(None, 9).await.unwrap(), [letter(2)]);
}

async fn a_discarded_letter_is_gone(mut store: Store) {
    set_aside(&store, 1, &[1, 2]).await;
    assert!(store.discard(DeadLetterId(1)).await.unwrap());
    assert!(!store.discard(DeadLetterId(1)).await.unwrap(), "only once");
    assert!(!store.replay(DeadLetterId(1)).await.unwrap());
    store.reopen().await;
    assert!(store.log(B).await.is_empty());
    assert_eq!(store.dead_letters(None, 9).await.unwrap(), [letter(2)]);
}
