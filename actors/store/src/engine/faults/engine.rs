//! The trait, with faults in the way.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use protocol::command::CommandKey;
use protocol::id::{ConversationId, DeadLetterId};
use protocol::phone::ContactKey;
use protocol::shard::ShardId;
use protocol::time::{SpanMs, TimestampMs};

use super::{FaultyEngine, full, refused};
use crate::engine::{
    AliasKey, Commit, Committed, DeadLetter, Engine, EngineResult, EngineStats, FactLane, FactPosition,
    Lease, LoadRequest, Loaded, LogEntry, Position, SlotRequest, Slots, StoreIdentity, Token,
};

#[async_trait]
impl Engine for FaultyEngine {
    fn identity(&self) -> &StoreIdentity {
        self.inner.identity()
    }

    async fn now(&self) -> EngineResult<TimestampMs> {
        self.look(self.inner.now()).await
    }

    async fn append(&self, entries: Vec<(ShardId, Bytes)>) -> EngineResult<()> {
        let rate = self.rates.lock().duplicated;
        if self.happens(rate, &self.counts.duplicated) {
            self.inner.append(entries.clone()).await?;
        }
        if self.is_late() {
            let inner = Arc::clone(&self.inner);
            return Err(self.make_later(async move { inner.append(entries).await }));
        }
        self.change(full, self.inner.append(entries)).await
    }

    async fn heartbeat(&self, node: u64, ttl: SpanMs) -> EngineResult<Vec<u64>> {
        self.change(refused, self.inner.heartbeat(node, ttl)).await
    }

    async fn reserve_slots(&self, request: SlotRequest) -> EngineResult<Slots> {
        self.change(refused, self.inner.reserve_slots(request)).await
    }

    async fn acquire(&self, shard: ShardId, node: u64, ttl: SpanMs) -> EngineResult<Option<Lease>> {
        let lease = self.change(refused, self.inner.acquire(shard, node, ttl)).await?;
        if lease.is_some() {
            self.holders.lock().insert(shard, (node, ttl));
        }
        Ok(lease)
    }

    async fn renew(&self, leases: &[(ShardId, Token)], ttl: SpanMs) -> EngineResult<Vec<bool>> {
        self.change(refused, self.inner.renew(leases, ttl)).await
    }

    async fn release(&self, shard: ShardId, token: Token) -> EngineResult<()> {
        self.change(refused, self.inner.release(shard, token)).await
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

    /// Each batch has a fate of its own, as on a cluster where each shard is on another server.
    async fn commit_all(&self, commits: Vec<Arc<Commit>>) -> EngineResult<Vec<EngineResult<Committed>>> {
        let mut committed = Vec::with_capacity(commits.len());
        for commit in commits {
            self.maybe_steal(commit.shard).await?;
            if self.is_late() {
                let inner = Arc::clone(&self.inner);
                committed.push(Err(self.make_later(async move { inner.commit_all(vec![commit]).await })));
                continue;
            }
            let one = async { self.inner.commit_all(vec![commit]).await?.pop().ok_or_else(refused)? };
            committed.push(self.change(refused, one).await);
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
        self.change(refused, self.inner.trim_facts(lane, through)).await
    }

    async fn dead_letters(&self, after: Option<DeadLetterId>, limit: usize) -> EngineResult<Vec<DeadLetter>> {
        self.look(self.inner.dead_letters(after, limit)).await
    }

    async fn dead_letter(&self, letter: DeadLetterId) -> EngineResult<Option<DeadLetter>> {
        self.look(self.inner.dead_letter(letter)).await
    }

    async fn replay(&self, letter: DeadLetterId) -> EngineResult<bool> {
        self.change(refused, self.inner.replay(letter)).await
    }

    async fn discard(&self, letter: DeadLetterId) -> EngineResult<bool> {
        self.change(refused, self.inner.discard(letter)).await
    }

    fn stats(&self) -> EngineStats {
        self.inner.stats()
    }

    async fn close(&self) -> EngineResult<()> {
        self.inner.close().await
    }
}
