//! Send slots of a number: what nodes reserve before they send, and the arithmetic for engines that keep it in memory.
//!
//! One instant per number says from when on slots are free. A reservation moves it, so nobody is given a slot twice;
//! what nobody took in time is gone, so nothing is saved up. Messages of contacts use the same throughput: a number
//! *owes* a slot for each of them. Time pays that debt, and sends pay at most every second slot, so that a flood from
//! outside halves a number and does not silence it.

use std::collections::HashMap;
use std::time::Duration;

use protocol::id::NumberId;

use super::limits::{SLOT_TOLERANCE, SLOTS_AHEAD_MAX, SLOTS_NUMBERS_MAX};

/// What a node asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotRequest {
    /// The number that sends.
    pub number: NumberId,
    /// Messages that the provider lets it send and receive in a second.
    pub per_second: u32,
    /// Slots; no more than a second's worth are given at once. Zero to tell of received messages only.
    pub wanted: u32,
    /// Messages of contacts that came since the last call.
    pub received: u32,
}

/// Consecutive slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// The store's time when it answered, since the Unix epoch. Clocks of nodes differ: only the difference between
    /// this value in two answers means something there.
    pub at: Duration,
    /// From then until the first slot.
    pub first_after: Duration,
    /// From one slot to the next.
    pub spacing: Duration,
    /// How many.
    pub count: u32,
}

impl SlotRequest {
    /// From one slot to the next, in microseconds: so much that no second, lengthened by [`SLOT_TOLERANCE`] and with
    /// both its ends, has more slots than the limit.
    pub(super) fn spacing_us(&self) -> u64 {
        let second = Duration::from_secs(1) + SLOT_TOLERANCE;
        second.as_micros() as u64 / u64::from(self.limit()) + 1
    }

    pub(super) fn limit(&self) -> u32 {
        self.per_second.max(1)
    }

    pub(super) fn count(&self) -> u32 {
        self.wanted.min(self.limit())
    }

    pub(super) fn granted(&self, now_us: u64, first_us: u64) -> Slots {
        Slots {
            at: Duration::from_micros(now_us),
            first_after: Duration::from_micros(first_us.saturating_sub(now_us)),
            spacing: Duration::from_micros(self.spacing_us()),
            count: self.count(),
        }
    }
}

/// What is known of one number. `library.lua` does the same.
#[derive(Clone, Copy, Debug, Default)]
struct Booked {
    /// From here on slots are free.
    free_us: u64,
    /// Slots for received messages, of before `free_us`.
    owed: u64,
}

impl Booked {
    /// The first slot.
    fn reserve(&mut self, now_us: u64, request: &SlotRequest) -> u64 {
        let (spacing, count) = (request.spacing_us(), u64::from(request.count()));
        let free = self.free_us.min(now_us + SLOTS_AHEAD_MAX.as_micros() as u64);
        let start = free.max(now_us);
        let passed = (start - free) / spacing;
        let owed = self.owed.saturating_sub(passed) + u64::from(request.received);
        let owed = owed.min(request.limit().into());
        let paid = owed.min(count);
        let first = start + paid * spacing;
        *self = Self { free_us: first + count * spacing, owed: owed - paid };
        first
    }

    /// Whether it still tells anything: no number owes more than a second's worth.
    fn matters(&self, now_us: u64) -> bool {
        self.free_us + 2_000_000 > now_us
    }
}

/// Every number of a store that one process has to itself.
#[derive(Debug, Default)]
pub(super) struct Bookings(HashMap<NumberId, Booked>);

impl Bookings {
    /// See [`super::Engine::reserve_slots`].
    pub(super) fn reserve(&mut self, now: Duration, request: &SlotRequest) -> Slots {
        let now_us = now.as_micros() as u64;
        if self.0.len() >= SLOTS_NUMBERS_MAX && !self.0.contains_key(&request.number) {
            self.0.retain(|_, booked| booked.matters(now_us));
        }
        let first_us = self.0.entry(request.number).or_default().reserve(now_us, request);
        request.granted(now_us, first_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(per_second: u32, wanted: u32, received: u32) -> SlotRequest {
        SlotRequest { number: NumberId(1), per_second, wanted, received }
    }

    #[test]
    fn p8_no_lengthened_second_has_more_slots_than_the_limit_and_it_is_used() {
        let second_us = (Duration::from_secs(1) + SLOT_TOLERANCE).as_micros() as u64;
        for per_second in 1..=2_000 {
            let spacing = request(per_second, 0, 0).spacing_us();
            let slots = second_us / spacing + 1;
            assert!(slots <= per_second.into(), "{per_second}: {slots}");
            let used = 1e6 / spacing as f64 / f64::from(per_second);
            assert!(used >= 0.97, "{per_second}: {used}");
        }
    }

    #[test]
    fn received_messages_take_slots_once() {
        // Spacing 12,813 µs. Each line: milliseconds passed, wanted, received, first slot after so many spacings.
        let table = [
            (0, 1, 0, 0.0),
            // Two are owed: paid before the two slots that are wanted.
            (0, 2, 2, 1.0 + 2.0),
            (0, 1, 0, 5.0),
            // Four are owed and one is wanted: every second slot.
            (0, 1, 4, 6.0 + 1.0),
            (0, 1, 0, 8.0 + 1.0),
            // A second later time has paid the others.
            (1_000, 1, 0, 0.0),
            // More than a second's worth is never owed.
            (0, 79, 1_000, 1.0 + 79.0),
            (0, 1, 0, 159.0 + 1.0),
            (0, 1, 0, 161.0),
        ];
        let (mut bookings, mut now) = (Bookings::default(), Duration::from_secs(1_790_000_000));
        for (line, (passed_ms, wanted, received, spacings)) in table.into_iter().enumerate() {
            now += Duration::from_millis(passed_ms);
            let slots = bookings.reserve(now, &request(80, wanted, received));
            let after = slots.first_after.as_secs_f64() / slots.spacing.as_secs_f64();
            assert!((after - spacings).abs() < 1e-6, "line {line}: {after} instead of {spacings}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_stops_a_number_for_a_bounded_time() {
        let mut bookings = Bookings::default();
        bookings.reserve(Duration::from_secs(1_790_000_000), &request(80, 80, 0));
        let slots = bookings.reserve(Duration::from_secs(1_700_000_000), &request(80, 1, 0));
        assert_eq!(slots.first_after, SLOTS_AHEAD_MAX);
    }

    #[test]
    fn numbers_that_are_silent_are_forgotten() {
        let mut bookings = Bookings::default();
        let one = |number| SlotRequest { number: NumberId(number), ..request(80, 1, 0) };
        for number in 0..3 * SLOTS_NUMBERS_MAX as u128 {
            bookings.reserve(Duration::from_secs(1_790_000_000 + number as u64), &one(number));
        }
        assert!(bookings.0.len() <= SLOTS_NUMBERS_MAX);
    }
}
