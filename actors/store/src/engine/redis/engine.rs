//! The trait.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use protocol::command::CommandKey;
use protocol::id::{ConversationId, DeadLetterId};
use protocol::phone::ContactKey;
use protocol::shard::ShardId;
use protocol::time::{SpanMs, TimestampMs};

use super::{RedisEngine, aliases, commits, facts, leases, letters, loading, reading, remembered, slots};
use crate::engine::{
    AliasKey, Commit, Committed, DeadLetter, Engine, EngineError, EngineResult, EngineStats, FactLane,
    FactPosition, Lease, LoadRequest, Loaded, LogEntry, Position, SlotRequest, Slots, StoreIdentity, Token,
};

#[async_trait]
impl Engine for RedisEngine {
    fn identity(&self) -> &StoreIdentity {
        &self.shared.identity
    }

    async fn now(&self) -> EngineResult<TimestampMs> {
        Ok(self.shared.now())
    }

    async fn append(&self, entries: Vec<(ShardId, Bytes)>) -> EngineResult<()> {
        let appender = self.appender.lock().clone().ok_or(EngineError::Closed)?;
        appender.append(&self.shared, entries).await
    }

    async fn heartbeat(&self, node: u64, ttl: SpanMs) -> EngineResult<Vec<u64>> {
        leases::heartbeat(&self.shared, node, ttl).await
    }

    async fn reserve_slots(&self, request: SlotRequest) -> EngineResult<Slots> {
        slots::reserve(&self.shared, &request).await
    }

    async fn acquire(&self, shard: ShardId, node: u64, ttl: SpanMs) -> EngineResult<Option<Lease>> {
        leases::acquire(&self.shared, shard, node, ttl).await
    }

    async fn renew(&self, held: &[(ShardId, Token)], ttl: SpanMs) -> EngineResult<Vec<bool>> {
        leases::renew(&self.shared, held, ttl).await
    }

    async fn release(&self, shard: ShardId, token: Token) -> EngineResult<()> {
        leases::release(&self.shared, shard, token).await
    }

    async fn read_any(
        &self,
        after: &[(ShardId, Position)],
        limit: usize,
    ) -> EngineResult<Vec<(ShardId, Vec<LogEntry>)>> {
        reading::read(&self.shared, after, limit).await
    }

    async fn load_all(&self, requests: &[(ShardId, LoadRequest)]) -> EngineResult<Vec<Loaded>> {
        loading::load(&self.shared, requests).await
    }

    async fn due(
        &self,
        shard: ShardId,
        until: TimestampMs,
        limit: usize,
    ) -> EngineResult<Vec<(TimestampMs, ConversationId)>> {
        loading::due(&self.shared, shard, until, limit).await
    }

    async fn next_due(&self, shard: ShardId) -> EngineResult<Option<TimestampMs>> {
        loading::next_due(&self.shared, shard).await
    }

    async fn commit_all(&self, commits: Vec<Arc<Commit>>) -> EngineResult<Vec<EngineResult<Committed>>> {
        commits::commit(&self.shared, &commits).await
    }

    async fn result(&self, command: CommandKey) -> EngineResult<Option<Bytes>> {
        remembered::result(&self.shared, command).await
    }

    async fn aliases(&self, names: &[AliasKey]) -> EngineResult<Vec<Option<ContactKey>>> {
        aliases::read(&self.shared, names).await
    }

    fn fact_lane(&self, shard: ShardId) -> FactLane {
        FactLane(self.shared.topology.fact_lane(self.shared.keys().lane(shard)) as u16)
    }

    async fn facts_any(
        &self,
        after: &[(FactLane, FactPosition)],
        limit: usize,
    ) -> EngineResult<Vec<(FactLane, FactPosition, Bytes)>> {
        facts::read(&self.shared, after, limit).await
    }

    async fn newest_facts(&self, lanes: &[FactLane]) -> EngineResult<Vec<FactPosition>> {
        facts::newest(&self.shared, lanes).await
    }

    async fn trim_facts(&self, lane: FactLane, through: FactPosition) -> EngineResult<()> {
        facts::trim(&self.shared, lane, through).await
    }

    async fn dead_letters(&self, after: Option<DeadLetterId>, limit: usize) -> EngineResult<Vec<DeadLetter>> {
        letters::list(&self.shared, after, limit).await
    }

    async fn dead_letter(&self, letter: DeadLetterId) -> EngineResult<Option<DeadLetter>> {
        letters::read(&self.shared, letter).await
    }

    async fn replay(&self, letter: DeadLetterId) -> EngineResult<bool> {
        letters::replay(&self.shared, letter).await
    }

    async fn discard(&self, letter: DeadLetterId) -> EngineResult<bool> {
        letters::discard(&self.shared, letter).await
    }

    fn stats(&self) -> EngineStats {
        self.shared.stats()
    }

    async fn close(&self) -> EngineResult<()> {
        self.shared.close();
        drop(self.appender.lock().take());
        let mut writers = self.writers.lock().await;
        while writers.join_next().await.is_some() {}
        Ok(())
    }
}
