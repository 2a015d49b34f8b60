//! The provider's limit per recipient: one message every 6 seconds, with up to 45 borrowed from the future.

use protocol::time::{SpanMs, TimestampMs};
use serde::{Deserialize, Serialize};

use crate::limits::{PAIR_BURST, PAIR_INTERVAL};

/// A leaky bucket in one number: when the quota that was used will have been earned back (GCRA).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PairLimit {
    earned_at: TimestampMs,
}

impl PairLimit {
    /// When the next message may go: now or later.
    #[must_use]
    pub fn ready_at(self, now: TimestampMs) -> TimestampMs {
        let borrowed = SpanMs(PAIR_INTERVAL.0 * (PAIR_BURST - 1));
        now.max(self.earned_at - borrowed)
    }

    /// Uses the quota of one message.
    pub(super) fn take(&mut self, now: TimestampMs) {
        self.earned_at = self.earned_at.max(now) + PAIR_INTERVAL;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_borrowed_and_then_paid_back() {
        let (mut limit, start) = (PairLimit::default(), TimestampMs(1_000_000));
        for _ in 0..PAIR_BURST {
            assert_eq!(limit.ready_at(start), start);
            limit.take(start);
        }
        let next = limit.ready_at(start);
        assert_eq!(next, start + PAIR_INTERVAL);
        limit.take(next);
        assert_eq!(limit.ready_at(next), next + PAIR_INTERVAL);
        let rested = next + SpanMs(PAIR_INTERVAL.0 * (PAIR_BURST + 1));
        assert_eq!(limit.ready_at(rested), rested);
    }
}
