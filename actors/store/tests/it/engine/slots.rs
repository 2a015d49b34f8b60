//! Send slots of numbers.

use std::time::Duration;

use protocol::id::NumberId;
use protocol::time::SpanMs;
use store::engine::limits::SLOT_TOLERANCE;
use store::engine::{SlotRequest, Slots};

use super::harness::{Store, for_every_engine};

for_every_engine!(
    p8_no_second_has_more_slots_than_the_limit_whoever_asks,
    p8_with_backlog_the_limit_is_used,
    slots_that_nobody_took_are_gone,
    received_messages_take_slots_of_the_number,
    numbers_do_not_share_slots,
);

const NUMBER: NumberId = NumberId(1);

fn request(per_second: u32, wanted: u32, received: u32) -> SlotRequest {
    SlotRequest { number: NUMBER, per_second, wanted, received }
}

/// When the slots are, by the store's clock.
fn times(slots: Slots) -> impl Iterator<Item = Duration> {
    (0..slots.count).map(move |slot| slots.at + slots.first_after + slots.spacing * slot)
}

fn most_in_a_second(times: &[Duration]) -> usize {
    let second = Duration::from_secs(1) + SLOT_TOLERANCE;
    let within = |first: usize| times[first..].iter().take_while(|&&at| at - times[first] <= second).count();
    (0..times.len()).map(within).max().unwrap_or_default()
}

async fn p8_no_second_has_more_slots_than_the_limit_whoever_asks(store: Store) {
    for (number, per_second) in [1u32, 7, 80, 1_000].into_iter().enumerate() {
        let number = NumberId(number as u128);
        let mut given: Vec<Duration> = vec![];
        for call in 0..60u32 {
            // Idle for some seconds now and then, and bursts of calls between.
            let passed_ms = if call % 20 == 19 { 3_000 } else { i64::from(call * 37 % 11) * 13 };
            store.clock.advance(SpanMs(passed_ms * i64::from(call % 3 == 0)));
            let (wanted, received) = (call * 7 % (per_second / 5 + 2), u32::from(call % 9 == 0) * 3);
            let request = SlotRequest { number, per_second, wanted, received };
            given.extend(times(store.reserve_slots(request).await.unwrap()));
        }
        assert!(given.len() >= 30, "{per_second}: {}", given.len());
        assert!(given.is_sorted_by(|a, b| a < b), "{per_second}: every slot is given once");
        let most = most_in_a_second(&given);
        assert!(most <= per_second as usize, "{per_second}: {most} in one second");
    }
}

async fn p8_with_backlog_the_limit_is_used(store: Store) {
    let mut given = 0;
    for _ in 0..100 {
        let slots = store.reserve_slots(request(80, 16, 0)).await.unwrap();
        let end = slots.first_after + slots.spacing * slots.count;
        given += slots.count;
        // Asked again a tenth of a second before the last one ends.
        store.clock.advance(SpanMs(end.as_millis() as i64 - 100));
    }
    let slots = store.reserve_slots(request(80, 1, 0)).await.unwrap();
    let seconds = 100.0 * 16.0 * slots.spacing.as_secs_f64();
    assert!(f64::from(given) >= 0.97 * 80.0 * seconds, "{given} in {seconds} s");
}

async fn slots_that_nobody_took_are_gone(store: Store) {
    let first = store.reserve_slots(request(80, 1, 0)).await.unwrap();
    assert_eq!((first.first_after, first.count), (Duration::ZERO, 1));
    let second = store.reserve_slots(request(80, 2, 0)).await.unwrap();
    assert_eq!(second.first_after, first.spacing, "one behind the other");
    store.clock.advance(SpanMs::seconds(10));
    let later = store.reserve_slots(request(80, 5_000, 0)).await.unwrap();
    assert_eq!((later.first_after, later.count), (Duration::ZERO, 80), "no more than a second's worth");
    assert_eq!(later.spacing, first.spacing);
    assert_eq!(later.at - first.at, Duration::from_secs(10));
}

async fn received_messages_take_slots_of_the_number(store: Store) {
    let free = |slots: Slots| slots.first_after.as_micros() / slots.spacing.as_micros();
    let told = store.reserve_slots(request(80, 0, 10)).await.unwrap();
    assert_eq!(told.count, 0);
    assert_eq!(free(store.reserve_slots(request(80, 4, 0)).await.unwrap()), 4, "as many as are sent");
    assert_eq!(free(store.reserve_slots(request(80, 20, 0)).await.unwrap()), 8 + 6, "the rest");
    assert_eq!(free(store.reserve_slots(request(80, 1, 0)).await.unwrap()), 34);
}

async fn numbers_do_not_share_slots(store: Store) {
    for number in 0..8 {
        let request = SlotRequest { number: NumberId(number), ..request(1, 1, 0) };
        assert_eq!(store.reserve_slots(request).await.unwrap().first_after, Duration::ZERO);
    }
}
