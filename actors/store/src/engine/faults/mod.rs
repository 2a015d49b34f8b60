//! An engine that misbehaves on purpose, repeatably: lost and late answers, refusals, duplicates, stolen
//! leases, pauses.
//!
//! For the simulation and the tests of whoever uses an engine. Everything it does could happen with a store at
//! the other end of a network; the engine behind it keeps its laws all the time.

mod engine;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use protocol::shard::ShardId;
use protocol::time::SpanMs;
use tokio::sync::watch;
use tokio::time::sleep;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{Engine, EngineError, EngineResult};

/// How often something goes wrong, in calls per thousand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultRates {
    /// A change is made, its answer is lost: `Unknown`.
    pub lost_answer: u16,
    /// A change is not made, and neither does the caller learn that: `Unknown`.
    pub lost_request: u16,
    /// A call is refused and has no effect: `Full` for appends, else `Failed`.
    pub refused: u16,
    /// An append is made twice, as when a provider repeats a webhook.
    pub duplicated: u16,
    /// Another owner takes the shard just before a commit, which is then `Fenced`.
    pub stolen: u16,
    /// An append or a commit is made some seconds after its caller was told `Unknown`, and has perhaps made it again.
    pub late: u16,
    /// A change takes seconds.
    pub slow: u16,
}

/// The longest that a slow call takes, and the longest that a late one comes after its caller gave it up.
const DELAY_MAX: Duration = Duration::from_secs(3);

/// Counts of what was done wrong.
#[derive(Debug, Default)]
pub struct FaultCounts {
    /// Changes whose answer was lost.
    pub lost_answers: AtomicU64,
    /// Changes that were lost.
    pub lost_requests: AtomicU64,
    /// Calls refused.
    pub refused: AtomicU64,
    /// Appends made twice.
    pub duplicated: AtomicU64,
    /// Leases stolen.
    pub stolen: AtomicU64,
    /// Changes that came late.
    pub late: AtomicU64,
    /// Changes that took long.
    pub slow: AtomicU64,
}

impl FaultCounts {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        let all = [
            &self.lost_answers,
            &self.lost_requests,
            &self.refused,
            &self.duplicated,
            &self.stolen,
            &self.late,
            &self.slow,
        ];
        all.into_iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

/// Wraps an engine. See the [module](self).
pub struct FaultyEngine {
    inner: Arc<dyn Engine>,
    seed: u64,
    calls: AtomicU64,
    rates: Mutex<FaultRates>,
    counts: FaultCounts,
    /// Calls wait while it is `true`.
    held: watch::Sender<bool>,
    /// Who holds which shard: a thief must look like its holder to the engine behind.
    holders: Mutex<HashMap<ShardId, (u64, SpanMs)>>,
}

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Done,
    LostAnswer,
    LostRequest,
    Refused,
}

impl FaultyEngine {
    /// The same seed and the same order of calls give the same faults.
    #[must_use]
    pub fn new(inner: Arc<dyn Engine>, seed: u64, rates: FaultRates) -> Self {
        Self {
            inner,
            seed,
            calls: AtomicU64::new(0),
            rates: Mutex::new(rates),
            counts: FaultCounts::default(),
            held: watch::Sender::new(false),
            holders: Mutex::default(),
        }
    }

    /// From now on.
    pub fn set_rates(&self, rates: FaultRates) {
        *self.rates.lock() = rates;
    }

    /// What went wrong so far.
    pub fn counts(&self) -> &FaultCounts {
        &self.counts
    }

    /// Calls that begin from now on wait for [`FaultyEngine::release_calls`]: the store is slow.
    pub fn hold_calls(&self) {
        self.held.send_replace(true);
    }

    /// Lets waiting calls go on.
    pub fn release_calls(&self) {
        self.held.send_replace(false);
    }

    async fn pass(&self) {
        // The sender lives in `self`: waiting cannot fail.
        drop(self.held.subscribe().wait_for(|held| !held).await);
    }

    /// A number below 1,000 that follows from the seed and the number of draws so far.
    fn draw(&self) -> u16 {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        (xxh3_64_with_seed(&call.to_le_bytes(), self.seed) % 1_000) as u16
    }

    fn happens(&self, rate: u16, count: &AtomicU64) -> bool {
        let happens = self.draw() < rate;
        count.fetch_add(u64::from(happens), Ordering::Relaxed);
        happens
    }

    /// Decides about a call that changes something.
    fn fate(&self) -> Fate {
        let rates = *self.rates.lock();
        if self.happens(rates.refused, &self.counts.refused) {
            Fate::Refused
        } else if self.happens(rates.lost_request, &self.counts.lost_requests) {
            Fate::LostRequest
        } else if self.happens(rates.lost_answer, &self.counts.lost_answers) {
            Fate::LostAnswer
        } else {
            Fate::Done
        }
    }

    /// Makes a change, or not, and tells about it, or not.
    async fn change<T>(
        &self,
        refusal: impl FnOnce() -> EngineError,
        call: impl Future<Output = EngineResult<T>>,
    ) -> EngineResult<T> {
        self.pass().await;
        let rate = self.rates.lock().slow;
        if self.happens(rate, &self.counts.slow) {
            sleep(self.delay()).await;
        }
        match self.fate() {
            Fate::Done => call.await,
            Fate::Refused => Err(refusal()),
            Fate::LostRequest => Err(EngineError::Unknown("the request was lost on purpose".into())),
            Fate::LostAnswer => {
                drop(call.await);
                Err(EngineError::Unknown("the answer was lost on purpose".into()))
            }
        }
    }

    /// Whether a change is made later, see [`Self::make_later`].
    fn is_late(&self) -> bool {
        let rate = self.rates.lock().late;
        self.happens(rate, &self.counts.late)
    }

    /// Makes a change whose caller is told that nobody knows.
    fn make_later<T>(&self, call: impl Future<Output = T> + Send + 'static) -> EngineError {
        let delay = self.delay();
        drop(tokio::spawn(async move {
            sleep(delay).await;
            drop(call.await);
        }));
        EngineError::Unknown("the request is late on purpose".into())
    }

    fn delay(&self) -> Duration {
        DELAY_MAX * u32::from(self.draw()) / 1_000
    }

    /// Passes a call that changes nothing, or refuses it.
    async fn look<T>(&self, call: impl Future<Output = EngineResult<T>>) -> EngineResult<T> {
        self.pass().await;
        let rate = self.rates.lock().refused;
        if self.happens(rate, &self.counts.refused) { Err(refused()) } else { call.await }
    }

    async fn maybe_steal(&self, shard: ShardId) -> EngineResult<()> {
        let rate = self.rates.lock().stolen;
        let holder = self.holders.lock().get(&shard).copied();
        if let Some((node, ttl)) = holder
            && self.happens(rate, &self.counts.stolen)
        {
            self.inner.acquire(shard, node, ttl).await?;
        }
        Ok(())
    }
}

fn refused() -> EngineError {
    EngineError::Failed("refused on purpose".into())
}

fn full() -> EngineError {
    EngineError::Full("refused on purpose".into())
}
