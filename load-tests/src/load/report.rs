//! What came of a load.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Counts and latencies of one run.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Answers by HTTP status.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests without an answer.
    pub failed: u64,
    /// How long the run took.
    pub elapsed: Duration,
    latencies_us: Histogram<u64>,
}

/// The summary in numbers, for people and for JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Numbers {
    /// Answers with 200.
    pub ok: u64,
    /// Other answers, and requests without one.
    pub not_ok: u64,
    /// Duration of the run.
    pub seconds: f64,
    /// Answers with 200 per second.
    pub per_second: f64,
    /// Half of the answers came within this.
    pub p50_ms: f64,
    /// 99 of 100 answers came within this.
    pub p99_ms: f64,
    /// The slowest but one in a thousand.
    pub p999_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

const LONGEST_US: u64 = 60_000_000;

impl Default for Summary {
    fn default() -> Self {
        // Bounds are constant and valid: one microsecond to one minute, three digits.
        let latencies_us = Histogram::new_with_bounds(1, LONGEST_US, 3);
        #[expect(
            clippy::expect_used,
            reason = "constant, valid bounds; a summary without a histogram is none"
        )]
        let latencies_us = latencies_us.expect("valid bounds");
        Self { statuses: BTreeMap::new(), failed: 0, elapsed: Duration::ZERO, latencies_us }
    }
}

impl Summary {
    pub(crate) fn answered(&mut self, status: u16, latency: Duration) {
        *self.statuses.entry(status).or_default() += 1;
        let micros = u64::try_from(latency.as_micros()).unwrap_or(LONGEST_US);
        self.latencies_us.saturating_record(micros.max(1));
    }

    pub(crate) fn failed(&mut self) {
        self.failed += 1;
    }

    pub(crate) fn finish(&mut self, elapsed: Duration) {
        self.elapsed = elapsed;
    }

    /// Answers with 200.
    #[must_use]
    pub fn ok(&self) -> u64 {
        self.statuses.get(&200).copied().unwrap_or(0)
    }

    /// Everything in numbers.
    #[must_use]
    pub fn numbers(&self) -> Numbers {
        let ok = self.ok();
        let all: u64 = self.statuses.values().sum::<u64>() + self.failed;
        let seconds = self.elapsed.as_secs_f64();
        let at = |quantile| to_f64(self.latencies_us.value_at_quantile(quantile)) / 1_000.0;
        Numbers {
            ok,
            not_ok: all - ok,
            seconds,
            per_second: if seconds > 0.0 { to_f64(ok) / seconds } else { 0.0 },
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: to_f64(self.latencies_us.max()) / 1_000.0,
        }
    }
}

/// Counts and microseconds of a run are far below 2^32, where nothing is lost.
pub(crate) fn to_f64(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
