//! Keeps as many send slots of a number as its messages can use.

use std::future::pending;

use store::engine::{EngineResult, SlotRequest, Slots};
use tokio::time::{Instant, sleep, sleep_until};

use super::queue::NumberQueue;
use super::send::is_paused;
use super::slots::{Next, NumberSlots};
use crate::limits::{PAUSE_POLL, RETRY_MAX, RETRY_MIN};
use crate::node::{Phase, Shared};

/// What the messages of a number ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    /// The limit of the number.
    pub(super) per_second: u32,
    /// Messages that could be claimed.
    pub(super) ready: usize,
    /// Look again although nothing has changed here.
    pub(super) look_at: Option<Instant>,
}

/// Reserves until the node has stopped sending.
pub(super) async fn keep(shared: &Shared, queue: &NumberQueue) {
    let engine = &shared.options.engine;
    tokio::select! {
        biased;
        () = shared.reached(Phase::Stopping) => {}
        () = reserve(&queue.slots, || demand(shared, queue), |request| engine.reserve_slots(request)) => {}
    }
}

fn demand(shared: &Shared, queue: &NumberQueue) -> Demand {
    let directory = shared.options.directory.load();
    // A number that is not configured sends nothing; its messages find that out one by one.
    let number = directory.number(queue.tenant, queue.number);
    let per_second = number.map_or(1, |(_, number)| number.throughput_per_second.max(1));
    if is_paused(shared, queue) {
        return Demand { per_second, ready: 0, look_at: Some(Instant::now() + PAUSE_POLL) };
    }
    // A node that drains claims no more.
    let ready = if shared.phase() > Phase::Running { 0 } else { queue.ready() };
    Demand { per_second, ready, look_at: None }
}

/// Asks for whatever is demanded, one call at a time. Never ends.
pub(super) async fn reserve<A>(
    slots: &NumberSlots,
    demand: impl Fn() -> Demand,
    ask: impl Fn(SlotRequest) -> A,
) where
    A: Future<Output = EngineResult<Slots>>,
{
    let (mut told_at, mut pause) = (None, RETRY_MIN);
    loop {
        let changed = slots.changes();
        let (now, demand) = (Instant::now(), demand());
        slots.limit(demand.per_second);
        let request = match slots.next(now, demand.ready, told_at) {
            Next::Ask(request) => request,
            Next::Wait(until) => {
                tokio::select! {
                    () = changed => {}
                    () = at(until.into_iter().chain(demand.look_at).min()) => {}
                }
                continue;
            }
        };
        told_at = Some(now);
        match ask(request).await {
            Ok(granted) => {
                pause = RETRY_MIN;
                slots.grant(now, &request, &granted);
            }
            // Whether they were reserved or not: slots are cheap, and without one nothing is sent.
            Err(error) => {
                tracing::warn!(number = %request.number, %error, "no send slots");
                sleep(pause).await;
                pause = (pause * 2).min(RETRY_MAX);
            }
        }
    }
}

async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => pending().await,
    }
}
