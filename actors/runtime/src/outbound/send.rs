//! Claim, slot, POST, outcome.

use std::sync::Arc;
use std::time::Duration;

use domain::conversation::Post;
use protocol::id::{ConversationId, MessageId, ProviderId};
use protocol::outbound::{OpaqueId, Outcome};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::limiter::Limiter;
use super::queue::NumberQueue;
use crate::metrics::OutboundRequest;
use crate::node::{Phase, Shared};
use crate::provider::OutboundMessage;
use crate::shard::ClaimLost;
use crate::trace;

/// Messages that may be claimed ahead of their slot: what is claimed when a process dies can only be resolved, so
/// there are few of them, but enough to hide a commit of [`CLAIM_TIME`].
const CLAIMED_AHEAD_MIN: usize = 4;

/// How long a claim's commit may take without costing a slot.
const CLAIM_TIME: Duration = Duration::from_millis(50);

/// How often a paused number looks whether it may send again: what a person who resumes it accepts.
const PAUSE_POLL: Duration = Duration::from_millis(500);

/// Takes messages in turn until the node drains.
pub(super) async fn pump(shared: Arc<Shared>, queue: Arc<NumberQueue>) {
    let draining = shared.reached(Phase::Draining);
    tokio::pin!(draining);
    let mut ahead = Ahead::new(0);
    loop {
        let per_second = throughput(&shared, &queue);
        if queue.limiter.load().per_second != per_second || ahead.per_second == 0 {
            queue.limiter.store(Arc::new(Limiter::new(per_second)));
            ahead = Ahead::new(per_second);
        }
        let next = async {
            // The permit comes first: a message in turn should not wait behind one that is claimed late.
            let permit = Arc::clone(&ahead.permits).acquire_owned().await;
            let message = queue.next().await;
            // After the message came: a number that was idle when it was paused must not claim its first message,
            // which would be refused and offered again only after a minute.
            released(&shared, &queue).await;
            (permit, message)
        };
        let (permit, (conversation, message)) = tokio::select! {
            biased;
            () = &mut draining => return,
            next = next => next,
        };
        let Ok(permit) = permit else { return };
        let delivery =
            Delivery { shared: Arc::clone(&shared), queue: Arc::clone(&queue), conversation, message };
        actix_rt::spawn(delivery.run(permit));
    }
}

/// Waits while somebody holds the number back. What is offered meanwhile keeps its place.
async fn released(shared: &Shared, queue: &NumberQueue) {
    while is_paused(shared, queue) {
        tokio::time::sleep(PAUSE_POLL).await;
    }
}

fn is_paused(shared: &Shared, queue: &NumberQueue) -> bool {
    let directory = shared.options.directory.load();
    directory.tenants.get(&queue.tenant).is_some_and(|tenant| tenant.is_paused(queue.number))
}

/// Bound of messages that are claimed and have no slot yet.
struct Ahead {
    per_second: u32,
    permits: Arc<Semaphore>,
}

impl Ahead {
    fn new(per_second: u32) -> Self {
        let share = (f64::from(per_second) * CLAIM_TIME.as_secs_f64()).ceil() as usize;
        Self { per_second, permits: Arc::new(Semaphore::new(share.max(CLAIMED_AHEAD_MIN))) }
    }
}

fn throughput(shared: &Shared, queue: &NumberQueue) -> u32 {
    let directory = shared.options.directory.load();
    // A number that is not configured sends nothing; its messages find that out one by one.
    directory.number(queue.tenant, queue.number).map_or(1, |(_, number)| number.throughput_per_second.max(1))
}

/// One message on its way.
struct Delivery {
    shared: Arc<Shared>,
    queue: Arc<NumberQueue>,
    conversation: ConversationId,
    message: MessageId,
}

impl Delivery {
    async fn run(self, ahead: OwnedSemaphorePermit) {
        let shard = Arc::clone(self.shared.shard_of(self.conversation));
        let _sending = shard.sending();
        let outcome = match shard.claim(self.conversation, self.message).await {
            Ok(Some(post)) => Some(self.post(*post, ahead).await),
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

    /// Makes the one POST of a claimed message.
    async fn post(&self, post: Post, ahead: OwnedSemaphorePermit) -> Outcome {
        let metrics = &self.shared.options.metrics;
        let waiting = Instant::now();
        let Ok(_permit) = self.queue.posts.acquire().await else { return not_sent("the node ended") };
        self.queue.limiter.load_full().slot().await;
        drop(ahead);
        metrics.limiter_wait.observe(waiting.elapsed().as_secs_f64());
        let directory = self.shared.options.directory.load_full();
        let Some((_, number)) = directory.number(self.queue.tenant, self.queue.number) else {
            return not_sent("the number is not configured any more");
        };
        // The last thing before the POST: whoever may have taken the shard over must not see a message leave.
        if !self.shared.shard_of(self.conversation).lease_holds() {
            return not_sent("the lease of the shard ran out before the POST");
        }
        let span = tracing::debug_span!("send", number = %self.queue.number, message = %self.message);
        trace::join(&span, post.traceparent.as_deref());
        let opaque = OpaqueId { conversation: self.conversation, message: self.message };
        let message = OutboundMessage {
            to: post.to,
            content: post.content,
            reply_to: post.reply_to,
            opaque: opaque.seal(self.queue.number, &self.shared.options.engine.identity().opaque_key),
            traceparent: span.in_scope(trace::current_traceparent).or(post.traceparent),
        };
        let began = Instant::now();
        let outcome = self.shared.options.provider.send(number, message).instrument(span).await;
        metrics.outbound.observe(began.elapsed().as_secs_f64());
        outcome
    }

    fn count(&self, outcome: &Outcome) {
        let label = match outcome {
            Outcome::Accepted { .. } => OutboundRequest::Accepted,
            Outcome::Rejected { .. } => OutboundRequest::Rejected,
            Outcome::NotSent { .. } => OutboundRequest::NotSent,
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
