//! For lines about something that may happen thousands of times per second.

use std::sync::atomic::{AtomicI64, Ordering};

use protocol::time::{SpanMs, TimestampMs};

/// Lets one line through per interval; what is counted stands in a metric anyway.
#[derive(Debug)]
pub struct Seldom {
    interval: SpanMs,
    next_ms: AtomicI64,
}

impl Seldom {
    /// At most one line in this span.
    #[must_use]
    pub const fn every(interval: SpanMs) -> Self {
        Self { interval, next_ms: AtomicI64::new(i64::MIN) }
    }

    /// Whether a line is due; whoever is told so writes it.
    pub fn due(&self, now: TimestampMs) -> bool {
        let next = self.next_ms.load(Ordering::Relaxed);
        let after = (now + self.interval).0;
        now.0 >= next
            && self.next_ms.compare_exchange(next, after, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_per_interval() {
        let seldom = Seldom::every(SpanMs::seconds(1));
        let due: Vec<bool> = [0, 1, 999, 1_000, 1_001, 5_000].map(|at| seldom.due(TimestampMs(at))).to_vec();
        assert_eq!(due, [true, false, false, true, false, true]);
    }
}
