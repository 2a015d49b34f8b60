//! Who is let in when more comes than can be made durable: everybody, only messages, or nobody for a moment.
//!
//! What counts is how long webhooks that came earlier have been waiting by now: whoever comes after them waits about as
//! long. To say 503 at once is kinder than to let everybody wait until the provider gives up: it comes again.
//! Statuses go first: a message moves a conversation, a late status only a tick mark.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::limits::{OVERDUE_WEBHOOKS, WAIT_WITHOUT_STATUSES, WAIT_WITHOUT_WEBHOOKS};

/// Webhooks under way are counted by the time of their arrival, in steps of this.
const STEP: Duration = Duration::from_millis(25);
/// Steps that are told apart: 3.2 s, several times the longest wait that is allowed.
const STEPS: usize = 128;

/// Counts webhooks under way.
pub struct Admission {
    began: Instant,
    arrived: Arc<[AtomicU32; STEPS]>,
}

/// How many may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Load {
    /// Everything.
    Normal,
    /// No webhooks that carry nothing but statuses.
    Heavy,
    /// Nothing.
    Over,
}

/// One webhook under way; it is over when this is dropped, however it ends.
pub struct UnderWay {
    arrived: Arc<[AtomicU32; STEPS]>,
    step: usize,
}

impl Admission {
    /// Nobody is under way.
    #[must_use]
    pub fn new(began: Instant) -> Self {
        Self { began, arrived: Arc::new([const { AtomicU32::new(0) }; STEPS]) }
    }

    /// A webhook arrives.
    pub fn enter(&self, now: Instant) -> UnderWay {
        let step = self.step(now) % STEPS;
        self.arrived[step].fetch_add(1, Ordering::Relaxed);
        UnderWay { arrived: Arc::clone(&self.arrived), step }
    }

    /// By the wait of those that are under way.
    pub fn load(&self, now: Instant) -> Load {
        let newest = self.step(now);
        let young = |wait: Duration| (wait.as_millis() / STEP.as_millis()) as usize;
        let mut waiting = 0;
        let mut load = Load::Normal;
        // The oldest first; whatever is older than all steps counts as one of them.
        for age in (young(WAIT_WITHOUT_STATUSES) + 1..STEPS).rev() {
            waiting += self.arrived[(newest + STEPS - age) % STEPS].load(Ordering::Relaxed);
            if waiting >= OVERDUE_WEBHOOKS {
                load = if age > young(WAIT_WITHOUT_WEBHOOKS) { Load::Over } else { Load::Heavy };
                break;
            }
        }
        load
    }

    fn step(&self, now: Instant) -> usize {
        (now.saturating_duration_since(self.began).as_millis() / STEP.as_millis()) as usize
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.arrived[self.step].fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrive(admission: &Admission, count: u32, at: Instant) -> Vec<UnderWay> {
        (0..count).map(|_| admission.enter(at)).collect()
    }

    #[test]
    fn statuses_are_shed_before_messages() {
        let began = Instant::now();
        let admission = Admission::new(began);
        let waiting = arrive(&admission, OVERDUE_WEBHOOKS, began);
        let mut loads = Vec::new();
        for step in 0..100 {
            let load = admission.load(began + step * STEP);
            if loads.last() != Some(&load) {
                loads.push(load);
            }
        }
        assert_eq!(loads, [Load::Normal, Load::Heavy, Load::Over]);
        assert_eq!(admission.load(began + WAIT_WITHOUT_STATUSES - STEP), Load::Normal);
        assert_eq!(admission.load(began + WAIT_WITHOUT_STATUSES + STEP), Load::Heavy);
        assert_eq!(admission.load(began + WAIT_WITHOUT_WEBHOOKS + STEP), Load::Over);
        drop(waiting);
        assert_eq!(admission.load(began + WAIT_WITHOUT_WEBHOOKS + STEP), Load::Normal);
    }

    #[test]
    fn many_webhooks_that_move_on_are_no_overload() {
        let began = Instant::now();
        let admission = Admission::new(began);
        let mut waiting = std::collections::VecDeque::new();
        // Each hundred is done four steps later.
        for step in 0..1_000 {
            let now = began + step * STEP;
            waiting.push_back(arrive(&admission, 100, now));
            if waiting.len() > 4 {
                waiting.pop_front();
            }
            assert_eq!(admission.load(now), Load::Normal);
        }
    }

    #[test]
    fn a_few_that_are_stuck_hold_nobody_up() {
        let began = Instant::now();
        let admission = Admission::new(began);
        let _stuck = arrive(&admission, OVERDUE_WEBHOOKS - 1, began);
        assert_eq!(admission.load(began + 2 * WAIT_WITHOUT_WEBHOOKS), Load::Normal);
    }
}
