//! The last look before a message leaves: whatever the store said, this node alone keeps the number's limit.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, Reference as _};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use crate::limits::SLOT_USABLE;

/// Time since the guard was made, by tokio's clock, which tests may stop.
#[derive(Clone, Debug)]
struct Uptime(Instant);

impl Clock for Uptime {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Lets as many messages pass as the limit says, and at once no more than slots can be late together. Slots are
/// farther apart than its cells, so it holds up nobody who has one.
#[derive(Debug)]
pub(super) struct Guard {
    /// Messages per second that it was made for.
    pub(super) per_second: u32,
    governor: RateLimiter<NotKeyed, InMemoryState, Uptime, NoOpMiddleware<Duration>>,
    clock: Uptime,
}

impl Guard {
    pub(super) fn new(per_second: u32) -> Self {
        let rate = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
        let late_together = (f64::from(per_second) * SLOT_USABLE.as_secs_f64()) as u32 + 1;
        let burst = NonZeroU32::new(late_together).unwrap_or(NonZeroU32::MIN);
        let clock = Uptime(Instant::now());
        let governor =
            RateLimiter::direct_with_clock(Quota::per_second(rate).allow_burst(burst), clock.clone());
        Self { per_second, governor, clock }
    }

    /// Waits until one more may pass.
    pub(super) async fn pass(&self) {
        while let Err(not_until) = self.governor.check() {
            let wait = not_until.earliest_possible().duration_since(self.clock.now());
            tokio::time::sleep(wait.into()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_guard_keeps_the_limit_by_itself() {
        for per_second in [1, 5, 80, 1_000] {
            let guard = Guard::new(per_second);
            let began = Instant::now();
            let mut passed = 0;
            while began.elapsed() < Duration::from_secs(10) {
                guard.pass().await;
                passed += 1;
            }
            assert!(passed <= per_second * 10 + per_second / 40 + 2, "{per_second}: {passed}");
        }
    }
}
