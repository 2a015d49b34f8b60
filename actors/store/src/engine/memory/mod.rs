//! The model: the simplest implementation that keeps the laws, all of it behind one mutex.
//!
//! Tests and the simulation run on it, and it is the oracle that other engines are compared with. Nothing
//! survives the process; what survives a crash of a *node* is whatever is in here, as with a store elsewhere.

mod shard;
mod state;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use protocol::command::CommandKey;
use protocol::id::{ConversationId, DeadLetterId};
use protocol::phone::ContactKey;
use protocol::shard::ShardId;
use protocol::time::{SpanMs, TimestampMs};
use tokio::sync::Notify;

use self::state::State;
use super::clock::since_epoch;
use super::{
    AliasKey, Clock, Commit, Committed, DeadLetter, Engine, EngineResult, EngineStats, FactLane,
    FactPosition, Lease, LoadRequest, Loaded, LogEntry, Position, SlotRequest, Slots, StoreIdentity, Token,
};

/// The only lane of facts.
const LANE: FactLane = FactLane(0);

/// An engine without a disk.
pub struct MemoryEngine {
    identity: StoreIdentity,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Every change wakes everybody who waits: too often is harmless.
    changed: Notify,
}

impl MemoryEngine {
    /// An empty store.
    #[must_use]
    pub fn new(identity: StoreIdentity, clock: Arc<dyn Clock>) -> Self {
        let shards = usize::from(identity.shards.get());
        Self { state: Mutex::new(State::new(shards)), changed: Notify::new(), identity, clock }
    }

    /// Asks again after every change until `look` finds something or fails.
    async fn wait_for<T>(&self, look: impl Fn(&State) -> EngineResult<Vec<T>>) -> EngineResult<Vec<T>> {
        loop {
            let wakened = self.changed.notified();
            let found = look(&self.state.lock())?;
            if !found.is_empty() {
                return Ok(found);
            }
            wakened.await;
        }
    }
}

#[async_trait]
impl Engine for MemoryEngine {
    fn identity(&self) -> &StoreIdentity {
        &self.identity
    }

    async fn now(&self) -> EngineResult<TimestampMs> {
        Ok(self.clock.now())
    }

    async fn append(&self, entries: Vec<(ShardId, Bytes)>) -> EngineResult<()> {
        self.state.lock().append(entries)?;
        self.changed.notify_waiters();
        Ok(())
    }

    async fn heartbeat(&self, node: u64, ttl: SpanMs) -> EngineResult<Vec<u64>> {
        Ok(self.state.lock().presence.heartbeat(node, self.clock.now(), ttl))
    }

    async fn reserve_slots(&self, request: SlotRequest) -> EngineResult<Slots> {
        Ok(self.state.lock().bookings.reserve(since_epoch(self.clock.now()), &request))
    }

    async fn acquire(&self, shard: ShardId, node: u64, ttl: SpanMs) -> EngineResult<Option<Lease>> {
        let now = self.clock.now();
        Ok(self.state.lock().shard_mut(shard)?.acquire(shard, node, now, ttl))
    }

    async fn renew(&self, leases: &[(ShardId, Token)], ttl: SpanMs) -> EngineResult<Vec<bool>> {
        let until = self.clock.now() + ttl;
        let mut state = self.state.lock();
        leases.iter().map(|&(shard, token)| Ok(state.shard_mut(shard)?.renew(token, until))).collect()
    }

    async fn release(&self, shard: ShardId, token: Token) -> EngineResult<()> {
        self.state.lock().shard_mut(shard)?.release(token)
    }

    async fn read_any(
        &self,
        after: &[(ShardId, Position)],
        limit: usize,
    ) -> EngineResult<Vec<(ShardId, Vec<LogEntry>)>> {
        self.wait_for(|state| state.read_any(after, limit)).await
    }

    async fn load_all(&self, requests: &[(ShardId, LoadRequest)]) -> EngineResult<Vec<Loaded>> {
        let (state, now) = (self.state.lock(), self.clock.now());
        requests.iter().map(|(shard, request)| state.load(*shard, request, now)).collect()
    }

    async fn due(
        &self,
        shard: ShardId,
        until: TimestampMs,
        limit: usize,
    ) -> EngineResult<Vec<(TimestampMs, ConversationId)>> {
        Ok(self
            .state
            .lock()
            .shard_mut(shard)?
            .timers()
            .take_while(|&(due, _)| due <= until)
            .take(limit)
            .collect())
    }

    async fn next_due(&self, shard: ShardId) -> EngineResult<Option<TimestampMs>> {
        Ok(self.state.lock().shard_mut(shard)?.timers().next().map(|(due, _)| due))
    }

    async fn commit_all(&self, commits: Vec<Arc<Commit>>) -> EngineResult<Vec<EngineResult<Committed>>> {
        let mut state = self.state.lock();
        let committed =
            commits.into_iter().map(|commit| state.commit(Arc::unwrap_or_clone(commit))).collect();
        self.changed.notify_waiters();
        Ok(committed)
    }

    async fn result(&self, command: CommandKey) -> EngineResult<Option<Bytes>> {
        Ok(self.state.lock().result(command, self.clock.now()))
    }

    async fn aliases(&self, names: &[AliasKey]) -> EngineResult<Vec<Option<ContactKey>>> {
        Ok(self.state.lock().aliases(names))
    }

    fn fact_lane(&self, _: ShardId) -> FactLane {
        LANE
    }

    async fn facts_any(
        &self,
        after: &[(FactLane, FactPosition)],
        limit: usize,
    ) -> EngineResult<Vec<(FactLane, FactPosition, Bytes)>> {
        let Some(&(_, after)) = after.iter().find(|(lane, _)| *lane == LANE) else { return Ok(vec![]) };
        self.wait_for(|state| state.facts(LANE, after, limit)).await
    }

    async fn newest_facts(&self, lanes: &[FactLane]) -> EngineResult<Vec<FactPosition>> {
        Ok(vec![self.state.lock().last_fact; lanes.len()])
    }

    async fn trim_facts(&self, _: FactLane, through: FactPosition) -> EngineResult<()> {
        self.state.lock().trim_facts(through);
        Ok(())
    }

    async fn dead_letters(&self, after: Option<DeadLetterId>, limit: usize) -> EngineResult<Vec<DeadLetter>> {
        Ok(self.state.lock().dead_letters(after, limit))
    }

    async fn dead_letter(&self, letter: DeadLetterId) -> EngineResult<Option<DeadLetter>> {
        Ok(self.state.lock().dead_letter(letter))
    }

    async fn replay(&self, letter: DeadLetterId) -> EngineResult<bool> {
        let found = self.state.lock().replay(letter)?;
        self.changed.notify_waiters();
        Ok(found)
    }

    async fn discard(&self, letter: DeadLetterId) -> EngineResult<bool> {
        Ok(self.state.lock().discard(letter))
    }

    fn stats(&self) -> EngineStats {
        self.state.lock().stats()
    }

    async fn close(&self) -> EngineResult<()> {
        self.state.lock().closed = true;
        self.changed.notify_waiters();
        Ok(())
    }
}
