//! Facts in, derived rows out.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use protocol::fact::Event;
use protocol::time::{SpanMs, TimestampMs};

use super::super::limits::{DEAD_DELIVERY_DAYS, KEY_HOURS, MAX_NOTIFICATIONS_PER_USER};
use super::super::{EventSeq, FactBatch, Projection, RecordsError, RecordsResult};
use super::statement::Kind::Int;
use super::statement::{Database, Durability, Insert, Lock, Sql, number, set_number};
use super::value::values;
use super::{erasure, events, load, rebuild, save};
use crate::engine::{FactLane, FactPosition};

/// The engine store that the facts come from.
const ENGINE: &str = "engine";
/// Counts calls of `sync`, which needs something to write.
const SYNCED: &str = "synced";
/// Name of the position in errors.
const PROJECTOR: &str = "projector";

const POSITIONS: Insert = Insert {
    table: "projected",
    columns: &[("lane", Int), ("position", Int)],
    conflict: "ON CONFLICT (lane) DO UPDATE SET position = excluded.position",
};

#[async_trait]
impl<D: Database> Projection for D {
    async fn bind(&self, engine: u64) -> RecordsResult<()> {
        self.write(Durability::Disk, move |db| bind(db, engine).boxed()).await
    }

    async fn projected(&self) -> RecordsResult<Vec<(FactLane, FactPosition)>> {
        self.read(|db| projected(db).boxed()).await
    }

    async fn project(&self, facts: FactBatch) -> RecordsResult<usize> {
        let mut fresh = 0;
        for part in facts.parts() {
            fresh += self.write(Durability::Process, move |db| project(db, part).boxed()).await?;
        }
        Ok(fresh)
    }

    async fn sync(&self) -> RecordsResult<Vec<(FactLane, FactPosition)>> {
        self.write(Durability::Disk, |db| sync(db).boxed()).await
    }

    async fn rebuild(&self) -> RecordsResult<u64> {
        self.write(Durability::Process, |db| rebuild::begin(db).boxed()).await?;
        rebuild::finish(self).await?;
        Ok(self.read(|db| events::last_seq(db).boxed()).await?.0)
    }

    async fn forget(&self, now: TimestampMs) -> RecordsResult<()> {
        self.write(Durability::Process, move |db| forget(db, now).boxed()).await
    }

    async fn close(&self) -> RecordsResult<()> {
        Database::close(self).await
    }
}

async fn bind<S: Sql>(db: &mut S, engine: u64) -> RecordsResult<()> {
    let sql = "INSERT INTO numbers (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
    db.run(sql, values![ENGINE, engine]).await?;
    if number(db, ENGINE).await? == engine {
        return Ok(());
    }
    let text =
        "the records belong to another engine store: use that one, or give this one records of its own";
    Err(RecordsError::Incompatible(text.to_owned()))
}

async fn projected<S: Sql>(db: &mut S) -> RecordsResult<Vec<(FactLane, FactPosition)>> {
    let sql = "SELECT lane, position FROM projected ORDER BY lane";
    db.all(sql, values![], |cells| Ok((FactLane(cells.take()?), FactPosition(cells.take()?)))).await
}

async fn project<S: Sql>(db: &mut S, facts: FactBatch) -> RecordsResult<usize> {
    db.lock(facts.lanes.iter().map(|step| Lock::Lane(step.lane)).collect()).await?;
    let reached: BTreeMap<_, _> = projected(db).await?.into_iter().collect();
    let done = |lane: FactLane| reached.get(&lane).copied().unwrap_or_default();
    if facts.lanes.iter().any(|step| done(step.lane) < step.after) {
        // The store is older than what this process saw of it, as after a fail-over: what is missing comes again.
        return Err(RecordsError::CursorMoved(PROJECTOR));
    }
    let fresh = facts.events.into_iter().filter(|(lane, position, _)| *position > done(*lane));
    let fresh: Vec<Event> = fresh.map(|(_, _, event)| event).collect();
    let mut batch = load::batch(db, fresh.iter()).await?;
    // Places within the batch, until the first one is known.
    for (place, event) in (1..).map(EventSeq).zip(&fresh) {
        batch.fold(place, event);
    }
    save::rows(db, &batch).await?;
    let positions = facts.lanes.iter().map(|step| (step.lane, step.through.max(done(step.lane))));
    db.insert(&POSITIONS, positions.map(|(lane, through)| values![lane.0, through.0]).collect()).await?;
    // As late as can be, since everybody else who projects waits from here to the end of this transaction.
    db.lock(vec![Lock::Events]).await?;
    let base = events::last_seq(db).await?;
    events::append(db, base, &fresh).await?;
    save::places(db, &batch, base).await?;
    erasure::follow(db, fresh.last()).await?;
    Ok(fresh.len())
}

async fn sync<S: Sql>(db: &mut S) -> RecordsResult<Vec<(FactLane, FactPosition)>> {
    let calls = number(db, SYNCED).await?;
    set_number(db, SYNCED, calls + 1).await?;
    projected(db).await
}

async fn forget<S: Sql>(db: &mut S, now: TimestampMs) -> RecordsResult<()> {
    let keys = now - SpanMs::hours(KEY_HOURS);
    db.run("DELETE FROM idempotency_keys WHERE at < ?1", values![keys.0]).await?;
    let dead = now - SpanMs::hours(24 * DEAD_DELIVERY_DAYS);
    db.run("DELETE FROM deliveries WHERE state = 'dead' AND next_at < ?1", values![dead.0]).await?;
    db.run("DELETE FROM present WHERE until < ?1", values![now.0]).await?;
    let old = "DELETE FROM notifications WHERE (user_id, seq) IN (SELECT user_id, seq FROM (\
               SELECT user_id, seq, row_number() OVER (PARTITION BY user_id ORDER BY seq DESC) AS place \
               FROM notifications) AS placed WHERE place > ?1)";
    db.run(old, values![MAX_NOTIFICATIONS_PER_USER]).await.map(drop)
}
