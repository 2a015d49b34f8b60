//! The actor of the node itself: renews leases and keeps the gauges.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context};
use tokio::time::{Instant, sleep};

use super::shared::{Phase, Shared, supervise};
use crate::limits::RENEWALS_PER_TTL;

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
        let shared = Arc::clone(&self.shared);
        let metrics = Arc::clone(&shared.options.metrics);
        supervise(context, metrics, move || keep(Arc::clone(&shared)));
    }
}

async fn keep(shared: Arc<Shared>) {
    let stopping = shared.reached(Phase::Stopping);
    tokio::pin!(stopping);
    let every = shared.options.settings.lease_ttl / RENEWALS_PER_TTL;
    loop {
        tokio::select! {
            biased;
            () = sleep(every) => {}
            () = &mut stopping => return,
        }
        renew(&shared).await;
        observe(&shared);
    }
}

/// Prolongs every lease. One that does not hold any more tells its shard; when the store does not answer, leases
/// run out by themselves and nothing is POSTed.
async fn renew(shared: &Shared) {
    let held: Vec<_> = shared.shards.iter().filter_map(|shard| Some((shard, shard.token()?))).collect();
    let leases: Vec<_> = held.iter().map(|(shard, token)| (shard.id, *token)).collect();
    let ttl = shared.options.settings.lease_ttl;
    let asked_at = Instant::now();
    match shared.options.engine.renew(&leases, crate::shard::span(ttl)).await {
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
    let oldest = shared.queues().iter().filter_map(|queue| queue.oldest()).max();
    metrics.outbound_queue_oldest.set(oldest.unwrap_or(Duration::ZERO).as_secs_f64());
    let pending = shared.options.engine.stats().timers_pending;
    metrics.timers_pending.set(i64::try_from(pending).unwrap_or(i64::MAX));
}
