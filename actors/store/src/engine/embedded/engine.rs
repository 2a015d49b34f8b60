//! The trait: reading directly, changing through the writer.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use bytes::Bytes;
use protocol::command::CommandKey;
use protocol::id::{ConversationId, DeadLetterId};
use protocol::phone::ContactKey;
use protocol::shard::ShardId;
use protocol::time::{SpanMs, TimestampMs};

use super::tables::{damaged, failed};
use super::writer::{Request, Work, read_conversation};
use super::{EmbeddedEngine, expiry, facts, keys, letters};
use crate::engine::clock::since_epoch;
use crate::engine::limits::APPEND_ENTRIES_MAX;
use crate::engine::{
    AliasKey, Commit, Committed, DeadLetter, Engine, EngineError, EngineResult, EngineStats, FactLane,
    FactPosition, Lease, LoadRequest, Loaded, LogEntry, Position, SlotRequest, Slots, StoreIdentity, Stored,
    Token,
};

/// The only lane of facts: one row holds those of a whole group.
const LANE: FactLane = FactLane(0);

#[async_trait]
impl Engine for EmbeddedEngine {
    fn identity(&self) -> &StoreIdentity {
        &self.identity
    }

    async fn now(&self) -> EngineResult<TimestampMs> {
        Ok(self.clock.now())
    }

    async fn append(&self, entries: Vec<(ShardId, Bytes)>) -> EngineResult<()> {
        self.check_entries(&entries)?;
        let admission = self.shared.admit(entries.iter().map(|(_, bytes)| bytes.len() as u64).sum())?;
        self.ask(|answer| Request { work: Work::Append(entries, answer), admission: Some(admission) }).await
    }

    async fn heartbeat(&self, node: u64, ttl: SpanMs) -> EngineResult<Vec<u64>> {
        self.shared.check_open()?;
        Ok(self.shared.presence.lock().heartbeat(node, self.clock.now(), ttl))
    }

    async fn reserve_slots(&self, request: SlotRequest) -> EngineResult<Slots> {
        self.shared.check_open()?;
        Ok(self.shared.bookings.lock().reserve(since_epoch(self.clock.now()), &request))
    }

    async fn acquire(&self, shard: ShardId, node: u64, ttl: SpanMs) -> EngineResult<Option<Lease>> {
        self.shared.shard(shard)?;
        self.ask(|answer| Work::Acquire { shard, node, ttl, answer }.into()).await
    }

    async fn renew(&self, leases: &[(ShardId, Token)], ttl: SpanMs) -> EngineResult<Vec<bool>> {
        for &(shard, _) in leases {
            self.shared.shard(shard)?;
        }
        self.ask(|answer| Work::Renew { leases: leases.to_vec(), ttl, answer }.into()).await
    }

    async fn release(&self, shard: ShardId, token: Token) -> EngineResult<()> {
        self.shared.shard(shard)?;
        self.ask(|answer| Work::Release { shard, token, answer }.into()).await
    }

    async fn read_any(
        &self,
        after: &[(ShardId, Position)],
        limit: usize,
    ) -> EngineResult<Vec<(ShardId, Vec<LogEntry>)>> {
        loop {
            let wakened = self.shared.appended.notified();
            self.shared.check_open()?;
            let mut found = Vec::new();
            for &(shard, after) in after {
                let places = self.shared.shard(shard)?.tail.lock().after(after, limit);
                if !places.is_empty() {
                    found.push((shard, self.shared.fetch(places)?));
                }
            }
            found.retain(|(_, entries)| !entries.is_empty());
            if !found.is_empty() {
                return Ok(found);
            }
            wakened.await;
        }
    }

    async fn load_all(&self, requests: &[(ShardId, LoadRequest)]) -> EngineResult<Vec<Loaded>> {
        let now = self.clock.now();
        requests.iter().map(|(shard, request)| self.loaded(*shard, request, now)).collect()
    }

    async fn due(
        &self,
        shard: ShardId,
        until: TimestampMs,
        limit: usize,
    ) -> EngineResult<Vec<(TimestampMs, ConversationId)>> {
        let view = self.shared.shard(shard)?;
        let (floor, version) = view.earliest.lock().look();
        if floor > until {
            return Ok(vec![]);
        }
        let from = keys::timer(shard, floor, ConversationId(0));
        let end = keys::timer(shard, TimestampMs(i64::MAX), ConversationId(u128::MAX));
        let mut due = Vec::new();
        let mut earliest = None;
        for row in self.shared.tables.timers.range(from..=end) {
            let key = row.key().map_err(failed)?;
            let timer = keys::read_timer(&key).ok_or_else(|| damaged("key of a timer"))?;
            earliest = earliest.or(Some(timer.0));
            if due.len() == limit || timer.0 > until {
                break;
            }
            due.push(timer);
        }
        view.earliest.lock().learn(version, earliest);
        Ok(due)
    }

    async fn next_due(&self, shard: ShardId) -> EngineResult<Option<TimestampMs>> {
        loop {
            if let Some(known) = self.shared.shard(shard)?.earliest.lock().known() {
                return Ok(known);
            }
            // Looks for the first timer and learns it, unless one was moved meanwhile: then once more.
            self.due(shard, TimestampMs(i64::MAX), 0).await?;
        }
    }

    async fn commit_all(&self, commits: Vec<Arc<Commit>>) -> EngineResult<Vec<EngineResult<Committed>>> {
        for commit in &commits {
            self.shared.shard(commit.shard)?;
            self.check_entries(&commit.forwards)?;
        }
        self.ask(|answer| Work::Commit(commits, answer).into()).await
    }

    async fn result(&self, command: CommandKey) -> EngineResult<Option<Bytes>> {
        self.stored_result(command, self.clock.now())
    }

    async fn aliases(&self, names: &[AliasKey]) -> EngineResult<Vec<Option<ContactKey>>> {
        let read = |name: &AliasKey| {
            let row = self.shared.tables.aliases.get(name.0.to_be_bytes()).map_err(failed)?;
            row.map(|row| postcard::from_bytes(&row).map_err(failed)).transpose()
        };
        names.iter().map(read).collect()
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
        loop {
            let wakened = self.shared.fact_written.notified();
            self.shared.check_open()?;
            let gauges = &self.shared.gauges;
            let after = after.0.max(gauges.facts_trimmed.load(Ordering::Acquire));
            if gauges.last_fact.load(Ordering::Acquire) > after {
                let found = facts::read(&self.shared.tables, FactPosition(after), limit)?;
                if !found.is_empty() {
                    return Ok(found.into_iter().map(|(position, bytes)| (LANE, position, bytes)).collect());
                }
            }
            wakened.await;
        }
    }

    async fn newest_facts(&self, lanes: &[FactLane]) -> EngineResult<Vec<FactPosition>> {
        self.shared.check_open()?;
        let newest = FactPosition(self.shared.gauges.last_fact.load(Ordering::Acquire));
        Ok(vec![newest; lanes.len()])
    }

    async fn trim_facts(&self, _: FactLane, through: FactPosition) -> EngineResult<()> {
        self.ask(|answer| Work::TrimFacts(through, answer).into()).await
    }

    async fn dead_letters(&self, after: Option<DeadLetterId>, limit: usize) -> EngineResult<Vec<DeadLetter>> {
        let tables = &self.shared.tables;
        let after = after.map(|id| letters::number_of(tables, id)).transpose()?.flatten();
        letters::list(tables, after.unwrap_or_default(), limit)
    }

    async fn dead_letter(&self, letter: DeadLetterId) -> EngineResult<Option<DeadLetter>> {
        let tables = &self.shared.tables;
        letters::number_of(tables, letter)?.map_or(Ok(None), |number| letters::read(tables, number))
    }

    async fn replay(&self, letter: DeadLetterId) -> EngineResult<bool> {
        self.ask(|answer| Work::Replay(letter, answer).into()).await
    }

    async fn discard(&self, letter: DeadLetterId) -> EngineResult<bool> {
        self.ask(|answer| Work::Discard(letter, answer).into()).await
    }

    fn stats(&self) -> EngineStats {
        let gauges = &self.shared.gauges;
        EngineStats {
            backlog_bytes: gauges.backlog_bytes.load(Ordering::Relaxed),
            backlog_entries: gauges.backlog_entries.load(Ordering::Relaxed),
            timers_pending: gauges.timers_pending.load(Ordering::Relaxed),
            stored_bytes: gauges.stored_bytes.load(Ordering::Relaxed),
            groups_written: gauges.groups_written.load(Ordering::Relaxed),
        }
    }

    async fn close(&self) -> EngineResult<()> {
        if self.shared.check_open().is_err() {
            return Ok(());
        }
        let closed = self.ask(|answer| Work::Close(answer).into()).await;
        self.join();
        closed
    }
}

impl EmbeddedEngine {
    fn loaded(&self, shard: ShardId, request: &LoadRequest, now: TimestampMs) -> EngineResult<Loaded> {
        self.shared.shard(shard)?;
        let mut loaded = Loaded::default();
        for &conversation in &request.conversations {
            loaded.conversations.push(self.conversation(shard, conversation)?);
        }
        for &command in &request.commands {
            loaded.results.push(self.stored_result(command, now)?);
        }
        for key in &request.seen {
            let row = self.shared.tables.seen.get(key.0.to_be_bytes()).map_err(failed)?;
            loaded.seen.push(row.and_then(|row| expiry::alive(row, now)).is_some());
        }
        Ok(loaded)
    }

    fn check_entries(&self, entries: &[(ShardId, Bytes)]) -> EngineResult<()> {
        if entries.len() > APPEND_ENTRIES_MAX {
            let count = entries.len();
            return Err(EngineError::Failed(
                format!("{count} entries at once, {APPEND_ENTRIES_MAX} may").into(),
            ));
        }
        entries.iter().try_for_each(|&(shard, _)| self.shared.shard(shard).map(drop))
    }

    fn conversation(&self, shard: ShardId, conversation: ConversationId) -> EngineResult<Option<Stored>> {
        let key = keys::conversation(shard, conversation);
        let row = self.shared.tables.conversations.get(key).map_err(failed)?;
        row.map(|row| read_conversation(row).ok_or_else(|| damaged("conversation"))).transpose()
    }

    fn stored_result(&self, command: CommandKey, now: TimestampMs) -> EngineResult<Option<Bytes>> {
        let row = self.shared.tables.results.get(command.0.to_be_bytes()).map_err(failed)?;
        Ok(row.and_then(|row| expiry::alive(row, now)))
    }
}
