//! The world behind a lock, with the clock that it is told.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::options::Options;
use super::world::{Stats, World};

/// What handlers, deliveries and the handle share.
pub(crate) struct Shared {
    pub(crate) base_url: String,
    /// Rings when there may be something new to deliver.
    pub(crate) wake: Notify,
    /// Updates that were taken from the schedule and are not delivered yet.
    pub(crate) in_flight: AtomicUsize,
    options: Options,
    world: Mutex<World>,
    advanced_ms: AtomicI64,
}

impl Shared {
    pub(crate) fn new(options: Options, base_url: String) -> Self {
        let world = World::new(&options, options.frozen_at_ms.unwrap_or_else(unix_ms));
        Self {
            base_url,
            wake: Notify::new(),
            in_flight: AtomicUsize::new(0),
            options,
            world: Mutex::new(world),
            advanced_ms: AtomicI64::new(0),
        }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.options.frozen_at_ms.unwrap_or_else(unix_ms) + self.advanced_ms.load(Ordering::Relaxed)
    }

    /// Does something with the world at the present time. Never hold it over a wait.
    pub(crate) fn world<R>(&self, act: impl FnOnce(&mut World, i64) -> R) -> R {
        let result = self.peek(act);
        self.wake.notify_one();
        result
    }

    /// The same for who cannot make new deliveries.
    pub(crate) fn peek<R>(&self, act: impl FnOnce(&mut World, i64) -> R) -> R {
        let mut world = self.world.lock();
        act(&mut world, self.now_ms())
    }

    pub(crate) fn stats(&self) -> Stats {
        let in_flight = self.in_flight.load(Ordering::Relaxed);
        self.peek(|world, _| {
            let updates_waiting = world.schedule.len() + in_flight;
            Stats { updates_waiting, ..world.ledger.stats.clone() }
        })
    }

    /// Sets the callbacks of one account, or of all.
    pub(crate) fn set_callbacks(&self, waba_id: Option<&str>, urls: &[String]) {
        self.world(|world, _| {
            for account in &mut world.accounts {
                if waba_id.is_none_or(|id| id == account.waba_id) {
                    account.callback_urls = urls.to_vec();
                }
            }
        });
    }

    pub(crate) fn advance(&self, by_ms: i64) {
        self.advanced_ms.fetch_add(by_ms, Ordering::Relaxed);
        self.wake.notify_one();
    }

    pub(crate) fn reset(&self) {
        self.world(|world, now_ms| {
            let mut options = self.options.clone();
            for (account, current) in options.accounts.iter_mut().zip(&world.accounts) {
                account.callback_urls.clone_from(&current.callback_urls);
            }
            *world = World::new(&options, now_ms);
        });
    }
}

fn unix_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}
