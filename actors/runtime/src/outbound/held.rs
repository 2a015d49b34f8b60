//! The send slots that this node has reserved for one number, and when it needs more. Pure: time is handed in.

use std::collections::VecDeque;
use std::time::Duration;

use store::engine::Slots;
use tokio::time::Instant;

use super::store_time::StoreTime;
use crate::limits::{CLAIM_SIGHT, CLAIM_TIME, CLAIMED_AHEAD_MIN, SLOT_USABLE, SLOT_USABLE_MIN, SLOTS_AHEAD};

/// When a message may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    from: Instant,
    until: Instant,
}

/// Whether the next message may be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// Yes.
    Now,
    /// Its slot is further away.
    At(Instant),
    /// Not before something else has changed.
    Later,
}

/// Reserved slots.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) per_second: u32,
    windows: VecDeque<Window>,
    /// Messages that are claimed, or are just being, and have not taken their slot.
    pub(super) claimed: usize,
    time: StoreTime,
}

/// So many of the limit as there are in a span.
fn share(per_second: u32, span: Duration) -> usize {
    (f64::from(per_second) * span.as_secs_f64()).ceil() as usize
}

impl Held {
    pub(super) fn new(per_second: u32) -> Self {
        Self { per_second, windows: VecDeque::new(), claimed: 0, time: StoreTime::default() }
    }

    /// Whether a message may be claimed. What is claimed when a process dies can only be resolved, so there are few
    /// of them, but enough to hide a commit of [`CLAIM_TIME`]; and none whose slot is not in sight, since it counts
    /// as lost after a minute.
    pub(super) fn sight(&mut self, now: Instant) -> Sight {
        self.forget_late(now);
        if self.claimed >= share(self.per_second, CLAIM_TIME).max(CLAIMED_AHEAD_MIN) {
            return Sight::Later;
        }
        match self.windows.get(self.claimed) {
            Some(window) if window.from <= now + CLAIM_SIGHT => Sight::Now,
            Some(window) => Sight::At(window.from - CLAIM_SIGHT),
            None => Sight::Later,
        }
    }

    /// When the next slot is.
    pub(super) fn next(&mut self, now: Instant) -> Option<Instant> {
        self.forget_late(now);
        self.windows.front().map(|window| window.from)
    }

    /// Takes the next slot, if it is one for now.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let is_now = self.next(now).is_some_and(|from| from <= now);
        if is_now {
            self.windows.pop_front();
        }
        is_now
    }

    /// How many more to reserve while `ready` messages wait to be claimed: no more than can be used, and no more
    /// than a node may sit on. Half of them before the others are used up, so that a slow answer costs nothing.
    pub(super) fn wanted(&mut self, now: Instant, ready: usize) -> u32 {
        self.forget_late(now);
        let usable = (ready + self.claimed).min(share(self.per_second, SLOTS_AHEAD));
        let held = self.windows.len();
        if held * 2 > usable { 0 } else { u32::try_from(usable - held).unwrap_or(u32::MAX) }
    }

    /// The store gave slots.
    pub(super) fn grant(&mut self, asked_at: Instant, answered_at: Instant, slots: &Slots) {
        let told = self.time.learn(asked_at, answered_at, slots.at);
        for slot in 0..slots.count {
            let after = slots.first_after + slots.spacing * slot;
            let from = told.latest + after;
            // A store that is always slow leaves no time that is surely right; then the limit is kept as well as can
            // be rather than nothing sent.
            let until = (told.earliest + after + SLOT_USABLE).max(from + SLOT_USABLE_MIN);
            self.windows.push_back(Window { from, until });
        }
    }

    /// When one of them is too late for everybody, and another may be needed.
    pub(super) fn late_at(&self) -> Option<Instant> {
        self.windows.front().map(|window| window.until + Duration::from_millis(1))
    }

    fn forget_late(&mut self, now: Instant) {
        while self.windows.front().is_some_and(|window| window.until < now) {
            self.windows.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACING: Duration = Duration::from_millis(20);

    fn slots(first_after_ms: u64, count: u32) -> Slots {
        let first_after = Duration::from_millis(first_after_ms);
        Slots { at: Duration::from_secs(1_790_000_000), first_after, spacing: SPACING, count }
    }

    /// Fifty a second, and slots whose time is exactly known but for the resolution of the store's clock.
    fn held(now: Instant, first_after_ms: u64, count: u32) -> Held {
        let mut held = Held::new(50);
        held.grant(now, now, &slots(first_after_ms, count));
        held
    }

    #[test]
    fn no_more_is_wanted_than_can_be_used_and_a_node_may_sit_on() {
        // Ready, claimed, held already: wanted. A fifth of a second has ten slots.
        let table = [
            (0, 0, 0, 0),
            (1, 0, 0, 1),
            (1, 1, 1, 1),
            (2, 1, 2, 0),
            (3, 0, 0, 3),
            (500, 5, 0, 10),
            (500, 5, 6, 0),
            (500, 5, 5, 5),
            (0, 2, 0, 2),
        ];
        let now = Instant::now();
        for (ready, claimed, had, wanted) in table {
            let mut held = held(now, 10, had);
            held.claimed = claimed;
            assert_eq!(held.wanted(now, ready), wanted, "{ready} ready, {claimed} claimed, {had} held");
        }
    }

    #[test]
    fn a_message_is_claimed_when_its_slot_is_in_sight() {
        let now = Instant::now();
        assert_eq!(held(now, 0, 0).sight(now), Sight::Later);
        assert_eq!(held(now, 499, 1).sight(now), Sight::Now);
        assert_eq!(held(now, 700, 1).sight(now), Sight::At(now + Duration::from_millis(200)));
        let mut all_claimed = held(now, 0, 2);
        all_claimed.claimed = 2;
        assert_eq!(all_claimed.sight(now), Sight::Later, "a slot each");
        let mut many_claimed = held(now, 0, 10);
        many_claimed.claimed = 5;
        assert_eq!(many_claimed.sight(now), Sight::Later, "a tenth of a second ahead");
    }

    #[test]
    fn a_slot_is_taken_in_its_time_or_not_at_all() {
        let now = Instant::now();
        let ms = |ms| now + Duration::from_millis(ms);
        let mut held = held(now, 10, 3);
        assert!(!held.take(ms(9)), "too early");
        assert!(held.take(ms(10)));
        assert_eq!(held.next(ms(49)), Some(ms(30)), "still usable");
        assert_eq!(held.next(ms(50)), Some(ms(50)), "the one before is too late now");
        assert!(!held.take(ms(100)));
        assert_eq!(held.next(ms(100)), None);
    }

    #[test]
    fn a_store_that_is_always_slow_does_not_stop_a_number() {
        let now = Instant::now();
        let answered = now + Duration::from_millis(300);
        let mut held = Held::new(50);
        held.grant(now, answered, &slots(0, 1));
        assert!(held.take(answered + SLOT_USABLE_MIN));
    }
}
