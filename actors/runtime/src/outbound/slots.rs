//! Send slots of one number: reserved from the store, which gives each to one node only, for the messages that wait here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use protocol::id::NumberId;
use store::engine::{SlotRequest, Slots};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::{Instant, sleep_until};

use super::guard::Guard;
use super::held::{Held, Sight};
use crate::limits::{RECEIVED_SHARE, RECEIVED_TOLD_EVERY};

/// The slots of one number.
#[derive(Debug)]
pub(super) struct NumberSlots {
    number: NumberId,
    held: Mutex<Held>,
    guard: ArcSwap<Guard>,
    /// Messages of contacts that the store was not told of.
    received: AtomicU32,
    /// Something of the above is not as it was. Three tasks wait for it: who claims, who sends next, who reserves.
    changed: Notify,
    /// Claimed messages take their slots in the order in which they came.
    turn: tokio::sync::Mutex<()>,
}

/// A claimed message that has no slot yet.
pub(super) struct Claimed(Arc<NumberSlots>);

/// See [`NumberSlots::next`].
pub(super) enum Next {
    Ask(SlotRequest),
    Wait(Option<Instant>),
}

impl Drop for Claimed {
    fn drop(&mut self) {
        self.0.held.lock().claimed -= 1;
        self.0.changed();
    }
}

impl NumberSlots {
    pub(super) fn new(number: NumberId) -> Self {
        // Replaced by the number's own limit before the first slot.
        Self {
            number,
            held: Mutex::new(Held::new(1)),
            guard: ArcSwap::from_pointee(Guard::new(1)),
            received: AtomicU32::new(0),
            changed: Notify::new(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Whoever waits looks again.
    pub(super) fn changed(&self) {
        self.changed.notify_waiters();
    }

    /// Resolves when something has changed since this call.
    pub(super) fn changes(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// The number's limit, which may change.
    pub(super) fn limit(&self, per_second: u32) {
        if self.guard.load().per_second != per_second {
            self.held.lock().per_second = per_second;
            self.guard.store(Arc::new(Guard::new(per_second)));
        }
    }

    /// Messages of contacts, which count against the limit.
    pub(super) fn count_received(&self, messages: u32) {
        // No number owes more than a second's worth.
        let limit = self.guard.load().per_second;
        let counted = |before: u32| Some(before.saturating_add(messages).min(before.max(limit)));
        let before = self.received.fetch_update(Ordering::Relaxed, Ordering::Relaxed, counted);
        let worth_telling = self.worth_telling();
        if before
            .is_ok_and(|before| before < worth_telling && before.saturating_add(messages) >= worth_telling)
        {
            self.changed();
        }
    }

    /// Fewer are told with the next reservation.
    fn worth_telling(&self) -> u32 {
        (self.guard.load().per_second / RECEIVED_SHARE).max(1)
    }

    /// Waits until a message may be claimed.
    pub(super) async fn in_sight(&self) {
        loop {
            let changed = self.changed.notified();
            let sight = self.held.lock().sight(Instant::now());
            match sight {
                Sight::Now => return,
                Sight::At(at) => tokio::select! {
                    () = sleep_until(at) => {}
                    () = changed => {}
                },
                Sight::Later => changed.await,
            }
        }
    }

    /// A message is about to be claimed: it needs a slot until this is dropped.
    pub(super) fn claim(self: &Arc<Self>) -> Claimed {
        self.held.lock().claimed += 1;
        self.changed();
        Claimed(Arc::clone(self))
    }

    /// Waits for a slot and takes it.
    pub(super) async fn take(&self) {
        let _turn = self.turn.lock().await;
        loop {
            let changed = self.changed.notified();
            let next = self.held.lock().next(Instant::now());
            let Some(from) = next else {
                changed.await;
                continue;
            };
            sleep_until(from).await;
            self.guard.load_full().pass().await;
            if self.held.lock().take(Instant::now()) {
                return;
            }
        }
    }

    /// What the store is to be asked, or when to look again. `ready` messages wait to be claimed.
    pub(super) fn next(&self, now: Instant, ready: usize, told_at: Option<Instant>) -> Next {
        let mut held = self.held.lock();
        let (wanted, received) = (held.wanted(now, ready), self.received.load(Ordering::Relaxed));
        let telling =
            (received >= self.worth_telling()).then(|| told_at.map_or(now, |at| at + RECEIVED_TOLD_EVERY));
        if wanted == 0 && telling.is_none_or(|at| at > now) {
            return Next::Wait(telling.into_iter().chain(held.late_at()).min());
        }
        Next::Ask(SlotRequest { number: self.number, per_second: held.per_second, wanted, received })
    }

    /// The store answered.
    pub(super) fn grant(&self, asked_at: Instant, request: &SlotRequest, slots: &Slots) {
        // Only now: what the store may not have heard of is told once more.
        self.received.fetch_sub(request.received, Ordering::Relaxed);
        self.held.lock().grant(asked_at, Instant::now(), slots);
        self.changed();
    }
}
