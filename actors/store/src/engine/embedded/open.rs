//! Opening: identity, heads from the checkpoint and the rows behind it, tails, then the writer.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use protocol::shard::ShardId;
use tokio::sync::mpsc;

use super::checkpoint::{Checkpoint, Counters, LiveRows};
use super::disk::Disk;
use super::head::Head;
use super::log_row::{self, Slot, position};
use super::shared::{Gauges, ShardView, Shared};
use super::tables::{Tables, damaged, failed};
use super::tail::Place;
use super::writer::{self, State, Writer};
use super::{Durability, EmbeddedEngine, EmbeddedOptions, identity, keys};
use crate::engine::limits::{REQUESTS_MAX, TAIL_RESIDENT_MAX_BYTES};
use crate::engine::{Clock, EngineError, EngineResult, Position};

pub(super) fn open(options: &EmbeddedOptions, clock: Arc<dyn Clock>) -> EngineResult<EmbeddedEngine> {
    std::fs::create_dir_all(&options.folder).map_err(|source| {
        EngineError::Failed(
            format!("cannot create the folder `{}`: {source}", options.folder.display()).into(),
        )
    })?;
    let tables = Tables::open(&options.folder, clock.clone())?;
    let identity = identity::check_or_create(&tables, options.shards)?;
    let recovered = Recovered::read(&tables, usize::from(options.shards.get()))?;
    let shared = Arc::new(Shared {
        shards: (0..options.shards.get()).map(|_| ShardView::default()).collect(),
        appended: tokio::sync::Notify::new(),
        fact_written: tokio::sync::Notify::new(),
        presence: Mutex::default(),
        bookings: Mutex::default(),
        gauges: Gauges { stored_bytes: tables.db.disk_space().map_err(failed)?.into(), ..Gauges::default() },
        disk: Disk::new(options.folder.clone(), options.disk_free_min_bytes),
        backlog_max_bytes: options.backlog_max_bytes,
        closed: false.into(),
        tables,
    });
    let (requests, queue) = mpsc::channel(REQUESTS_MAX);
    let writer = recovered.into_writer(shared.clone(), clock.clone(), options.durability);
    let threads = writer::start(writer, queue)?;
    Ok(EmbeddedEngine { identity, clock, shared, requests: Some(requests), threads: Mutex::new(threads) })
}

/// What the log rows tell.
struct Recovered {
    heads: Vec<Head>,
    counters: Counters,
    last_group: u64,
    /// Groups with the number of entries that were written with each.
    rows: Vec<(u64, usize)>,
    entries: Vec<(ShardId, Position, Place)>,
    resident_bytes: usize,
}

impl Recovered {
    fn read(tables: &Tables, shards: usize) -> EngineResult<Self> {
        let Checkpoint { through, oldest, heads, counters } = Checkpoint::load(tables, shards)?;
        let mut recovered =
            Self { heads, counters, last_group: through, rows: vec![], entries: vec![], resident_bytes: 0 };
        for row in tables.log.range(oldest.to_be_bytes()..) {
            let (key, row) = row.into_inner().map_err(failed)?;
            let group = keys::read_u64(&key).ok_or_else(|| damaged("key of a log row"))?;
            recovered.add(group, &row, group > through)?;
        }
        Ok(recovered)
    }

    /// Takes up one row; `fresh` when the checkpoint does not contain it.
    fn add(&mut self, group: u64, row: &[u8], fresh: bool) -> EngineResult<()> {
        let (header, slots) = log_row::decode(row).map_err(failed)?;
        if fresh {
            for change in &header.heads {
                self.head(change.shard)?.apply(change.kind);
            }
            self.counters = header.counters;
            self.last_group = group;
        }
        self.rows.push((group, slots.len()));
        for (index, (&(shard, _), &slot)) in header.entries.iter().zip(&slots).enumerate() {
            let position = position(group, index);
            let head = self.head(shard)?;
            head.last = head.last.max(position);
            if position > head.position {
                let place = self.place(row, slot);
                self.entries.push((shard, position, place));
            }
        }
        Ok(())
    }

    /// Entries are kept in memory while there is room. Some of them turn out to be applied by a later row;
    /// they are few, since rows that are applied are removed soon.
    fn place(&mut self, row: &[u8], slot: Slot) -> Place {
        let length = slot.length as usize;
        if self.resident_bytes + length > TAIL_RESIDENT_MAX_BYTES {
            return Place::Disk(slot);
        }
        self.resident_bytes += length;
        Place::Memory(Bytes::copy_from_slice(&row[slot.offset as usize..][..length]))
    }

    fn head(&mut self, shard: ShardId) -> EngineResult<&mut Head> {
        self.heads.get_mut(usize::from(shard.0)).ok_or_else(|| damaged("log row of an unknown shard"))
    }

    fn into_writer(mut self, shared: Arc<Shared>, clock: Arc<dyn Clock>, durability: Durability) -> Writer {
        let mut live = LiveRows::default();
        for (group, entries) in self.rows {
            live.add(group, entries);
        }
        for head in &mut self.heads {
            // Whoever opens the folder is alone: leases of an earlier process are over.
            head.token = None;
        }
        let state = State { heads: self.heads, counters: self.counters, last_group: self.last_group, live };
        let mut writer = Writer::new(shared, clock, durability, state);
        writer.resume(self.entries);
        writer
    }
}
