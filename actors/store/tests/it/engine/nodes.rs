//! Which nodes are there.

use protocol::time::SpanMs;

use super::harness::{LEASE, Store, for_every_engine};

for_every_engine!(nodes_are_there_until_they_leave_or_fall_silent);

async fn nodes_are_there_until_they_leave_or_fall_silent(store: Store) {
    // Larger than what fits into a signed number or a float without loss.
    const LARGE: u64 = u64::MAX - 1;
    assert_eq!(store.heartbeat(7, LEASE).await.unwrap(), [7]);
    assert_eq!(store.heartbeat(LARGE, LEASE).await.unwrap(), [7, LARGE]);
    store.clock.advance(SpanMs(LEASE.0 - 1));
    assert_eq!(store.heartbeat(LARGE, LEASE).await.unwrap(), [7, LARGE]);
    store.clock.advance(SpanMs(1));
    assert_eq!(store.heartbeat(LARGE, LEASE).await.unwrap(), [LARGE], "seven fell silent");
    assert_eq!(store.heartbeat(7, LEASE).await.unwrap(), [7, LARGE]);
    assert_eq!(store.heartbeat(LARGE, SpanMs(0)).await.unwrap(), [7], "the other one left");
}
