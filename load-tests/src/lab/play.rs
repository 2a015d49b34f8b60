//! Plays a script against gateways: an open loop, latency counts from the intended start.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::load::{Exchange, Source, Target, drive};

use super::render::{Renderer, Setting};
use super::script::{Script, What};

/// What came of one request. Times are microseconds from the beginning of the script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// HTTP status; 0 when there was no answer, or when it was not sent.
    pub(super) status: u16,
    /// It was sent.
    pub(super) was_sent: bool,
    /// A connection was free.
    pub(super) was_free: bool,
    pub(super) sent_us: u64,
    pub(super) ended_us: u64,
}

impl Outcome {
    /// It is promised: the gateway said so.
    pub(super) fn is_accepted(self) -> bool {
        matches!(self.status, 200 | 202)
    }
}

/// A script that was played.
pub(super) struct Played {
    pub(super) script: Script,
    /// For each event.
    pub(super) outcomes: Vec<Outcome>,
    /// Message ids that calls were answered with.
    pub(super) sends: Vec<String>,
    /// When it began.
    pub(super) unix_ms: i64,
    /// Until the last answer.
    pub(super) seconds: f64,
}

/// What is not sent so long after its time never is: the load is over, and the gateway far behind.
const TOO_LATE: Duration = Duration::from_secs(30);

struct Stage {
    script: Script,
    renderer: Rc<Renderer>,
    setting: RefCell<Setting>,
    started: Cell<Instant>,
    unix_ms: Cell<i64>,
    next: Cell<usize>,
    outcomes: RefCell<Vec<Outcome>>,
    sends: RefCell<Vec<String>>,
}

/// Plays.
///
/// # Errors
/// When the gateways cannot be reached at all.
pub(super) fn play(
    target: &Target,
    renderer: &Rc<Renderer>,
    script: Script,
    text_chars: usize,
) -> io::Result<Played> {
    let outcomes = RefCell::new(vec![Outcome::default(); script.events.len()]);
    let stage = Rc::new(Stage {
        script,
        renderer: Rc::clone(renderer),
        setting: RefCell::new(Setting { chat: "x".repeat(text_chars), unix_seconds: 0 }),
        started: Cell::new(Instant::now()),
        unix_ms: Cell::new(0),
        next: Cell::new(0),
        outcomes,
        sends: RefCell::default(),
    });
    let elapsed = drive(target, &stage)?;
    let stage = Rc::into_inner(stage).ok_or_else(|| io::Error::other("a connection still plays"))?;
    Ok(Played {
        script: stage.script,
        outcomes: stage.outcomes.into_inner(),
        sends: stage.sends.into_inner(),
        unix_ms: stage.unix_ms.get(),
        seconds: elapsed.as_secs_f64(),
    })
}

impl Stage {
    fn micros(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.started.get()).as_micros()).unwrap_or(u64::MAX)
    }
}

impl Source for Stage {
    fn begin(&self, now: Instant) {
        self.started.set(now);
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.unix_ms.set(i64::try_from(unix.as_millis()).unwrap_or(0));
        self.setting.borrow_mut().unix_seconds = i64::try_from(unix.as_secs()).unwrap_or(0);
    }

    fn due(&self, now: Instant) -> Option<Instant> {
        let event = self.script.events.get(self.next.get())?;
        let last = self.script.events.last()?;
        let over = self.started.get() + Duration::from_micros(last.at_us) + TOO_LATE;
        // An opening has all its events at once and takes as long as it takes.
        let is_over = last.at_us > 0 && now > over;
        (!is_over).then(|| self.started.get() + Duration::from_micros(event.at_us))
    }

    fn take(&self) -> usize {
        self.next.replace(self.next.get() + 1)
    }

    fn request<'a>(&'a self, index: usize, buffer: &'a mut Vec<u8>) -> &'a [u8] {
        self.renderer.write(&self.script, &self.setting.borrow(), index, buffer);
        buffer
    }

    fn ended(&self, index: usize, exchange: &Exchange<'_>) {
        let status = exchange.answer.map_or(0, |(status, _)| status);
        self.outcomes.borrow_mut()[index] = Outcome {
            status,
            was_sent: true,
            was_free: exchange.was_free,
            sent_us: self.micros(exchange.sent),
            ended_us: self.micros(exchange.ended),
        };
        if let (What::Call { .. }, Some((202, body))) = (self.script.events[index].what, exchange.answer) {
            let answer: Value = serde_json::from_slice(body).unwrap_or_default();
            self.sends.borrow_mut().extend(answer["id"].as_str().map(str::to_owned));
        }
    }
}
