//! The store's clock, handed in, so that tests and the simulation decide what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::time::{SpanMs, TimestampMs};

/// Tells the time of a store.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> TimestampMs;
}

/// Since the Unix epoch; a clock of before shows the epoch.
pub(super) fn since_epoch(now: TimestampMs) -> Duration {
    Duration::from_millis(u64::try_from(now.0).unwrap_or_default())
}

/// The clock of the machine, made monotone: a step backwards (NTP, a resumed virtual machine) must not let
/// a lease or a result live twice.
#[derive(Debug, Default)]
pub struct SystemClock {
    latest_ms: AtomicI64,
}

impl Clock for SystemClock {
    fn now(&self) -> TimestampMs {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall_ms = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        let before_ms = self.latest_ms.fetch_max(wall_ms, Ordering::Relaxed);
        TimestampMs(before_ms.max(wall_ms))
    }
}

/// A clock that stands still until it is told to move. Clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    now_ms: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn at(now: TimestampMs) -> Self {
        Self { now_ms: Arc::new(AtomicI64::new(now.0)) }
    }

    /// Moves on.
    pub fn advance(&self, span: SpanMs) {
        self.now_ms.fetch_add(span.0, Ordering::Relaxed);
    }

    /// Jumps.
    pub fn set(&self, now: TimestampMs) {
        self.now_ms.store(now.0, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> TimestampMs {
        TimestampMs(self.now_ms.load(Ordering::Relaxed))
    }
}
