//! Claim, slot, POST, outcome.

use std::sync::Arc;

use domain::conversation::Post;
use protocol::id::{ConversationId, MessageId, ProviderId};
use protocol::outbound::{OpaqueId, Outcome};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::queue::NumberQueue;
use super::slots::Claimed;
use super::{files, funds};
use crate::limits::{PAUSE_POLL, POST_WITHIN};
use crate::metrics::OutboundRequest;
use crate::node::{Phase, Shared};
use crate::provider::OutboundMessage;
use crate::shard::ClaimLost;
use crate::trace;

/// Takes messages in turn until the node drains.
pub(super) async fn pump(shared: Arc<Shared>, queue: Arc<NumberQueue>) {
    let draining = shared.reached(Phase::Draining);
    tokio::pin!(draining);
    loop {
        let next = async {
            // The slot comes first: a message in turn should not wait behind one that is claimed late.
            queue.slots.in_sight().await;
            let message = queue.next().await;
            // After the message came: a number that was idle when it was paused must not claim its first message,
            // which would be refused and offered again only after a minute.
            released(&shared, &queue).await;
            message
        };
        let (conversation, message) = tokio::select! {
            biased;
            () = &mut draining => return,
            next = next => next,
        };
        let claimed = queue.slots.claim();
        let delivery =
            Delivery { shared: Arc::clone(&shared), queue: Arc::clone(&queue), conversation, message };
        actix_rt::spawn(delivery.run(claimed));
    }
}

/// Waits while somebody holds the number back. What is offered meanwhile keeps its place.
async fn released(shared: &Shared, queue: &NumberQueue) {
    while is_paused(shared, queue) {
        tokio::time::sleep(PAUSE_POLL).await;
    }
}

pub(super) fn is_paused(shared: &Shared, queue: &NumberQueue) -> bool {
    let directory = shared.options.directory.load();
    directory.tenants.get(&queue.tenant).is_some_and(|tenant| tenant.is_paused(queue.number))
}

/// One message on its way.
struct Delivery {
    shared: Arc<Shared>,
    queue: Arc<NumberQueue>,
    conversation: ConversationId,
    message: MessageId,
}

impl Delivery {
    async fn run(self, claimed: Claimed) {
        let shard = Arc::clone(self.shared.shard_of(self.conversation));
        let _sending = shard.sending();
        let asked_at = Instant::now();
        let outcome = match shard.claim(self.conversation, self.message).await {
            Ok(Some(post)) => Some(self.post(*post, asked_at, claimed).await),
            Ok(None) => None,
            // The shard knows better than we whether that was committed, and takes it back if it can.
            Err(ClaimLost) => None,
        };
        // First, so that the offer that may follow from the outcome is not taken for a repeated one.
        self.queue.done(self.conversation);
        if let Some(outcome) = outcome {
            self.count(&outcome);
            shard.outcome(self.conversation, self.message, outcome).await;
        } else if is_paused(&self.shared, &self.queue) {
            // The number was paused between the turn and the claim: the message keeps its turn.
            self.queue.offer(self.conversation, self.message);
        }
    }

    /// Makes the one POST of a message whose claim was asked for at `asked_at`.
    async fn post(&self, post: Post, asked_at: Instant, claimed: Claimed) -> Outcome {
        let metrics = &self.shared.options.metrics;
        let sender = (self.queue.tenant, self.queue.number);
        if let Err(outcome) = funds::reserve(&self.shared, sender, &post).await {
            return outcome;
        }
        let usable = match files::usable(&self.shared, sender, post.content).await {
            Ok(usable) => usable,
            Err(outcome) => return outcome,
        };
        let waiting = Instant::now();
        let Ok(_permit) = self.queue.posts.acquire().await else { return not_sent("the node ended") };
        self.queue.slots.take().await;
        drop(claimed);
        metrics.limiter_wait.observe(waiting.elapsed().as_secs_f64());
        let directory = self.shared.options.directory.load_full();
        let Some((_, number)) = directory.number(self.queue.tenant, self.queue.number) else {
            return not_sent("the number is not configured any more");
        };
        // The last thing before the POST: whoever may have taken the shard over must not see a message leave.
        if !self.shared.shard_of(self.conversation).lease_holds() {
            return not_sent("the lease of the shard ran out before the POST");
        }
        if asked_at.elapsed() >= POST_WITHIN {
            return not_sent("the claim was too old for a POST");
        }
        let span = tracing::debug_span!("send", number = %self.queue.number, message = %self.message);
        trace::join(&span, post.traceparent.as_deref());
        let opaque = OpaqueId { conversation: self.conversation, message: self.message };
        let message = OutboundMessage {
            to: post.to,
            content: usable.content,
            reply_to: post.reply_to,
            opaque: opaque.seal(self.queue.number, &self.shared.options.engine.identity().opaque_key),
            traceparent: span.in_scope(trace::current_traceparent).or(post.traceparent),
        };
        let began = Instant::now();
        let outcome = self.shared.options.provider.send(number, message).instrument(span).await;
        metrics.outbound.observe(began.elapsed().as_secs_f64());
        files::judge(&self.shared, number, usable.reused, outcome).await
    }

    fn count(&self, outcome: &Outcome) {
        let label = match outcome {
            Outcome::Accepted { .. } | Outcome::Held { .. } => OutboundRequest::Accepted,
            Outcome::Rejected { .. } => OutboundRequest::Rejected,
            Outcome::NotSent { .. } | Outcome::Unfunded { .. } => OutboundRequest::NotSent,
            Outcome::InDoubt { .. } => OutboundRequest::InDoubt,
        };
        self.shared.options.metrics.outbound_requests.of(label).inc();
    }
}

fn not_sent(detail: &str) -> Outcome {
    Outcome::NotSent { detail: detail.to_owned() }
}

impl NumberQueue {
    /// Shows the contact that somebody is typing. Best effort: when every POST is taken it is left out.
    pub(crate) fn show_typing(self: &Arc<Self>, shared: &Arc<Shared>, message: ProviderId) {
        let Ok(permit) = Arc::clone(&self.posts).try_acquire_owned() else { return };
        let (shared, queue) = (Arc::clone(shared), Arc::clone(self));
        actix_rt::spawn(async move {
            let directory = shared.options.directory.load_full();
            if let Some((_, number)) = directory.number(queue.tenant, queue.number) {
                shared.options.provider.show_typing(number, &message).await;
            }
            drop(permit);
        });
    }
}
