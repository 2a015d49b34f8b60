//! A group is written, then shown to readers, then answered.

use std::sync::atomic::Ordering;

use fjall::{OwnedWriteBatch, PersistMode};
use protocol::shard::ShardId;

use super::Writer;
use super::group::Group;
use crate::engine::embedded::log_row::{self, Slot, position};
use crate::engine::embedded::shared::ShardView;
use crate::engine::embedded::tables::failed;
use crate::engine::embedded::tail::Place;
use crate::engine::embedded::{Durability, facts};
use crate::engine::limits::TAIL_RESIDENT_MAX_BYTES;
use crate::engine::{EngineResult, Position};

impl Writer {
    /// Writes a group, in one batch, and answers when it is durable.
    pub(super) fn write(&mut self, mut group: Group) -> EngineResult<()> {
        if group.is_empty() {
            group.answer();
            return Ok(());
        }
        let tables = &self.shared.tables;
        if !group.facts.is_empty() {
            let first = self.state.counters.last_fact + 1 - group.facts.len() as u64;
            group.batch.insert(&tables.facts, first.to_be_bytes(), facts::encode(&group.facts)?);
        }
        group.header.counters = self.state.counters;
        let (row, slots) = log_row::encode(&group.header, &group.entries).map_err(failed)?;
        group.batch.insert(&tables.log, group.number.to_be_bytes(), row);
        if self.state.live.is_due() {
            self.stage_checkpoint(&mut group)?;
        }
        self.write_batch(std::mem::replace(&mut group.batch, self.shared.tables.db.batch()))?;
        self.publish(&mut group, &slots);
        group.answer();
        Ok(())
    }

    /// The only place that writes.
    pub(super) fn write_batch(&self, batch: OwnedWriteBatch) -> EngineResult<()> {
        let mode = match self.durability {
            Durability::Fsync => PersistMode::SyncData,
            Durability::EverySecond => PersistMode::Buffer,
        };
        batch.durability(Some(mode)).commit().map_err(failed)
    }

    fn publish(&mut self, group: &mut Group, slots: &[Slot]) {
        self.state.last_group = group.number;
        self.state.live.add(group.number, slots.len());
        self.show_entries(group, slots);
        for (shard, through) in group.applied.drain(..) {
            self.forget_entries(shard, through);
        }
        for moved in group.timers.drain(..) {
            self.view(moved.shard).earliest.lock().moved(moved.before, moved.after);
        }
        let (gauges, counters) = (&self.shared.gauges, &self.state.counters);
        gauges.groups_written.fetch_add(1, Ordering::Relaxed);
        gauges.timers_pending.store(counters.timers.max(0) as u64, Ordering::Relaxed);
        gauges.facts_trimmed.store(counters.facts_trimmed, Ordering::Release);
        if gauges.last_fact.swap(counters.last_fact, Ordering::AcqRel) != counters.last_fact {
            self.shared.fact_written.notify_waiters();
        }
    }

    fn view(&self, shard: ShardId) -> &ShardView {
        &self.shared.shards[usize::from(shard.0)]
    }

    fn show_entries(&mut self, group: &mut Group, slots: &[Slot]) {
        let shards = group.header.entries.iter().map(|&(shard, _)| shard);
        for (index, ((shard, bytes), &slot)) in shards.zip(group.entries.drain(..)).zip(slots).enumerate() {
            let fits = self.resident_bytes + bytes.len() <= TAIL_RESIDENT_MAX_BYTES;
            self.show(
                shard,
                position(group.number, index),
                if fits { Place::Memory(bytes) } else { Place::Disk(slot) },
            );
        }
        if !group.header.entries.is_empty() {
            self.shared.appended.notify_waiters();
        }
    }

    fn show(&mut self, shard: ShardId, position: Position, place: Place) {
        let gauges = &self.shared.gauges;
        gauges.backlog_bytes.fetch_add(place.length() as u64, Ordering::Relaxed);
        gauges.backlog_entries.fetch_add(1, Ordering::Relaxed);
        self.resident_bytes += place.resident();
        self.view(shard).tail.lock().push(position, place);
    }

    fn forget_entries(&mut self, shard: ShardId, through: Position) {
        let mut tail = self.shared.shards[usize::from(shard.0)].tail.lock();
        while let Some((position, place)) = tail.pop_through(through) {
            let gauges = &self.shared.gauges;
            gauges.backlog_bytes.fetch_sub(place.length() as u64, Ordering::Relaxed);
            gauges.backlog_entries.fetch_sub(1, Ordering::Relaxed);
            self.resident_bytes -= place.resident();
            self.state.live.applied(position, place.length());
        }
    }

    /// Takes up what was recovered.
    pub(in crate::engine::embedded) fn resume(&mut self, entries: Vec<(ShardId, Position, Place)>) {
        for (shard, position, place) in entries {
            self.show(shard, position, place);
        }
        for shard in 0..self.state.heads.len() {
            let through = self.state.heads[shard].position;
            self.forget_entries(ShardId(shard as u16), through);
        }
        let (gauges, counters) = (&self.shared.gauges, &self.state.counters);
        gauges.timers_pending.store(counters.timers.max(0) as u64, Ordering::Relaxed);
        gauges.last_fact.store(counters.last_fact, Ordering::Release);
        gauges.facts_trimmed.store(counters.facts_trimmed, Ordering::Release);
    }
}
