//! The actor around a consumer: runs its loop, starts it again after a failure, and shows how it does.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorContext as _, ActorFutureExt as _, ArbiterHandle, AsyncContext as _, Context, WrapFuture as _,
};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use parking_lot::Mutex;
use prometheus::Gauge;
use serde::Serialize;
use store::engine::EngineError;
use store::records::RecordsError;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Shared;
use super::turn::Turn;
use crate::limits::{FAILURES_APART, RETRY_MAX, RETRY_MIN};
use crate::metrics::ActorKind;

/// Why a consumer failed. It begins again from its stored cursor.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// The engine did not answer well.
    #[error("the engine failed")]
    Engine(#[from] EngineError),
    /// The records store did not answer well.
    #[error("the records store failed")]
    Records(#[from] RecordsError),
    /// What has to be stored has no stored form.
    #[error("a value cannot be written")]
    Encode(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// How a run of a consumer ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It was told to stop.
    Stopped,
    /// It failed and begins again.
    Failed(String),
    /// It panicked and begins again.
    Panicked(String),
}

/// A consumer as `/debug` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConsumerView {
    /// Its name, which is also the name of its cursor.
    pub name: &'static str,
    /// How far it has come: facts since the start for the projector, an event sequence for the others.
    pub position: u64,
    /// What it has dealt with since the process started.
    pub handled: u64,
    /// Times that it was started again.
    pub restarts: u64,
    /// How its latest run ended; `None` while the first one goes on.
    pub last_exit: Option<Exit>,
}

/// Where a consumer shows how it does.
#[derive(Clone)]
pub(crate) struct ViewCell(Arc<Mutex<ConsumerView>>);

impl ViewCell {
    pub(crate) fn new(name: &'static str) -> Self {
        let view = ConsumerView { name, position: 0, handled: 0, restarts: 0, last_exit: None };
        Self(Arc::new(Mutex::new(view)))
    }

    pub(crate) fn get(&self) -> ConsumerView {
        self.0.lock().clone()
    }

    pub(crate) fn moved(&self, position: u64, handled: usize) {
        let mut view = self.0.lock();
        view.position = position;
        view.handled += handled as u64;
    }
}

/// One run of a consumer: ends when it is told to stop, or fails.
pub(crate) type Run = fn(Shared, ViewCell) -> LocalBoxFuture<'static, Result<(), ConsumerError>>;

/// How late a consumer is while it fails. While it works, it shows that itself.
struct Lateness {
    lag: Option<Gauge>,
    failing: Option<Failing>,
}

/// Failures one after the other, with nothing done in between.
#[derive(Clone, Copy)]
struct Failing {
    since: Instant,
    latest: Instant,
    /// How late the consumer was when it began.
    late_s: f64,
}

impl Lateness {
    /// Since it began to fail nothing was dealt with: everything waits for so much longer.
    fn failed(&mut self, progress: bool) {
        let Some(lag) = &self.lag else { return };
        let now = Instant::now();
        let goes_on = |failing: &Failing| !progress && now - failing.latest < FAILURES_APART;
        let begins = || Failing { since: now, latest: now, late_s: lag.get() };
        let failing = Failing { latest: now, ..self.failing.filter(goes_on).unwrap_or_else(begins) };
        lag.set(failing.late_s + (now - failing.since).as_secs_f64());
        self.failing = Some(failing);
    }
}

/// The actor.
pub(crate) struct Supervised {
    shared: Shared,
    run: Run,
    view: ViewCell,
    lateness: Lateness,
    /// Pause before the next start; doubles with every failure in a row.
    pause: Duration,
    /// Tells the handle, by being dropped, that this actor has ended.
    _alive: mpsc::Sender<()>,
}

impl Supervised {
    pub(crate) fn start(
        arbiter: &ArbiterHandle,
        shared: Shared,
        run: Run,
        (view, lag): (ViewCell, Option<Gauge>),
        alive: mpsc::Sender<()>,
    ) {
        let lateness = Lateness { lag, failing: None };
        let actor = Self { shared, run, view, lateness, pause: RETRY_MIN, _alive: alive };
        let _ = Self::start_in_arbiter(arbiter, |_| actor);
    }

    fn launch(&mut self, context: &mut Context<Self>) {
        let handled = self.view.get().handled;
        let (shared, run, view) = (self.shared.clone(), self.run, self.view.clone());
        let run = async move { if shared.our_turn().await { run(shared, view).await } else { Ok(()) } };
        let run = AssertUnwindSafe(run).catch_unwind();
        let ended = run.into_actor(self).map(move |end, actor, context| {
            let exit = match end {
                Ok(Ok(())) => Exit::Stopped,
                Ok(Err(error)) => Exit::Failed(with_sources(&error)),
                Err(panic) => Exit::Panicked(panic_text(panic.as_ref())),
            };
            actor.ended(exit, handled, context);
        });
        context.spawn(ended);
    }

    fn ended(&mut self, exit: Exit, handled_before: u64, context: &mut Context<Self>) {
        let mut view = self.view.0.lock();
        view.last_exit = Some(exit.clone());
        let name = view.name;
        if *self.shared.turn.borrow() == Turn::Over {
            context.stop();
            return;
        }
        if exit == Exit::Stopped {
            drop(view);
            self.launch(context);
            return;
        }
        view.restarts += 1;
        let progress = view.handled > handled_before;
        drop(view);
        if matches!(exit, Exit::Panicked(_)) {
            self.shared.options.metrics.actor_panics.inc();
        }
        tracing::warn!(consumer = name, ?exit, "consumer starts again");
        self.lateness.failed(progress);
        // Whoever got something done failed for a new reason.
        self.pause = if progress { RETRY_MIN } else { (self.pause * 2).min(RETRY_MAX) };
        context.run_later(self.pause, Self::launch);
    }
}

impl Actor for Supervised {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        self.shared.options.metrics.actors_live.of(ActorKind::Consumer).inc();
        self.launch(context);
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.shared.options.metrics.actors_live.of(ActorKind::Consumer).dec();
    }
}

/// An error with everything that led to it.
pub(super) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.extend([": ", &cause.to_string()]);
        source = cause.source();
    }
    text
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_fails_becomes_later_until_something_is_done() {
        let lag = Gauge::new("lag", "seconds").unwrap();
        let mut lateness = Lateness { lag: Some(lag.clone()), failing: None };
        let mut fails_after = async |seconds, progress| {
            tokio::time::advance(Duration::from_secs(seconds)).await;
            lateness.failed(progress);
            lag.get()
        };
        assert_eq!(fails_after(0, false).await, 0.0);
        assert_eq!(fails_after(2, false).await, 2.0);
        assert_eq!(fails_after(3, false).await, 5.0);
        lag.set(1.5); // its own word, after a full batch
        assert_eq!(fails_after(9, true).await, 1.5);
        assert_eq!(fails_after(1, false).await, 2.5);
        lag.set(0.0); // nothing came, and it worked
        assert_eq!(fails_after(FAILURES_APART.as_secs(), false).await, 0.0);
    }
}
