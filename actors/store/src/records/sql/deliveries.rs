//! Events on their way to downstream endpoints.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use protocol::id::{EndpointId, TenantId};
use protocol::time::TimestampMs;

use super::super::limits::{MAX_PAGE, MAX_PENDING_DELIVERIES};
use super::super::{
    Deliveries, Delivery, DeliveryCommit, DeliveryOutcome, DeliveryQuery, DeliveryState, EventSeq,
    RecordsError, RecordsResult,
};
use super::cells::Cells;
use super::events;
use super::statement::Kind::{Bytes, Int, Text};
use super::statement::{Database, Durability, Insert, Sql};
use super::value::values;

const PENDING: &str = "pending";
const DEAD: &str = "dead";

/// Columns read by [`delivery`], with the event last.
const SELECT: &str = "SELECT d.endpoint, d.tenant, d.state, d.attempts, d.next_at, d.last_error, e.seq, e.body \
    FROM deliveries d JOIN events e ON e.seq = d.seq";

const INSERT: Insert = Insert {
    table: "deliveries",
    columns: &[
        ("endpoint", Bytes),
        ("seq", Int),
        ("tenant", Bytes),
        ("state", Text),
        ("attempts", Int),
        ("next_at", Int),
        ("last_error", Text),
    ],
    conflict: "ON CONFLICT (endpoint, seq) DO NOTHING",
};

#[async_trait]
impl<D: Database> Deliveries for D {
    async fn delivery_commit(&self, commit: DeliveryCommit) -> RecordsResult<()> {
        self.write(Durability::Process, move |db| delivery_commit(db, commit).boxed()).await
    }

    async fn deliveries_due(
        &self,
        endpoint: EndpointId,
        now: TimestampMs,
        limit: usize,
    ) -> RecordsResult<Vec<Delivery>> {
        let sql = format!(
            "{SELECT} WHERE d.endpoint = ?1 AND d.state = 'pending' AND d.next_at <= ?2 \
             ORDER BY d.next_at, d.seq LIMIT ?3"
        );
        let values = values![endpoint.0, now.0, limit.clamp(1, MAX_PAGE)];
        self.read(move |db| async move { db.all(&sql, values, delivery).await }.boxed()).await
    }

    async fn pending_endpoints(&self) -> RecordsResult<Vec<(EndpointId, TimestampMs)>> {
        let sql = "SELECT endpoint, min(next_at) FROM deliveries WHERE state = 'pending' GROUP BY endpoint";
        let decode = |cells: &mut Cells<'_>| Ok((cells.id(EndpointId)?, cells.time()?));
        self.read(move |db| db.all(sql, values![], decode).boxed()).await
    }

    async fn finish_deliveries(
        &self,
        outcomes: Vec<(EndpointId, EventSeq, DeliveryOutcome)>,
    ) -> RecordsResult<()> {
        self.write(Durability::Process, move |db| finish(db, outcomes).boxed()).await
    }

    async fn revive_delivery(
        &self,
        tenant: TenantId,
        endpoint: EndpointId,
        event: EventSeq,
        now: TimestampMs,
    ) -> RecordsResult<bool> {
        let sql = "UPDATE deliveries SET state = 'pending', attempts = 0, next_at = ?4 \
                   WHERE tenant = ?1 AND endpoint = ?2 AND seq = ?3 AND state = 'dead'";
        let values = values![tenant.0, endpoint.0, event, now.0];
        Ok(self.write(Durability::Process, move |db| db.run(sql, values).boxed()).await? > 0)
    }

    async fn deliveries(&self, query: DeliveryQuery) -> RecordsResult<Vec<Delivery>> {
        let sql = format!(
            "{SELECT} WHERE d.endpoint = ?1 AND d.tenant = ?2 AND d.state = ?3 AND d.seq > ?4 \
             ORDER BY d.seq LIMIT ?5"
        );
        let state = match query.state {
            DeliveryState::Pending => PENDING,
            DeliveryState::Dead => DEAD,
        };
        let limit = query.limit.clamp(1, MAX_PAGE);
        let values = values![query.endpoint.0, query.tenant.0, state, query.after, limit];
        self.read(move |db| async move { db.all(&sql, values, delivery).await }.boxed()).await
    }
}

async fn delivery_commit<S: Sql>(db: &mut S, commit: DeliveryCommit) -> RecordsResult<()> {
    events::advance(db, commit.advance).await?;
    let mut pending = BTreeMap::new();
    for (endpoint, _, _) in &commit.deliveries {
        pending.insert(*endpoint, 0u64);
    }
    let sql = "SELECT endpoint, count(*) FROM deliveries WHERE endpoint IN (?1) AND state = 'pending' \
               GROUP BY endpoint";
    let wanted = pending.keys().map(|endpoint| endpoint.0.into()).collect();
    pending.extend(db.of_keys(sql, wanted, |cells| Ok((cells.id(EndpointId)?, cells.take()?))).await?);
    let mut rows = Vec::with_capacity(commit.deliveries.len());
    for (endpoint, tenant, seq) in &commit.deliveries {
        let count = pending.entry(*endpoint).or_default();
        let (state, error) = if *count < MAX_PENDING_DELIVERIES {
            (PENDING, None)
        } else {
            (DEAD, Some("the endpoint had too many undelivered events: read them from the feed"))
        };
        *count += 1;
        rows.push(values![endpoint.0, *seq, tenant.0, state, 0u32, commit.now.0, error]);
    }
    db.insert(&INSERT, rows).await
}

async fn finish<S: Sql>(
    db: &mut S,
    outcomes: Vec<(EndpointId, EventSeq, DeliveryOutcome)>,
) -> RecordsResult<()> {
    let (mut delivered, mut retried, mut dead) = (Vec::new(), Vec::new(), Vec::new());
    for (endpoint, seq, outcome) in outcomes {
        match outcome {
            DeliveryOutcome::Delivered => delivered.push(values![endpoint.0, seq]),
            DeliveryOutcome::Retry { at, error } => retried.push(values![endpoint.0, seq, at.0, error]),
            DeliveryOutcome::Dead { error } => dead.push(values![endpoint.0, seq, error]),
        }
    }
    db.run_each("DELETE FROM deliveries WHERE endpoint = ?1 AND seq = ?2", delivered).await?;
    let sql = "UPDATE deliveries SET attempts = attempts + 1, next_at = ?3, last_error = ?4 \
               WHERE endpoint = ?1 AND seq = ?2";
    db.run_each(sql, retried).await?;
    let sql = "UPDATE deliveries SET attempts = attempts + 1, state = 'dead', last_error = ?3 \
               WHERE endpoint = ?1 AND seq = ?2";
    db.run_each(sql, dead).await
}

fn delivery(cells: &mut Cells<'_>) -> RecordsResult<Delivery> {
    Ok(Delivery {
        endpoint: cells.id(EndpointId)?,
        tenant: cells.id(TenantId)?,
        state: cells.text(|text| match text {
            PENDING => Ok(DeliveryState::Pending),
            DEAD => Ok(DeliveryState::Dead),
            _ => Err(RecordsError::Damaged { what: "delivery state", source: text.into() }),
        })?,
        attempts: cells.take()?,
        next_at: cells.time()?,
        last_error: cells.take()?,
        event: events::event(cells)?,
    })
}
