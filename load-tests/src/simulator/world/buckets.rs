//! The provider's rate limits: one bucket per number, one debt per pair.

/// Messages of one number per second, inbound and outbound together.
#[derive(Clone, Debug)]
pub(crate) struct NumberBucket {
    per_second: f64,
    tokens: f64,
    at_ms: i64,
}

impl NumberBucket {
    pub(crate) fn new(per_second: u32, now_ms: i64) -> Self {
        let per_second = f64::from(per_second.max(1));
        Self { per_second, tokens: per_second, at_ms: now_ms }
    }

    /// Takes one token for a send; `false` when the number is at its limit.
    pub(crate) fn take(&mut self, now_ms: i64) -> bool {
        self.refill(now_ms);
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }

    /// Counts one inbound message: it is never refused, but leaves less for sends.
    pub(crate) fn drain(&mut self, now_ms: i64) {
        self.refill(now_ms);
        self.tokens = (self.tokens - 1.0).max(0.0);
    }

    fn refill(&mut self, now_ms: i64) {
        let elapsed_ms = u32::try_from((now_ms - self.at_ms).clamp(0, 1_000)).unwrap_or(0);
        self.tokens = (self.tokens + self.per_second * f64::from(elapsed_ms) / 1_000.0).min(self.per_second);
        self.at_ms = self.at_ms.max(now_ms);
    }
}

/// One message to one person costs six seconds; at most 45 of them may be borrowed from the future.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PairDebt {
    paid_at_ms: i64,
}

const PAIR_INTERVAL_MS: i64 = 6_000;
const PAIR_BURST: i64 = 45;

impl PairDebt {
    /// Whether one more may be borrowed now.
    pub(crate) fn allows(self, now_ms: i64) -> bool {
        self.paid_at_ms.max(now_ms) - now_ms <= (PAIR_BURST - 1) * PAIR_INTERVAL_MS
    }

    /// Borrows one.
    pub(crate) fn borrow(&mut self, now_ms: i64) {
        self.paid_at_ms = self.paid_at_ms.max(now_ms) + PAIR_INTERVAL_MS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_sends_its_rate_and_no_more() {
        let mut bucket = NumberBucket::new(80, 0);
        assert_eq!((0..200).filter(|_| bucket.take(0)).count(), 80);
        assert_eq!((0..200).filter(|_| bucket.take(500)).count(), 40);
        assert_eq!((0..200).filter(|_| bucket.take(60_000)).count(), 80, "idle time is not saved up");
    }

    #[test]
    fn inbound_messages_count_against_the_number() {
        let mut bucket = NumberBucket::new(80, 0);
        for _ in 0..100 {
            bucket.drain(0);
        }
        assert!(!bucket.take(0));
        assert!(bucket.take(13), "one token after an eightieth of a second");
    }

    #[test]
    fn a_pair_borrows_forty_five_and_pays_back() {
        let mut pair = PairDebt::default();
        let mut sent = 0;
        while pair.allows(1_000_000) {
            pair.borrow(1_000_000);
            sent += 1;
        }
        assert_eq!(sent, 45);
        assert!(!pair.allows(1_005_999));
        assert!(pair.allows(1_006_000), "one is paid back every six seconds");
    }
}
