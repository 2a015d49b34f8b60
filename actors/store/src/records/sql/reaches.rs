//! Telling users who are away.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::notice::Way;
use futures_util::FutureExt as _;
use protocol::id::{DeviceId, TenantId, UserId};
use protocol::time::TimestampMs;

use super::super::limits::{MAX_DEVICES_PER_USER, MAX_PAGE};
use super::super::text::{from_json, from_name, json};
use super::super::{Device, EventSeq, NotifyCommit, Reach, Reaches, RecordsResult, Settled, Untold};
use super::cells::Cells;
use super::events;
use super::statement::Kind::{Bytes, Int};
use super::statement::{Database, Durability, Insert, Sql, one};
use super::value::{Values, values};

const COLUMNS: &str = "id, tenant, user_id, device, created_at, told, next_at, attempts, last_error";

const MAILBOXES: Insert = Insert {
    table: "reaches",
    columns: &[
        ("id", Bytes),
        ("tenant", Bytes),
        ("user_id", Bytes),
        ("created_at", Int),
        ("told", Int),
        ("attempts", Int),
    ],
    conflict: "ON CONFLICT (id) DO NOTHING",
};

const PRESENT: Insert = Insert {
    table: "present",
    columns: &[("user_id", Bytes), ("until", Int)],
    conflict: "ON CONFLICT (user_id) DO UPDATE SET until = excluded.until",
};

#[async_trait]
impl<D: Database> Reaches for D {
    async fn reaches_due(&self, way: Way, now: TimestampMs, limit: usize) -> RecordsResult<Vec<Reach>> {
        let device = match way {
            Way::Mail => "IS NULL",
            Way::Push => "IS NOT NULL",
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM reaches WHERE next_at <= ?1 AND device {device} ORDER BY next_at LIMIT ?2"
        );
        let values = values![now.0, limit.clamp(1, MAX_PAGE)];
        self.read(move |db| async move { db.all(&sql, values, reach).await }.boxed()).await
    }

    async fn untold(&self, reach: &Reach) -> RecordsResult<Option<Untold>> {
        let place = values![reach.user.0, reach.tenant.0, reach.told];
        self.snapshot(move |db| untold(db, place).boxed()).await
    }

    async fn claim_reach(&self, reach: &Reach, until: TimestampMs) -> RecordsResult<bool> {
        let sql = "UPDATE reaches SET next_at = ?3, attempts = attempts + 1 WHERE id = ?1 AND next_at = ?2";
        let values = values![reach.id.0, reach.next_at.map(|at| at.0), until.0];
        Ok(self.write(Durability::Process, move |db| db.run(sql, values).boxed()).await? > 0)
    }

    async fn settle_reach(&self, id: DeviceId, settled: Settled) -> RecordsResult<()> {
        self.write(Durability::Process, move |db| settle(db, id, settled).boxed()).await
    }

    async fn wake_reaches(&self, user: UserId, now: TimestampMs) -> RecordsResult<()> {
        let sql = "UPDATE reaches SET next_at = ?2 WHERE user_id = ?1 AND next_at > ?2 AND attempts = 0";
        let values = values![user.0, now.0];
        self.write(Durability::Process, move |db| db.run(sql, values).boxed()).await.map(drop)
    }

    async fn mark_present(&self, users: Vec<UserId>, until: TimestampMs) -> RecordsResult<()> {
        let rows = users.into_iter().map(|user| values![user.0, until.0]).collect();
        self.write(Durability::Process, move |db| db.insert(&PRESENT, rows).boxed()).await
    }

    async fn devices(&self, tenant: TenantId, user: UserId) -> RecordsResult<Vec<Reach>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM reaches WHERE user_id = ?1 AND tenant = ?2 AND device IS NOT NULL \
             ORDER BY created_at, id"
        );
        let values = values![user.0, tenant.0];
        self.read(move |db| async move { db.all(&sql, values, reach).await }.boxed()).await
    }

    async fn add_device(
        &self,
        tenant: TenantId,
        user: UserId,
        device: Device,
        now: TimestampMs,
    ) -> RecordsResult<DeviceId> {
        self.write(Durability::Disk, move |db| add(db, (tenant, user), device, now).boxed()).await
    }

    async fn remove_device(&self, tenant: TenantId, user: UserId, id: DeviceId) -> RecordsResult<bool> {
        let sql = "DELETE FROM reaches WHERE id = ?1 AND tenant = ?2 AND user_id = ?3 AND device IS NOT NULL";
        let values = values![id.0, tenant.0, user.0];
        Ok(self.write(Durability::Disk, move |db| db.run(sql, values).boxed()).await? > 0)
    }

    async fn forget_reach(&self, id: DeviceId) -> RecordsResult<()> {
        let sql = "DELETE FROM reaches WHERE id = ?1";
        self.write(Durability::Process, move |db| db.run(sql, values![id.0]).boxed()).await.map(drop)
    }

    async fn forget_user(&self, user: UserId) -> RecordsResult<()> {
        let sql = "DELETE FROM reaches WHERE user_id = ?1";
        self.write(Durability::Disk, move |db| db.run(sql, values![user.0]).boxed()).await.map(drop)
    }
}

/// New notifications are to be told. Those that wait for their time, or for another attempt, know of it already. The rows are
/// written even so: whoever settles one at the same time waits for this transaction, and then sees what is new.
pub(super) async fn wake<S: Sql>(db: &mut S, commit: &NotifyCommit) -> RecordsResult<()> {
    let mut first = BTreeMap::new();
    for row in &commit.notifications {
        let known = first.entry(row.user).or_insert(row);
        if row.seq < known.seq {
            *known = row;
        }
    }
    let mailboxes = first.values().filter(|row| commit.mailboxes.contains(&row.user));
    let mailboxes = mailboxes.map(|row| {
        let told = EventSeq(row.seq.0.saturating_sub(1));
        values![row.user.0, row.tenant.0, row.user.0, row.at.0, told, 0u32]
    });
    db.insert(&MAILBOXES, mailboxes.collect()).await?;
    let due = first.values().map(|row| values![row.user.0, row.at.0]).collect();
    db.run_each("UPDATE reaches SET next_at = coalesce(next_at, ?2) WHERE user_id = ?1", due).await
}

async fn untold<S: Sql>(db: &mut S, place: Values<'_>) -> RecordsResult<Option<Untold>> {
    let new = "FROM notifications WHERE user_id = ?1 AND tenant = ?2 AND seq > ?3 AND read_at IS NULL";
    let sql = format!("SELECT about, count(*), min(at), max(seq) {new} GROUP BY about ORDER BY about");
    let found = db.all(&sql, place.clone(), |cells| {
        let kind = cells.text(|text| from_name("notification kind", text))?;
        Ok(((kind, cells.take()?), cells.time()?, cells.seq()?))
    });
    let found = found.await?;
    let oldest = found.iter().map(|(_, oldest, _)| *oldest).min();
    let newest = found.iter().map(|(_, _, newest)| *newest).max();
    let (Some(oldest), Some(newest)) = (oldest, newest) else { return Ok(None) };
    let sql = format!("SELECT count(DISTINCT conversation) {new}");
    let conversations = one(db, &sql, place.clone(), |cells| cells.take()).await?.unwrap_or(0);
    let sql = "SELECT until FROM present WHERE user_id = ?1";
    let present_until = one(db, sql, place.into_iter().take(1).collect(), |cells| cells.time()).await?;
    let counts = found.into_iter().map(|(count, ..)| count).collect();
    Ok(Some(Untold { counts, conversations, oldest, newest, present_until }))
}

async fn settle<S: Sql>(db: &mut S, id: DeviceId, settled: Settled) -> RecordsResult<()> {
    let (sql, values) = match settled {
        Settled::Nothing => (
            "UPDATE reaches SET next_at = NULL, attempts = 0, last_error = NULL WHERE id = ?1",
            values![id.0],
        ),
        Settled::Later(at) => ("UPDATE reaches SET next_at = ?2 WHERE id = ?1", values![id.0, at.0]),
        Settled::Told(through) => (
            "UPDATE reaches SET told = ?2, next_at = NULL, attempts = 0, last_error = NULL WHERE id = ?1",
            values![id.0, through],
        ),
        Settled::Failed { at, error } => {
            ("UPDATE reaches SET next_at = ?2, last_error = ?3 WHERE id = ?1", values![id.0, at.0, error])
        }
        Settled::GivenUp { through, error } => (
            "UPDATE reaches SET told = ?2, next_at = NULL, attempts = 0, last_error = ?3 WHERE id = ?1",
            values![id.0, through, error],
        ),
    };
    db.run(sql, values).await?;
    // A statement of its own: it sees what was committed while the first one waited for the row.
    let sql = "UPDATE reaches SET next_at = (SELECT min(n.at) FROM notifications n \
               WHERE n.user_id = reaches.user_id AND n.tenant = reaches.tenant AND n.read_at IS NULL \
               AND n.seq > reaches.told) WHERE id = ?1 AND next_at IS NULL";
    db.run(sql, values![id.0]).await.map(drop)
}

async fn add<S: Sql>(
    db: &mut S,
    (tenant, user): (TenantId, UserId),
    device: Device,
    now: TimestampMs,
) -> RecordsResult<DeviceId> {
    let id = DeviceId::derive(&[device.endpoint.as_bytes()]);
    let told = events::last_seq(db).await?;
    let sql = "INSERT INTO reaches (id, tenant, user_id, device, created_at, told, attempts) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0) ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, \
               user_id = excluded.user_id, device = excluded.device, told = excluded.told, next_at = NULL, attempts = 0";
    db.run(sql, values![id.0, tenant.0, user.0, json(&device)?, now.0, told]).await?;
    let sql = "DELETE FROM reaches WHERE id IN (SELECT id FROM (SELECT id, \
               row_number() OVER (ORDER BY created_at DESC, id) AS place \
               FROM reaches WHERE user_id = ?1 AND device IS NOT NULL) AS placed WHERE place > ?2)";
    db.run(sql, values![user.0, MAX_DEVICES_PER_USER]).await?;
    Ok(id)
}

fn reach(cells: &mut Cells<'_>) -> RecordsResult<Reach> {
    Ok(Reach {
        id: cells.id(DeviceId)?,
        tenant: cells.id(TenantId)?,
        user: cells.id(UserId)?,
        device: cells.parsed(|text| from_json("device", text))?,
        created_at: cells.time()?,
        told: cells.seq()?,
        next_at: cells.maybe_time()?,
        attempts: cells.take()?,
        last_error: cells.take()?,
    })
}
