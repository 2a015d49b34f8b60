//! One kind of webhook, as fast as it is answered or at a fixed rate.

use std::cell::{Cell, RefCell};
use std::io;
use std::ops::Range;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::corpus::Corpus;
use super::drive::{Exchange, Source, Target, drive};
use super::report::Summary;

/// When requests are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Each connection sends its next request when the last is answered: finds the throughput.
    Closed,
    /// At a fixed rate whatever the answers: finds the latency. It counts from the instant at which a request should
    /// have been sent, so that a stall of the server is seen by all requests that it delays. Timers tick in
    /// milliseconds: up to one of them is the generator's own.
    Open {
        /// Requests per second over all connections.
        per_second: f64,
    },
}

struct Plain {
    corpus: Rc<Corpus>,
    range: Range<usize>,
    pace: Pace,
    limit: Duration,
    started: Cell<Instant>,
    next: Cell<usize>,
    summary: RefCell<Summary>,
}

/// Sends the requests of a range of the corpus for at most `limit`, and returns when all of them were answered.
///
/// # Errors
/// When the server cannot be reached at all. Later failures are counted.
pub fn drive_plain(
    target: &Target,
    corpus: &Rc<Corpus>,
    range: Range<usize>,
    pace: Pace,
    limit: Duration,
) -> io::Result<Summary> {
    let plain = Rc::new(Plain {
        corpus: Rc::clone(corpus),
        next: Cell::new(range.start),
        range,
        pace,
        limit,
        started: Cell::new(Instant::now()),
        summary: RefCell::default(),
    });
    let elapsed = drive(target, &plain)?;
    let mut summary = plain.summary.take();
    summary.finish(elapsed);
    Ok(summary)
}

impl Source for Plain {
    fn begin(&self, now: Instant) {
        self.started.set(now);
    }

    fn due(&self, now: Instant) -> Option<Instant> {
        let index = self.next.get();
        let started = self.started.get();
        let due = match self.pace {
            Pace::Closed => now,
            Pace::Open { per_second } => {
                let nth = u32::try_from(index - self.range.start).unwrap_or(u32::MAX);
                started + Duration::from_secs_f64(f64::from(nth) / per_second)
            }
        };
        (index < self.range.end && due.max(now) < started + self.limit).then_some(due)
    }

    fn take(&self) -> usize {
        self.next.replace(self.next.get() + 1)
    }

    fn request<'a>(&'a self, index: usize, _: &'a mut Vec<u8>) -> &'a [u8] {
        self.corpus.request(index)
    }

    fn ended(&self, _: usize, exchange: &Exchange<'_>) {
        let mut summary = self.summary.borrow_mut();
        match exchange.answer {
            Some((status, _)) => summary.answered(status, exchange.ended - exchange.intended),
            None => summary.failed(),
        }
    }
}
