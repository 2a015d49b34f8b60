//! The trait, with faults in the way.

use async_trait::async_trait;
use bytes::Bytes;
use protocol::command::CommandKey;
use protocol::id::{ConversationId, DeadLetterId};
use protocol::phone::ContactKey;
use protocol::shard::ShardId;
use protocol::time::{SpanMs, TimestampMs};

use super::{FaultyEngine, full, refused};
use crate::engine::{
    AliasKey, Commit, Committed, DeadLetter, Engine, EngineResult, EngineStats, FactPosition, Lease,
    LoadRequest, Loaded, LogEntry, Position, StoreIdentity, Token,
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
        self.change(full, self.inner.append(entries)).await
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

    async fn read(&self, shard: ShardId, after: Position, limit: usize) -> EngineResult<Vec<LogEntry>> {
        self.look(self.inner.read(shard, after, limit)).await
    }

    async fn load(&self, shard: ShardId, request: &LoadRequest) -> EngineResult<Loaded> {
        self.look(self.inner.load(shard, request)).await
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

    async fn commit(&self, commit: Commit) -> EngineResult<Committed> {
        self.maybe_steal(commit.shard).await?;
        self.change(refused, self.inner.commit(commit)).await
    }

    async fn result(&self, command: CommandKey) -> EngineResult<Option<Bytes>> {
        self.look(self.inner.result(command)).await
    }

    async fn aliases(&self, names: &[AliasKey]) -> EngineResult<Vec<Option<ContactKey>>> {
        self.look(self.inner.aliases(names)).await
    }

    async fn facts(&self, after: FactPosition, limit: usize) -> EngineResult<Vec<(FactPosition, Bytes)>> {
        self.look(self.inner.facts(after, limit)).await
    }

    async fn trim_facts(&self, through: FactPosition) -> EngineResult<()> {
        self.change(refused, self.inner.trim_facts(through)).await
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

    fn stats(&self) -> EngineStats {
        self.inner.stats()
    }

    async fn close(&self) -> EngineResult<()> {
        self.inner.close().await
    }
}
