//! The provider's limit on a number: messages per second, in and out together.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, Reference as _};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

/// Part of the limit that may leave at once: it makes up for timers that wake late.
const BURST_DIVISOR: u32 = 40;

/// How far below the bound the rate stays. A limiter of this kind lets ⌊rate⌋ + burst through in any second, so a
/// rate just below `limit − burst + 1` uses the limit and never exceeds it.
const BELOW: f64 = 0.1;

/// Time since the limiter was made, by tokio's clock, which tests may stop.
#[derive(Clone, Debug)]
pub(super) struct Uptime(Instant);

impl Clock for Uptime {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Gives send slots to the messages of one number.
#[derive(Debug)]
pub(super) struct Limiter {
    /// Messages per second that it was made for.
    pub(super) per_second: u32,
    governor: RateLimiter<NotKeyed, InMemoryState, Uptime, NoOpMiddleware<Duration>>,
    clock: Uptime,
    /// Received messages that have not taken their slot yet.
    received: AtomicU32,
    /// Waiting messages take their slots in the order in which they came.
    turn: tokio::sync::Mutex<()>,
}

/// Rate (per second) and burst for a limit.
fn shape(per_second: u32) -> (f64, NonZeroU32) {
    let burst = NonZeroU32::new(per_second / BURST_DIVISOR).unwrap_or(NonZeroU32::MIN);
    (f64::from(per_second.max(1) - burst.get().min(per_second.max(1))) + 1.0 - BELOW, burst)
}

impl Limiter {
    pub(super) fn new(per_second: u32) -> Self {
        let (rate, burst) = shape(per_second);
        let period = Duration::from_secs_f64(1.0 / rate);
        // The period is positive for every limit, so the fallback is never taken.
        let quota =
            Quota::with_period(period).unwrap_or(Quota::per_second(NonZeroU32::MIN)).allow_burst(burst);
        let clock = Uptime(Instant::now());
        Self {
            per_second,
            governor: RateLimiter::direct_with_clock(quota, clock.clone()),
            clock,
            received: AtomicU32::new(0),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// Counts messages of contacts. What finds no slot now takes them from later sends, but at most every second
    /// one and no more than a second's worth: a flood from outside must not silence the number.
    pub(super) fn count_received(&self, messages: u32) {
        for counted in 0..messages {
            if self.governor.check().is_err() {
                let add = messages - counted;
                let cap = self.per_second;
                let raised = |waiting: u32| Some(waiting.saturating_add(add).min(cap));
                let _ = self.received.fetch_update(Ordering::Relaxed, Ordering::Relaxed, raised);
                return;
            }
        }
    }

    /// Waits for a send slot.
    pub(super) async fn slot(&self) {
        let _turn = self.turn.lock().await;
        let one_less = |waiting: u32| waiting.checked_sub(1);
        if self.received.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
            self.cell().await;
        }
        self.cell().await;
    }

    async fn cell(&self) {
        while let Err(not_until) = self.governor.check() {
            let wait = not_until.earliest_possible().duration_since(self.clock.now());
            tokio::time::sleep(wait.into()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds at which slots are given while there is backlog, for `seconds`.
    async fn slots(limiter: &Limiter, seconds: u64) -> Vec<u128> {
        let began = Instant::now();
        let mut given = Vec::new();
        while began.elapsed() < Duration::from_secs(seconds) {
            limiter.slot().await;
            given.push(began.elapsed().as_millis());
        }
        given
    }

    fn most_in_a_second(given: &[u128]) -> usize {
        let within =
            |first: usize| given[first..].iter().take_while(|&&at| at - given[first] <= 1_000).count();
        (0..given.len()).map(within).max().unwrap_or(0)
    }

    #[tokio::test(start_paused = true)]
    async fn p8_the_limit_is_used_and_never_exceeded_in_any_second() {
        for per_second in [5, 20, 80, 250, 1_000] {
            // Idle first: the burst must not come on top.
            tokio::time::advance(Duration::from_secs(3)).await;
            let limiter = Limiter::new(per_second);
            tokio::time::advance(Duration::from_secs(3)).await;
            let given = slots(&limiter, 20).await;
            assert!(
                most_in_a_second(&given) <= per_second as usize,
                "{per_second}: {}",
                most_in_a_second(&given)
            );
            let used = given.len() as f64 / 20.0 / f64::from(per_second);
            assert!(used >= 0.95, "{per_second}: used {used}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn received_messages_count_and_cannot_silence_the_number() {
        let limiter = Limiter::new(80);
        limiter.count_received(1_000_000);
        let given = slots(&limiter, 1).await;
        assert!(given.len() <= 41, "every second slot went to what was received: {}", given.len());
        assert!(given.len() >= 38, "{}", given.len());
    }

    #[test]
    fn rate_and_burst_stay_within_every_limit() {
        for per_second in 1..=2_000 {
            let (rate, burst) = shape(per_second);
            assert!(rate.floor() as u32 + burst.get() <= per_second, "{per_second}");
            assert!(rate > 0.0);
        }
    }
}
