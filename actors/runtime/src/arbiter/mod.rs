//! An arbiter: one thread with its shards. It reads for all of them at once, lets those that have something to do
//! gather, apply and commit together, and then lets effects out. The fixed cost of a read, a load and a commit is paid
//! once for many shards, and a store elsewhere is asked once; each shard still has its own batch, token and fate.

#![allow(
    clippy::vec_box,
    reason = "a shard is moved from list to list in every round, and is some hundred bytes long"
)]

mod round;
mod run;

use std::sync::Arc;

use actix::{Actor, Context};
use tokio::sync::Notify;

use crate::metrics::ActorKind;
use crate::node::{Shared, supervise};
use crate::shard::ShardShared;

/// Drives the shards of one arbiter while the node lives.
pub(crate) struct ArbiterActor {
    shared: Arc<Shared>,
    shards: Vec<Arc<ShardShared>>,
    /// Rung when one of the shards got a local input, or lost its lease.
    bell: Arc<Notify>,
}

impl ArbiterActor {
    pub(crate) fn new(shared: Arc<Shared>, shards: Vec<Arc<ShardShared>>, bell: Arc<Notify>) -> Self {
        Self { shared, shards, bell }
    }
}

impl Actor for ArbiterActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        let metrics = Arc::clone(&self.shared.options.metrics);
        metrics.actors_live.of(ActorKind::Arbiter).inc();
        let (shared, shards, bell) = (Arc::clone(&self.shared), self.shards.clone(), Arc::clone(&self.bell));
        supervise(context, metrics, move || run::run(Arc::clone(&shared), shards.clone(), Arc::clone(&bell)));
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.shared.options.metrics.actors_live.of(ActorKind::Arbiter).dec();
        self.shared.running.send_modify(|running| *running -= 1);
    }
}
