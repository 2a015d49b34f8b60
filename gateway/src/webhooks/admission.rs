//! Who is let in when more comes than can be made durable: everybody, only messages, or nobody for a moment.
//!
//! What counts is how long webhooks that came earlier have been waiting by now: whoever comes after them waits about as
//! long. To say 503 at once is kinder than to let everybody wait until the provider gives up: it comes again.
//! Statuses go first, and come back last: a message moves a conversation, a late status only a tick mark.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::limits::{OVERDUE_WEBHOOKS, STATUSES_STAY_OUT, WAIT_WITHOUT_STATUSES, WAIT_WITHOUT_WEBHOOKS};

/// Webhooks under way are counted by the time of their arrival, in steps of this.
const STEP: Duration = Duration::from_millis(25);
/// Steps that are told apart: 3.2 s, several times the longest wait that is allowed.
const STEPS: usize = 128;

/// Counts webhooks under way.
pub struct Admission {
    began: Instant,
    arrived: [AtomicU32; STEPS],
    /// The step in which statuses may come again.
    statuses_from: AtomicUsize,
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
pub struct UnderWay<'a>(&'a AtomicU32);

impl Admission {
    /// Nobody is under way.
    #[must_use]
    pub fn new(began: Instant) -> Self {
        let arrived = [const { AtomicU32::new(0) }; STEPS];
        Self { began, arrived, statuses_from: AtomicUsize::new(0) }
    }

    /// A webhook arrives.
    pub fn enter(&self, now: Instant) -> UnderWay<'_> {
        let arrived = &self.arrived[self.step(now) % STEPS];
        arrived.fetch_add(1, Ordering::Relaxed);
        UnderWay(arrived)
    }

    /// By the wait of those that are under way, and of those a moment ago.
    pub fn load(&self, now: Instant) -> Load {
        let newest = self.step(now);
        let load = self.load_by_wait(newest);
        if load > Load::Normal {
            self.statuses_from.fetch_max(newest + steps(STATUSES_STAY_OUT), Ordering::Relaxed);
        }
        let statuses_stay_out = newest < self.statuses_from.load(Ordering::Relaxed);
        if statuses_stay_out { load.max(Load::Heavy) } else { load }
    }

    fn load_by_wait(&self, newest: usize) -> Load {
        let mut waiting = 0;
        // The oldest first; whatever is older than all steps counts as one of them.
        for age in (steps(WAIT_WITHOUT_STATUSES) + 1..STEPS).rev() {
            waiting += self.arrived[(newest + STEPS - age) % STEPS].load(Ordering::Relaxed);
            if waiting >= OVERDUE_WEBHOOKS {
                return if age > steps(WAIT_WITHOUT_WEBHOOKS) { Load::Over } else { Load::Heavy };
            }
        }
        Load::Normal
    }

    fn step(&self, now: Instant) -> usize {
        steps(now.saturating_duration_since(self.began))
    }
}

fn steps(wait: Duration) -> usize {
    (wait.as_millis() / STEP.as_millis()) as usize
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrive(admission: &Admission, count: u32, at: Instant) -> Vec<UnderWay<'_>> {
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
        drop(waiting);
    }

    #[test]
    fn statuses_come_back_last() {
        let began = Instant::now();
        let admission = Admission::new(began);
        let waiting = arrive(&admission, OVERDUE_WEBHOOKS, began);
        assert_eq!(admission.load(began + WAIT_WITHOUT_STATUSES - STEP), Load::Normal);
        let late = began + WAIT_WITHOUT_STATUSES + STEP;
        assert_eq!(admission.load(late), Load::Heavy);
        let later = began + WAIT_WITHOUT_WEBHOOKS + STEP;
        assert_eq!(admission.load(later), Load::Over);
        drop(waiting);
        assert_eq!(admission.load(later), Load::Heavy);
        assert_eq!(admission.load(later + STATUSES_STAY_OUT - STEP), Load::Heavy);
        assert_eq!(admission.load(later + STATUSES_STAY_OUT), Load::Normal);
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
