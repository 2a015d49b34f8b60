//! When to try again: one delivery by its attempts, one endpoint by its failures in a row.

use protocol::time::{SpanMs, TimestampMs};

use crate::limits::{BREAKER_FAILURES, BREAKER_MAX, BREAKER_MIN};

/// Pauses before the second and later attempts: a restart is bridged in seconds, a weekend in hours. Together a
/// little over three days, as Standard Webhooks suggest.
const PAUSES: [SpanMs; 9] = [
    SpanMs::seconds(5),
    SpanMs::minutes(5),
    SpanMs::minutes(30),
    SpanMs::hours(2),
    SpanMs::hours(5),
    SpanMs::hours(10),
    SpanMs::hours(14),
    SpanMs::hours(20),
    SpanMs::hours(24),
];

/// The pause after so many failed attempts, spread by `jitter` (0 to 1) over ±20 %; `None` when it was the last.
pub(super) fn pause(failed_attempts: u32, jitter: f64) -> Option<SpanMs> {
    let index = usize::try_from(failed_attempts.checked_sub(1)?).ok()?;
    let SpanMs(pause_ms) = *PAUSES.get(index)?;
    Some(SpanMs((pause_ms as f64 * (0.8 + 0.4 * jitter)) as i64))
}

/// Holds an endpoint back that fails all the time, so that a long queue does not hammer it.
#[derive(Debug, Default)]
pub(in crate::consumers) struct Breaker {
    failures: u32,
    closed_until: Option<TimestampMs>,
}

impl Breaker {
    /// How many deliveries may be tried now; after a rest only one, to see.
    pub(in crate::consumers) fn allows(&self, now: TimestampMs, most: usize) -> usize {
        match self.closed_until {
            Some(until) if now < until => 0,
            Some(_) => 1,
            None => most,
        }
    }

    /// When the rest ends.
    pub(in crate::consumers) const fn rests_until(&self) -> Option<TimestampMs> {
        self.closed_until
    }

    pub(in crate::consumers) fn succeeded(&mut self) {
        *self = Self::default();
    }

    pub(in crate::consumers) fn failed(&mut self, now: TimestampMs) {
        self.failures = self.failures.saturating_add(1);
        if let Some(doublings) = self.failures.checked_sub(BREAKER_FAILURES) {
            let rest_ms = BREAKER_MIN.0.saturating_mul(1 << doublings.min(16)).min(BREAKER_MAX.0);
            self.closed_until = Some(now + SpanMs(rest_ms));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_end_after_three_to_four_days() {
        let total: i64 = (1..).map_while(|attempts| pause(attempts, 0.5)).map(|pause| pause.0).sum();
        assert!((SpanMs::hours(72).0..SpanMs::hours(96).0).contains(&total), "{total}");
        assert_eq!(pause(PAUSES.len() as u32 + 1, 0.5), None);
        assert_eq!((pause(1, 0.0), pause(1, 1.0)), (Some(SpanMs(4_000)), Some(SpanMs(6_000))));
    }

    #[test]
    fn an_endpoint_that_always_fails_is_left_alone_and_then_probed() {
        let (mut breaker, now) = (Breaker::default(), TimestampMs(1_000));
        for _ in 1..BREAKER_FAILURES {
            breaker.failed(now);
            assert_eq!(breaker.allows(now, 8), 8);
        }
        breaker.failed(now);
        assert_eq!(breaker.allows(now, 8), 0);
        let later = now + BREAKER_MIN;
        assert_eq!(breaker.allows(later, 8), 1, "one to see");
        breaker.failed(later);
        assert_eq!(breaker.rests_until(), Some(later + SpanMs(2 * BREAKER_MIN.0)));
        for _ in 0..100 {
            breaker.failed(later);
        }
        assert_eq!(breaker.rests_until(), Some(later + BREAKER_MAX));
        breaker.succeeded();
        assert_eq!(breaker.allows(later, 8), 8);
    }
}
