//! The actor of the node itself: says that the node is there, takes its part of the shards, renews leases and keeps
//! the gauges.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context};
use protocol::time::SpanMs;
use tokio::time::{Instant, sleep};

use super::membership::Membership;
use super::results;
use super::shared::{Phase, Shared, supervise};
use crate::limits::{HEARTBEATS_PER_TTL, LEAVE_PAUSES, MOVES_PER_HEARTBEAT};
use crate::shard::span;

/// Keeps what the node owns.
pub(super) struct NodeActor {
    shared: Arc<Shared>,
}

impl NodeActor {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl Actor for NodeActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        let metrics = &self.shared.options.metrics;
        let shared = Arc::clone(&self.shared);
        supervise(context, Arc::clone(metrics), move || keep(Arc::clone(&shared)));
        let shared = Arc::clone(&self.shared);
        supervise(context, Arc::clone(metrics), move || results::follow(Arc::clone(&shared)));
    }
}

async fn keep(shared: Arc<Shared>) {
    let every = shared.options.settings.lease_ttl / HEARTBEATS_PER_TTL;
    let mut membership =
        Membership::new(shared.options.settings.node_id, shared.options.engine.identity().shards);
    while shared.phase() == Phase::Running {
        tokio::join!(take_part(&shared, &mut membership), renew(&shared));
        observe(&shared);
        tokio::select! {
            biased;
            () = shared.reached(Phase::Draining) => {}
            () = sleep(every) => {}
        }
    }
    leave(&shared).await;
    while shared.phase() < Phase::Stopping {
        renew(&shared).await;
        tokio::select! {
            biased;
            () = shared.reached(Phase::Stopping) => {}
            () = sleep(every) => {}
        }
    }
}

/// Says that this node is there for shards, and takes and gives shards by who else is. When the store does not answer,
/// all stays as it is: leases run out by themselves.
async fn take_part(shared: &Shared, membership: &mut Membership) {
    let settings = &shared.options.settings;
    // Who owns nothing hears of the others, and is not among them.
    let there_for = if settings.owns_shards { span(settings.lease_ttl) } else { SpanMs(0) };
    match shared.options.engine.heartbeat(settings.node_id, there_for).await {
        Ok(alive) => {
            shared.nodes.send_replace(alive.clone());
            membership.heard(alive);
            assign(shared, membership);
        }
        Err(error) => tracing::warn!(%error, "the store was not told that this node is there"),
    }
}

/// Wants what falls to this node at once, and gives up what does not, a few shards at a time.
fn assign(shared: &Shared, membership: &Membership) {
    let mut moves = 0;
    for shard in &shared.shards {
        if membership.owns(shard.id) {
            shard.want(true);
        } else if shard.is_wanted() && moves < MOVES_PER_HEARTBEAT {
            moves += usize::from(shard.token().is_some());
            shard.want(false);
        }
    }
    shared.options.metrics.shard_moves.inc_by(moves as u64);
    shared.leads.send_if_modified(|leads| std::mem::replace(leads, membership.leads()) != *leads);
}

/// Gives everything up, and tells the others to take it.
async fn leave(shared: &Shared) {
    shared.leads.send_replace(false);
    for shard in &shared.shards {
        shard.want(false);
    }
    for pause in LEAVE_PAUSES {
        match shared.options.engine.heartbeat(shared.options.settings.node_id, SpanMs(0)).await {
            Ok(_) => return,
            Err(error) => tracing::warn!(%error, "the store was not told that this node leaves"),
        }
        sleep(pause).await;
    }
}

/// Prolongs every lease. One that does not hold any more tells its shard; when the store does not answer, leases
/// run out by themselves and nothing is POSTed.
async fn renew(shared: &Shared) {
    let held: Vec<_> = shared.shards.iter().filter_map(|shard| Some((shard, shard.token()?))).collect();
    let leases: Vec<_> = held.iter().map(|(shard, token)| (shard.id, *token)).collect();
    if leases.is_empty() {
        return;
    }
    let ttl = shared.options.settings.lease_ttl;
    let asked_at = Instant::now();
    match shared.options.engine.renew(&leases, span(ttl)).await {
        Ok(holds) => {
            for ((shard, token), holds) in held.into_iter().zip(holds) {
                if holds {
                    shard.prolong(token, asked_at, ttl);
                } else {
                    shard.lose(token);
                }
            }
        }
        Err(error) => tracing::warn!(%error, "leases could not be renewed"),
    }
}

fn observe(shared: &Shared) {
    let metrics = &shared.options.metrics;
    let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    metrics.nodes_alive.set(gauge(shared.nodes.borrow().len()));
    metrics.shards_owned.set(gauge(*shared.owned.borrow()));
    metrics.shards_wanted.set(gauge(shared.wanted()));
    let oldest = shared.queues().iter().filter_map(|queue| queue.oldest()).max();
    metrics.outbound_queue_oldest.set(oldest.unwrap_or(Duration::ZERO).as_secs_f64());
    let pending = shared.options.engine.stats().timers_pending;
    metrics.timers_pending.set(i64::try_from(pending).unwrap_or(i64::MAX));
}
