//! The model itself: plain maps, and the fenced commit over them.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use bytes::Bytes;
use protocol::command::CommandKey;
use protocol::id::DeadLetterId;
use protocol::phone::ContactKey;
use protocol::shard::ShardId;
use protocol::time::TimestampMs;

use super::shard::Shard;
use crate::engine::presence::Presence;
use crate::engine::slots::Bookings;
use crate::engine::{
    AliasKey, Commit, Committed, DeadLetter, EngineError, EngineResult, EngineStats, FactLane, FactPosition,
    LoadRequest, Loaded, LogEntry, Position, SeenKey, limits,
};

#[derive(Default)]
pub(super) struct State {
    shards: Vec<Shard>,
    facts: BTreeMap<FactPosition, Bytes>,
    pub(super) last_fact: FactPosition,
    results: BTreeMap<CommandKey, (TimestampMs, Bytes)>,
    seen: BTreeMap<SeenKey, TimestampMs>,
    aliases: BTreeMap<AliasKey, ContactKey>,
    dead_letters: Vec<DeadLetter>,
    pub(super) presence: Presence,
    pub(super) bookings: Bookings,
    pub(super) closed: bool,
}

impl State {
    pub(super) fn new(shards: usize) -> Self {
        Self { shards: (0..shards).map(|_| Shard::default()).collect(), ..Self::default() }
    }

    fn shard(&self, shard: ShardId) -> EngineResult<&Shard> {
        self.shards.get(usize::from(shard.0)).ok_or_else(|| EngineError::no_shard(shard))
    }

    pub(super) fn shard_mut(&mut self, shard: ShardId) -> EngineResult<&mut Shard> {
        self.shards.get_mut(usize::from(shard.0)).ok_or_else(|| EngineError::no_shard(shard))
    }

    fn open(&self) -> EngineResult<()> {
        if self.closed { Err(EngineError::Closed) } else { Ok(()) }
    }

    fn shards_exist(&self, entries: &[(ShardId, Bytes)]) -> EngineResult<()> {
        entries.iter().try_for_each(|&(shard, _)| self.shard(shard).map(drop))
    }

    pub(super) fn append(&mut self, entries: Vec<(ShardId, Bytes)>) -> EngineResult<()> {
        self.open()?;
        self.shards_exist(&entries)?;
        for (shard, bytes) in entries {
            self.shard_mut(shard)?.append(bytes);
        }
        Ok(())
    }

    pub(super) fn read_any(
        &self,
        after: &[(ShardId, Position)],
        limit: usize,
    ) -> EngineResult<Vec<(ShardId, Vec<LogEntry>)>> {
        self.open()?;
        let mut found = Vec::new();
        for &(shard, after) in after {
            let entries = self.shard(shard)?.log.range((Excluded(after), Unbounded)).take(limit);
            let entries: Vec<_> =
                entries.map(|(&position, bytes)| LogEntry { position, bytes: bytes.clone() }).collect();
            if !entries.is_empty() {
                found.push((shard, entries));
            }
        }
        Ok(found)
    }

    pub(super) fn load(
        &self,
        shard: ShardId,
        request: &LoadRequest,
        now: TimestampMs,
    ) -> EngineResult<Loaded> {
        let shard = self.shard(shard)?;
        Ok(Loaded {
            conversations: request
                .conversations
                .iter()
                .map(|id| shard.conversations.get(id).cloned())
                .collect(),
            results: request.commands.iter().map(|&key| self.result(key, now)).collect(),
            seen: request
                .seen
                .iter()
                .map(|key| self.seen.get(key).is_some_and(|&until| until > now))
                .collect(),
        })
    }

    pub(super) fn result(&self, command: CommandKey, now: TimestampMs) -> Option<Bytes> {
        self.results.get(&command).filter(|(until, _)| *until > now).map(|(_, bytes)| bytes.clone())
    }

    pub(super) fn commit(&mut self, commit: Commit) -> EngineResult<Committed> {
        self.open()?;
        self.shards_exist(&commit.forwards)?;
        let shard = self.shard_mut(commit.shard)?;
        shard.fence(commit.token)?;
        if shard.batches.contains(&commit.batch_id) {
            return Ok(Committed::Already);
        }
        let within_log = (shard.position..=shard.last).contains(&commit.new_position);
        if shard.position != commit.expected_position || !within_log {
            return Err(EngineError::Position);
        }
        shard.batches.insert(commit.batch_id);
        shard.position = commit.new_position;
        shard.log = shard.log.split_off(&Position(commit.new_position.0 + 1));
        commit.conversations.into_iter().for_each(|write| shard.write(write));
        for fact in commit.facts {
            self.last_fact = FactPosition(self.last_fact.0 + 1);
            self.facts.insert(self.last_fact, fact);
        }
        let result_until = commit.now + limits::RESULT_LIFE;
        self.results.extend(commit.results.into_iter().map(|(key, bytes)| (key, (result_until, bytes))));
        let seen_until = commit.now + limits::SEEN_LIFE;
        self.seen.extend(commit.seen.into_iter().map(|key| (key, seen_until)));
        self.aliases.extend(commit.aliases);
        for letter in commit.dead_letters {
            if self.dead_letters.iter().all(|known| known.id != letter.id) {
                self.dead_letters.push(letter);
            }
        }
        self.append(commit.forwards)?;
        Ok(Committed::Applied)
    }

    pub(super) fn aliases(&self, names: &[AliasKey]) -> Vec<Option<ContactKey>> {
        names.iter().map(|name| self.aliases.get(name).cloned()).collect()
    }

    pub(super) fn facts(
        &self,
        lane: FactLane,
        after: FactPosition,
        limit: usize,
    ) -> EngineResult<Vec<(FactLane, FactPosition, Bytes)>> {
        self.open()?;
        let facts = self.facts.range((Excluded(after), Unbounded)).take(limit);
        Ok(facts.map(|(&position, bytes)| (lane, position, bytes.clone())).collect())
    }

    pub(super) fn trim_facts(&mut self, through: FactPosition) {
        self.facts = self.facts.split_off(&FactPosition(through.0.saturating_add(1)));
    }

    pub(super) fn dead_letter(&self, id: DeadLetterId) -> Option<DeadLetter> {
        self.dead_letters.iter().find(|letter| letter.id == id).cloned()
    }

    pub(super) fn dead_letters(&self, after: Option<DeadLetterId>, limit: usize) -> Vec<DeadLetter> {
        let known = |id| self.dead_letters.iter().position(|letter| letter.id == id);
        let first = after.and_then(known).map_or(0, |index| index + 1);
        self.dead_letters.iter().skip(first).take(limit).cloned().collect()
    }

    pub(super) fn replay(&mut self, id: DeadLetterId) -> EngineResult<bool> {
        let Some(index) = self.dead_letters.iter().position(|letter| letter.id == id) else {
            return Ok(false);
        };
        let letter = &self.dead_letters[index];
        let entry = vec![(letter.shard, letter.entry.clone())];
        self.append(entry)?;
        self.dead_letters.remove(index);
        Ok(true)
    }

    pub(super) fn discard(&mut self, id: DeadLetterId) -> bool {
        let before = self.dead_letters.len();
        self.dead_letters.retain(|letter| letter.id != id);
        self.dead_letters.len() < before
    }

    pub(super) fn stats(&self) -> EngineStats {
        let entries = self.shards.iter().flat_map(|shard| shard.log.values());
        let snapshots = self.shards.iter().flat_map(|shard| shard.conversations.values());
        EngineStats {
            backlog_bytes: entries.clone().map(|bytes| bytes.len() as u64).sum(),
            backlog_entries: entries.count() as u64,
            timers_pending: self.shards.iter().map(|shard| shard.timers().len() as u64).sum(),
            stored_bytes: snapshots.map(|stored| stored.snapshot.len() as u64).sum(),
            groups_written: 0,
        }
    }
}
