//! The way of a message out: it waits for its number, is claimed, waits for a send slot, is POSTed once, and its
//! outcome goes back to its conversation. What to do about an outcome is the conversation's decision.

mod files;
mod funds;
mod guard;
mod held;
mod keep;
mod queue;
mod send;
mod slots;
mod store_time;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use actix::{Actor, Context};
use futures_util::future::join;

pub(crate) use self::queue::NumberQueue;
use crate::metrics::ActorKind;
use crate::node::{Shared, supervise};

/// Sends the messages of one number.
pub(crate) struct OutboundActor {
    shared: Arc<Shared>,
    queue: Arc<NumberQueue>,
}

impl OutboundActor {
    pub(crate) fn new(shared: Arc<Shared>, queue: Arc<NumberQueue>) -> Self {
        Self { shared, queue }
    }
}

impl Actor for OutboundActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        let metrics = Arc::clone(&self.shared.options.metrics);
        metrics.actors_live.of(ActorKind::Outbound).inc();
        let (shared, queue) = (Arc::clone(&self.shared), Arc::clone(&self.queue));
        supervise(context, metrics, move || {
            let (shared, queue) = (Arc::clone(&shared), Arc::clone(&queue));
            async move {
                // What is claimed still needs slots when nothing more is claimed.
                join(send::pump(Arc::clone(&shared), Arc::clone(&queue)), keep::keep(&shared, &queue)).await;
            }
        });
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.shared.options.metrics.actors_live.of(ActorKind::Outbound).dec();
    }
}
