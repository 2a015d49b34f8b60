//! The store's clock on this node's: slots are instants of the store, messages leave by the clock here.
//!
//! Each answer bounds where the two stand to each other: the store wrote its time after it was asked and before it had
//! answered. Bounds of several answers are laid over each other, so one quick answer helps the slow ones after it.

use std::time::Duration;

use tokio::time::Instant;

/// How far two clocks may part: this share of the time that has passed (200 millionths; quartz stays below 100).
const DRIFT_DIVISOR: u32 = 5_000;

/// Some stores tell the time in whole milliseconds.
const RESOLUTION: Duration = Duration::from_millis(1);

/// The store's clock showed `at` on this node's clock no earlier and no later than:
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    at: Duration,
    pub(super) earliest: Instant,
    pub(super) latest: Instant,
}

/// What is known from earlier answers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StoreTime(Option<Moment>);

impl StoreTime {
    /// The store said that it was `at`.
    pub(super) fn learn(&mut self, asked_at: Instant, answered_at: Instant, at: Duration) -> Moment {
        let told = Moment {
            at,
            earliest: asked_at.checked_sub(RESOLUTION).unwrap_or(asked_at),
            latest: answered_at,
        };
        // A store whose clock was set, or another one after a fail-over, agrees with nothing that was known.
        let moment =
            self.0.and_then(|known| known.when(at)).and_then(|known| known.and(&told)).unwrap_or(told);
        self.0 = Some(moment);
        moment
    }
}

impl Moment {
    /// The same knowledge about another time; none if that is before.
    fn when(&self, at: Duration) -> Option<Self> {
        let passed = at.checked_sub(self.at)?;
        let drift = passed / DRIFT_DIVISOR;
        let earliest = self.earliest.checked_add(passed)?.checked_sub(drift)?;
        Some(Self { at, earliest, latest: self.latest.checked_add(passed + drift)? })
    }

    fn and(&self, other: &Self) -> Option<Self> {
        let earliest = self.earliest.max(other.earliest);
        let latest = self.latest.min(other.latest);
        (earliest <= latest).then_some(Self { at: other.at, earliest, latest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_quick_answer_bounds_the_slow_ones_after_it() {
        let begin = Instant::now() + DAY;
        let store = |local: Instant| ms(1_790_000_000_000) + (local - begin);
        let mut time = StoreTime::default();
        let first = time.learn(begin, begin + ms(2), store(begin + ms(1)));
        assert_eq!((first.earliest, first.latest), (begin - RESOLUTION, begin + ms(2)));
        // 100 ms later, and the answer takes 80 ms.
        let asked = begin + ms(100);
        let second = time.learn(asked, asked + ms(80), store(asked + ms(70)));
        let truth = asked + ms(70);
        assert!(second.earliest <= truth && truth <= second.latest);
        assert!(second.latest - second.earliest < ms(4), "{:?}", second.latest - second.earliest);
    }

    #[test]
    fn a_clock_that_was_set_is_believed_anew() {
        let begin = Instant::now() + DAY;
        for (step_ms, at_ms) in [("ahead", 9_000), ("back", 10)] {
            let mut time = StoreTime::default();
            time.learn(begin, begin + ms(1), ms(1_000));
            let asked = begin + ms(100);
            let after = time.learn(asked, asked + ms(3), ms(at_ms));
            assert_eq!(after.latest - after.earliest, ms(3) + RESOLUTION, "{step_ms}");
        }
    }
}
