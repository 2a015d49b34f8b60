//! A shard: takes its part of the log, lets conversations apply it, commits, and lets effects out. It acts when its
//! arbiter tells it to.

mod apply;
mod batch;
mod crash;
mod gather;
mod inputs;
mod live;
mod own;
mod settle;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use domain::conversation::Post;
use parking_lot::Mutex;
use protocol::id::{ConversationId, MessageId};
use protocol::outbound::Outcome;
use protocol::shard::ShardId;
use store::engine::Token;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

pub(crate) use self::apply::Outcomes;
pub(crate) use self::batch::Batch;
pub(crate) use self::own::{Lost, Shard, Task, span};
use crate::limits::LOCAL_INPUTS;
use crate::node::ShardView;

/// An input that does not come through the log: it matters only to the node that made it.
#[derive(Debug)]
pub(crate) enum Local {
    /// A send slot will be free for a message.
    Claim {
        /// Its conversation.
        conversation: ConversationId,
        /// The message.
        message: MessageId,
        /// Told after the commit: the POST to make, or that there is none.
        reply: oneshot::Sender<Option<Box<Post>>>,
    },
    /// A POST ended.
    Outcome {
        /// Its conversation.
        conversation: ConversationId,
        /// The message.
        message: MessageId,
        /// How.
        outcome: Outcome,
    },
}

/// What others see of a shard.
pub(crate) struct ShardShared {
    pub(crate) id: ShardId,
    /// Survives the loop: a loop that begins anew goes on with what waits.
    inputs: Arc<tokio::sync::Mutex<mpsc::Receiver<Local>>>,
    inbox: mpsc::Sender<Local>,
    token: Mutex<Option<Token>>,
    /// Milliseconds after `started_at`; 0 while the shard is not owned.
    lease_until_ms: AtomicU64,
    started_at: Instant,
    /// This node shall own the shard.
    wanted: AtomicBool,
    /// Messages from their claim until their outcome is with the shard.
    sending: AtomicUsize,
    /// Wakes the arbiter of the shard.
    bell: Arc<Notify>,
    view: Mutex<ShardView>,
}

impl ShardShared {
    pub(crate) fn new(id: ShardId, started_at: Instant, bell: Arc<Notify>) -> Self {
        let (inbox, inputs) = mpsc::channel(LOCAL_INPUTS);
        Self {
            id,
            inputs: Arc::new(tokio::sync::Mutex::new(inputs)),
            inbox,
            token: Mutex::default(),
            lease_until_ms: AtomicU64::new(0),
            started_at,
            wanted: AtomicBool::new(false),
            sending: AtomicUsize::new(0),
            bell,
            view: Mutex::new(ShardView { shard: id.0, ..ShardView::default() }),
        }
    }

    /// Claims a message for sending. `None`: it is not to be sent (now). An error: it must not be POSTed,
    /// whether or not it was claimed.
    pub(crate) async fn claim(
        &self,
        conversation: ConversationId,
        message: MessageId,
    ) -> Result<Option<Box<Post>>, ClaimLost> {
        // Nothing new begins on a shard that is about to go; its next owner offers the message again.
        if !self.is_wanted() || self.token().is_none() {
            return Err(ClaimLost);
        }
        let (reply, claimed) = oneshot::channel();
        self.inbox.send(Local::Claim { conversation, message, reply }).await.map_err(|_| ClaimLost)?;
        self.bell.notify_one();
        claimed.await.map_err(|_| ClaimLost)
    }

    /// Tells how a POST ended. Waits while the shard is busy.
    pub(crate) async fn outcome(&self, conversation: ConversationId, message: MessageId, outcome: Outcome) {
        let input = Local::Outcome { conversation, message, outcome };
        if self.inbox.send(input).await.is_err() {
            // Only when the node is gone: the message is then resolved by its status or its deadline.
            tracing::warn!(shard = self.id.0, "the outcome of a POST came after the end of its node");
        }
        self.bell.notify_one();
    }

    /// Whether this node surely owns the shard at this moment.
    pub(crate) fn lease_holds(&self) -> bool {
        self.elapsed_ms() < self.lease_until_ms.load(Ordering::Acquire)
    }

    /// Whether this node shall own the shard.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::SeqCst)
    }

    /// This node shall, or shall not, own the shard from now on.
    pub(crate) fn want(&self, wanted: bool) {
        if self.wanted.swap(wanted, Ordering::SeqCst) != wanted {
            self.bell.notify_one();
        }
    }

    /// A message is on its way, from before its claim until the guard is dropped: the shard stays here for that
    /// long, within bounds. Counted before [`Self::claim`] looks whether the shard is wanted, so that a shard that
    /// goes either refuses the claim or waits for its outcome.
    pub(crate) fn sending(self: &Arc<Self>) -> Sending {
        self.sending.fetch_add(1, Ordering::SeqCst);
        Sending(Arc::clone(self))
    }

    fn is_sending(&self) -> bool {
        self.sending.load(Ordering::SeqCst) > 0
    }

    /// The current token, if the shard is owned.
    pub(crate) fn token(&self) -> Option<Token> {
        *self.token.lock()
    }

    pub(crate) fn view(&self) -> ShardView {
        ShardView { wanted: self.is_wanted(), ..self.view.lock().clone() }
    }

    /// The shard was acquired by a call that began at `asked_at`.
    fn acquired(&self, token: Token, asked_at: Instant, ttl: Duration) {
        *self.token.lock() = Some(token);
        self.prolong(token, asked_at, ttl);
    }

    /// The lease of `token` was confirmed by a call that began at `asked_at`.
    pub(crate) fn prolong(&self, token: Token, asked_at: Instant, ttl: Duration) {
        let current = self.token.lock();
        if *current != Some(token) {
            return;
        }
        // A tenth less than the store grants: the two clocks need not run equally fast.
        let until = asked_at.saturating_duration_since(self.started_at) + ttl * 9 / 10;
        self.lease_until_ms.store(u64::try_from(until.as_millis()).unwrap_or(u64::MAX), Ordering::Release);
    }

    /// The lease of `token` is another's now.
    pub(crate) fn lose(&self, token: Token) {
        let mut current = self.token.lock();
        if *current == Some(token) {
            *current = None;
            self.lease_until_ms.store(0, Ordering::Release);
            self.bell.notify_one();
        }
    }

    /// The loop of the shard gave it up.
    fn disown(&self) {
        *self.token.lock() = None;
        self.lease_until_ms.store(0, Ordering::Release);
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started_at.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// The shard is not here, or was loaded anew while a claim was under way.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClaimLost;

/// See [`ShardShared::sending`].
pub(crate) struct Sending(Arc<ShardShared>);

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.sending.fetch_sub(1, Ordering::SeqCst);
        self.0.bell.notify_one();
    }
}
