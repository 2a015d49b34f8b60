//! What every part of a node shares.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix::fut::wrap_future;
use actix::{Actor, ActorContext, ActorFutureExt, Addr, ArbiterHandle, AsyncContext, Context};
use parking_lot::RwLock;
use protocol::id::{ConversationId, NumberId, TenantId};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::NodeOptions;
use super::waiters::Waiters;
use crate::conversation::PureStep;
use crate::ingress::Ingress;
use crate::limits::RETRY_MAX;
use crate::metrics::{ActorKind, Metrics};
use crate::outbound::{NumberQueue, OutboundActor};
use crate::shard::ShardShared;

/// How far a node is on its way down. Each phase begins when the one before has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// At work.
    Running,
    /// No more commands are taken and no more messages claimed; POSTs under way end, and shards are given back.
    Draining,
    /// What was not given back by then is.
    Stopping,
}

/// Where actors run.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// On the thread that started the node.
    Here,
    /// On an arbiter of the node.
    On(ArbiterHandle),
}

impl Place {
    pub(crate) fn start<A>(&self, actor: A) -> Addr<A>
    where
        A: Actor<Context = Context<A>> + Send,
    {
        match self {
            Self::Here => actor.start(),
            Self::On(arbiter) => A::start_in_arbiter(arbiter, move |_: &mut Context<A>| actor),
        }
    }
}

/// Shared by the actors of a node.
pub(crate) struct Shared {
    pub(crate) options: NodeOptions,
    pub(crate) step: PureStep,
    pub(crate) waiters: Arc<Waiters>,
    /// Hears of every name that a shard of the node commits.
    pub(crate) ingress: Arc<Ingress>,
    pub(crate) shards: Vec<Arc<ShardShared>>,
    pub(crate) places: Vec<Place>,
    /// One for the arbiter at each place.
    bells: Vec<Arc<Notify>>,
    /// Conversation actors in the node.
    pub(crate) live: AtomicUsize,
    /// Shards that the node owns.
    pub(crate) owned: watch::Sender<usize>,
    /// Nodes that are there; empty until the store has told.
    pub(crate) nodes: watch::Sender<Vec<u64>>,
    /// Whether this node does what one node does for all.
    pub(crate) leads: watch::Sender<bool>,
    /// Arbiters that run.
    pub(crate) running: watch::Sender<usize>,
    pub(crate) phase: watch::Sender<Phase>,
    numbers: RwLock<HashMap<NumberId, Arc<NumberQueue>>>,
}

impl Shared {
    pub(crate) fn new(options: NodeOptions, places: Vec<Place>, step: PureStep) -> Self {
        let shards = options.engine.identity().shards.all();
        let started_at = Instant::now();
        let bells: Vec<_> = places.iter().map(|_| Arc::new(Notify::new())).collect();
        let (engine, directory) = (Arc::clone(&options.engine), Arc::clone(&options.directory));
        Self {
            ingress: Arc::new(Ingress::new(engine, directory, Arc::clone(&options.metrics))),
            waiters: Arc::new(Waiters::new(options.settings.waiting_commands)),
            shards: shards
                .map(|shard| {
                    let bell = Arc::clone(&bells[usize::from(shard.0) % bells.len()]);
                    Arc::new(ShardShared::new(shard, started_at, bell))
                })
                .collect(),
            bells,
            places,
            step,
            live: AtomicUsize::new(0),
            owned: watch::Sender::new(0),
            nodes: watch::Sender::new(Vec::new()),
            leads: watch::Sender::new(false),
            running: watch::Sender::new(0),
            phase: watch::Sender::new(Phase::Running),
            numbers: RwLock::default(),
            options,
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Resolves when the node has reached a phase.
    pub(crate) async fn reached(&self, phase: Phase) {
        let mut phases = self.phase.subscribe();
        // Fails only when the sender is gone, and with it the node.
        let _ = phases.wait_for(|now| *now >= phase).await;
    }

    pub(crate) fn shard_of(&self, conversation: ConversationId) -> &Arc<ShardShared> {
        let shard = self.options.engine.identity().shards.shard_of(conversation);
        &self.shards[usize::from(shard.0)]
    }

    /// Shards that this node shall own.
    pub(crate) fn wanted(&self) -> usize {
        self.shards.iter().filter(|shard| shard.is_wanted()).count()
    }

    /// Places with the shards that live there and the bell that wakes their arbiter.
    pub(crate) fn arbiters(&self) -> impl Iterator<Item = (&Place, Vec<Arc<ShardShared>>, Arc<Notify>)> {
        self.places.iter().zip(&self.bells).enumerate().map(|(index, (place, bell))| {
            let shards = self.shards.iter().skip(index).step_by(self.places.len());
            (place, shards.cloned().collect(), Arc::clone(bell))
        })
    }

    /// The queue of a number; begins it, with its actor, at the number's first message.
    pub(crate) fn queue(self: &Arc<Self>, tenant: TenantId, number: NumberId) -> Arc<NumberQueue> {
        if let Some(queue) = self.numbers.read().get(&number) {
            return Arc::clone(queue);
        }
        let mut numbers = self.numbers.write();
        let queue = numbers.entry(number).or_insert_with(|| {
            let queue = Arc::new(NumberQueue::new(tenant, number, &self.options.settings));
            let place = &self.places[(number.0 % self.places.len() as u128) as usize];
            // The address is not kept: the actor lives as long as its pump, which ends with the node.
            place.start(OutboundActor::new(Arc::clone(self), Arc::clone(&queue)));
            queue
        });
        Arc::clone(queue)
    }

    /// Every queue that was begun.
    pub(crate) fn queues(&self) -> Vec<Arc<NumberQueue>> {
        self.numbers.read().values().cloned().collect()
    }

    /// Counts actors that began (or, negative, ended).
    pub(crate) fn count_live(&self, change: isize) {
        let live = if change >= 0 {
            self.live.fetch_add(change.unsigned_abs(), Ordering::Relaxed)
        } else {
            self.live.fetch_sub(change.unsigned_abs(), Ordering::Relaxed)
        };
        let live = live.saturating_add_signed(change);
        let gauge = self.options.metrics.actors_live.of(ActorKind::Conversation);
        gauge.set(i64::try_from(live).unwrap_or(i64::MAX));
    }
}

/// Runs a task as an actor: on its context, which ends with the task. A panic of the task does not pass: it is
/// counted, and the task begins anew after a pause. (A panic inside of a context would be polled again by its drop.)
pub(crate) fn supervise<A, T, F>(context: &mut Context<A>, metrics: Arc<Metrics>, mut task: T)
where
    A: Actor<Context = Context<A>>,
    T: FnMut() -> F + 'static,
    F: Future<Output = ()> + 'static,
{
    let supervised = async move {
        while let Err(error) = actix_rt::spawn(task()).await {
            if !error.is_panic() {
                break;
            }
            metrics.actor_panics.inc();
            tracing::error!(
                actor = std::any::type_name::<A>(),
                "a task of an actor panicked and begins anew"
            );
            tokio::time::sleep(RETRY_MAX).await;
        }
    };
    context.spawn(wrap_future(supervised).map(|(), _: &mut A, context: &mut Context<A>| context.stop()));
}
