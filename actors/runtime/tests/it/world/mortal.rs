//! A node that dies at a chosen step: from then on nothing it does reaches the store or the provider.

use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use protocol::command::CommandKey;
use protocol::directory::Number;
use protocol::id::{ConversationId, DeadLetterId, ProviderId};
use protocol::outbound::Outcome;
use protocol::phone::ContactKey;
use protocol::shard::ShardId;
use protocol::time::{SpanMs, TimestampMs};
use runtime::{OutboundMessage, Provider};
use store::engine::{
    AliasKey, Commit, Committed, DeadLetter, Engine, EngineResult, EngineStats, FactLane, FactPosition,
    Lease, LoadRequest, Loaded, LogEntry, Position, SlotRequest, Slots, StoreIdentity, Token,
};
use tokio::sync::Notify;

/// The life of one node.
pub(crate) struct Life {
    steps: AtomicUsize,
    last: usize,
    /// The last step still has its effect; only its answer is never seen.
    effect: bool,
    dead: AtomicBool,
    /// Stopped while it is `true`, as a process by SIGSTOP: what it is about to do, or to learn, waits.
    asleep: AtomicBool,
    /// In order, so that a simulation can be repeated: a watch wakes in random order.
    awoke: Notify,
}

impl Life {
    /// Ends with the step `last`, counted from zero.
    pub(crate) fn until(last: usize, effect: bool) -> Arc<Self> {
        Arc::new(Self {
            steps: AtomicUsize::new(0),
            last,
            effect,
            dead: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            awoke: Notify::new(),
        })
    }

    /// Never ends by itself.
    pub(crate) fn long() -> Arc<Self> {
        Self::until(usize::MAX, true)
    }

    pub(crate) fn end(&self) {
        self.dead.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// Stops everything for a while.
    pub(crate) async fn sleep(&self, time: Duration) {
        self.asleep.store(true, Ordering::Relaxed);
        tokio::time::sleep(time).await;
        self.asleep.store(false, Ordering::Relaxed);
        self.awoke.notify_waiters();
    }

    pub(crate) fn is_asleep(&self) -> bool {
        self.asleep.load(Ordering::Relaxed)
    }

    async fn awake(&self) {
        while self.is_asleep() {
            self.awoke.notified().await;
        }
    }

    pub(crate) fn steps(&self) -> usize {
        self.steps.load(Ordering::Relaxed)
    }

    async fn step<T>(&self, act: impl Future<Output = T>) -> T {
        self.awake().await;
        if self.is_over() {
            return pending().await;
        }
        if self.steps.fetch_add(1, Ordering::Relaxed) == self.last {
            self.end();
            if self.effect {
                act.await;
            }
            return pending().await;
        }
        let done = act.await;
        self.awake().await;
        if self.is_over() { pending().await } else { done }
    }
}

/// The provider as a mortal node reaches it.
pub(crate) struct MortalProvider {
    pub(crate) inner: Arc<dyn Provider>,
    pub(crate) life: Arc<Life>,
}

#[async_trait]
impl Provider for MortalProvider {
    async fn send(&self, number: &Number, message: OutboundMessage) -> Outcome {
        self.life.step(self.inner.send(number, message)).await
    }

    async fn show_typing(&self, number: &Number, message: &ProviderId) {
        self.life.step(self.inner.show_typing(number, message)).await;
    }
}

/// The store as a mortal node reaches it. Only what changes something counts as a step: dying before or after a
/// look makes no difference to anybody else.
pub(crate) struct MortalEngine {
    pub(crate) inner: Arc<dyn Engine>,
    pub(crate) life: Arc<Life>,
}

impl MortalEngine {
    async fn look<T>(&self, act: impl Future<Output = T>) -> T {
        self.life.awake().await;
        if self.life.is_over() {
            return pending().await;
        }
        let seen = act.await;
        self.life.awake().await;
        if self.life.is_over() { pending().await } else { seen }
    }
}

#[async_trait]
impl Engine for MortalEngine {
    fn identity(&self) -> &StoreIdentity {
        self.inner.identity()
    }

    async fn now(&self) -> EngineResult<TimestampMs> {
        self.look(self.inner.now()).await
    }

    async fn append(&self, entries: Vec<(ShardId, Bytes)>) -> EngineResult<()> {
        self.life.step(self.inner.append(entries)).await
    }

    async fn heartbeat(&self, node: u64, ttl: SpanMs) -> EngineResult<Vec<u64>> {
        self.look(self.inner.heartbeat(node, ttl)).await
    }

    async fn reserve_slots(&self, request: SlotRequest) -> EngineResult<Slots> {
        self.look(self.inner.reserve_slots(request)).await
    }

    async fn acquire(&self, shard: ShardId, node: u64, ttl: SpanMs) -> EngineResult<Option<Lease>> {
        self.life.step(self.inner.acquire(shard, node, ttl)).await
    }

    async fn renew(&self, leases: &[(ShardId, Token)], ttl: SpanMs) -> EngineResult<Vec<bool>> {
        self.look(self.inner.renew(leases, ttl)).await
    }

    async fn release(&self, shard: ShardId, token: Token) -> EngineResult<()> {
        self.life.step(self.inner.release(shard, token)).await
    }

    async fn read_any(
        &self,
        after: &[(ShardId, Position)],
        limit: usize,
    ) -> EngineResult<Vec<(ShardId, Vec<LogEntry>)>> {
        self.look(self.inner.read_any(after, limit)).await
    }

    async fn load_all(&self, requests: &[(ShardId, LoadRequest)]) -> EngineResult<Vec<Loaded>> {
        self.look(self.inner.load_all(requests)).await
    }

    async fn due(
        &self,
        shard: ShardId,
        until: TimestampMs,
        limit: usize,
    ) -> EngineResult<Vec<(TimestampMs, ConversationId)>> {
        self.look(self.inner.due(shard, until, limit)).await
    }

    async fn next_due(&self, shard: ShardId) -> EngineResult<Option<TimestampMs>> {
        self.look(self.inner.next_due(shard)).await
    }

    /// A node may die between two batches of one call.
    async fn commit_all(&self, commits: Vec<Arc<Commit>>) -> EngineResult<Vec<EngineResult<Committed>>> {
        let mut committed = Vec::with_capacity(commits.len());
        for commit in commits {
            committed.append(&mut self.life.step(self.inner.commit_all(vec![commit])).await?);
        }
        Ok(committed)
    }

    async fn result(&self, command: CommandKey) -> EngineResult<Option<Bytes>> {
        self.look(self.inner.result(command)).await
    }

    async fn aliases(&self, names: &[AliasKey]) -> EngineResult<Vec<Option<ContactKey>>> {
        self.look(self.inner.aliases(names)).await
    }

    fn fact_lane(&self, shard: ShardId) -> FactLane {
        self.inner.fact_lane(shard)
    }

    async fn facts_any(
        &self,
        after: &[(FactLane, FactPosition)],
        limit: usize,
    ) -> EngineResult<Vec<(FactLane, FactPosition, Bytes)>> {
        self.look(self.inner.facts_any(after, limit)).await
    }

    async fn newest_facts(&self, lanes: &[FactLane]) -> EngineResult<Vec<FactPosition>> {
        self.look(self.inner.newest_facts(lanes)).await
    }

    async fn trim_facts(&self, lane: FactLane, through: FactPosition) -> EngineResult<()> {
        self.life.step(self.inner.trim_facts(lane, through)).await
    }

    async fn dead_letters(&self, after: Option<DeadLetterId>, limit: usize) -> EngineResult<Vec<DeadLetter>> {
        self.look(self.inner.dead_letters(after, limit)).await
    }

    async fn dead_letter(&self, letter: DeadLetterId) -> EngineResult<Option<DeadLetter>> {
        self.look(self.inner.dead_letter(letter)).await
    }

    async fn replay(&self, letter: DeadLetterId) -> EngineResult<bool> {
        self.life.step(self.inner.replay(letter)).await
    }

    async fn discard(&self, letter: DeadLetterId) -> EngineResult<bool> {
        self.life.step(self.inner.discard(letter)).await
    }

    fn stats(&self) -> EngineStats {
        self.inner.stats()
    }

    async fn close(&self) -> EngineResult<()> {
        self.inner.close().await
    }
}
