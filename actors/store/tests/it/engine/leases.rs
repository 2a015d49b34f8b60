//! Leases.

use protocol::time::SpanMs;
use store::engine::EngineError;

use super::harness::{A, B, LEASE, Store, batch, for_every_engine};

for_every_engine!(
    a_lease_keeps_others_out_until_it_ends,
    its_holder_may_take_it_again,
    renewing_prolongs_and_tells_the_truth,
    a_lease_names_the_token_before_it,
    a_released_lease_is_free_and_worthless,
    an_ended_lease_still_fences_until_somebody_takes_it,
);

async fn a_lease_keeps_others_out_until_it_ends(store: Store) {
    let first = store.acquire(A, 1, LEASE).await.unwrap().unwrap();
    assert_eq!(store.acquire(A, 2, LEASE).await.unwrap(), None);
    assert!(store.acquire(B, 2, LEASE).await.unwrap().is_some(), "another shard is another lease");
    store.clock.advance(LEASE);
    let second = store.acquire(A, 2, LEASE).await.unwrap().unwrap();
    assert!(second.token.epoch > first.token.epoch);
    assert!(matches!(store.commit(batch(&first, 1)).await, Err(EngineError::Fenced)));
    store.commit(batch(&second, 2)).await.unwrap();
}

async fn its_holder_may_take_it_again(store: Store) {
    let first = store.acquire(A, 1, LEASE).await.unwrap().unwrap();
    let again = store.acquire(A, 1, LEASE).await.unwrap().unwrap();
    assert_ne!(first.token, again.token);
    assert!(matches!(store.commit(batch(&first, 1)).await, Err(EngineError::Fenced)));
}

async fn renewing_prolongs_and_tells_the_truth(store: Store) {
    let stale = store.acquire(A, 1, LEASE).await.unwrap().unwrap();
    let lease = store.acquire(A, 1, LEASE).await.unwrap().unwrap();
    store.clock.advance(SpanMs(LEASE.0 - 1));
    let renewed = store.renew(&[(A, stale.token), (A, lease.token), (B, lease.token)], LEASE).await.unwrap();
    assert_eq!(renewed, [false, true, false]);
    store.clock.advance(SpanMs(LEASE.0 - 1));
    assert_eq!(store.acquire(A, 2, LEASE).await.unwrap(), None);
}

async fn a_lease_names_the_token_before_it(store: Store) {
    let first = store.acquire(A, 1, LEASE).await.unwrap().unwrap();
    assert_eq!(first.before, None);
    let again = store.acquire(A, 1, LEASE).await.unwrap().unwrap();
    assert_eq!(again.before, Some(first.token));
    store.clock.advance(LEASE);
    let other = store.acquire(A, 2, LEASE).await.unwrap().unwrap();
    assert_eq!(other.before, Some(again.token));
    store.release(A, other.token).await.unwrap();
    assert_eq!(store.acquire(A, 1, LEASE).await.unwrap().unwrap().before, None, "it was given back");
}

async fn a_released_lease_is_free_and_worthless(store: Store) {
    let lease = store.acquire(A, 1, LEASE).await.unwrap().unwrap();
    store.release(A, lease.token).await.unwrap();
    assert!(matches!(store.commit(batch(&lease, 1)).await, Err(EngineError::Fenced)));
    assert!(matches!(store.release(A, lease.token).await, Err(EngineError::Fenced)));
    assert!(store.acquire(A, 2, LEASE).await.unwrap().is_some());
}

async fn an_ended_lease_still_fences_until_somebody_takes_it(store: Store) {
    let lease = store.acquire(A, 1, LEASE).await.unwrap().unwrap();
    store.clock.advance(SpanMs(2 * LEASE.0));
    store.commit(batch(&lease, 1)).await.unwrap();
    assert_eq!(store.renew(&[(A, lease.token)], LEASE).await.unwrap(), [true]);
    assert_eq!(store.acquire(A, 2, LEASE).await.unwrap(), None);
}
