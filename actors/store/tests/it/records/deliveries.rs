use protocol::id::EndpointId;
use protocol::time::SpanMs;
use store::records::*;

use super::facts::{ACME, Chat, OTHER, minute, project};
use super::{Backend, fresh};

pub(super) async fn retries_until_delivered_or_dead<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chat = Chat::with(ACME, 1);
    project(&records, vec![chat.started(minute(0)), chat.received(minute(0), 1, "a")]).await;
    let endpoint = EndpointId(1);
    let advance = Advance { consumer: "deliverer", from: EventSeq(0), to: EventSeq(2) };
    let deliveries = vec![(endpoint, ACME, EventSeq(1)), (endpoint, ACME, EventSeq(2))];
    records.delivery_commit(DeliveryCommit { advance, now: minute(1), deliveries }).await.unwrap();

    let due = async |now| {
        let due = records.deliveries_due(endpoint, now, 10).await.unwrap();
        due.iter().map(|delivery| (delivery.event.seq.0, delivery.attempts)).collect::<Vec<_>>()
    };
    assert_eq!(due(minute(0)).await, []);
    assert_eq!(due(minute(1)).await, [(1, 0), (2, 0)]);
    assert_eq!(records.deliveries_due(EndpointId(2), minute(1), 10).await.unwrap(), []);
    let retry = DeliveryOutcome::Retry { at: minute(5), error: "503".into() };
    let outcomes = vec![(endpoint, EventSeq(1), DeliveryOutcome::Delivered), (endpoint, EventSeq(2), retry)];
    records.finish_deliveries(outcomes).await.unwrap();
    assert_eq!(records.pending_endpoints().await.unwrap(), [(endpoint, minute(5))]);
    assert_eq!(due(minute(4)).await, []);
    assert_eq!(due(minute(5)).await, [(2, 1)]);
    let dead = DeliveryOutcome::Dead { error: "410".into() };
    records.finish_deliveries(vec![(endpoint, EventSeq(2), dead)]).await.unwrap();
    assert_eq!(records.pending_endpoints().await.unwrap(), []);

    let list = |tenant| {
        let (state, after, limit) = (DeliveryState::Dead, EventSeq(0), 10);
        records.deliveries(DeliveryQuery { tenant, endpoint, state, after, limit })
    };
    let kept = list(ACME).await.unwrap();
    assert_eq!((kept.len(), kept[0].attempts, kept[0].last_error.as_deref()), (1, 2, Some("410")));
    assert_eq!(list(OTHER).await.unwrap(), []);
    assert!(!records.revive_delivery(OTHER, endpoint, EventSeq(2), minute(6)).await.unwrap());
    assert!(records.revive_delivery(ACME, endpoint, EventSeq(2), minute(6)).await.unwrap());
    assert_eq!(due(minute(6)).await, [(2, 0)], "all attempts again");
    let dead = DeliveryOutcome::Dead { error: "410".into() };
    records.finish_deliveries(vec![(endpoint, EventSeq(2), dead)]).await.unwrap();
    records.forget(minute(6) + SpanMs::hours(24 * limits::DEAD_DELIVERY_DAYS) + SpanMs(1)).await.unwrap();
    assert_eq!(list(ACME).await.unwrap(), []);
}
