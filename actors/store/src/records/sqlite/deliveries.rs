//! Events on their way to downstream endpoints.

use std::collections::BTreeMap;

use async_trait::async_trait;
use protocol::id::{EndpointId, TenantId};
use protocol::time::TimestampMs;
use rusqlite::Transaction;

use super::super::limits::{MAX_PAGE, MAX_PENDING_DELIVERIES};
use super::super::{
    Deliveries, Delivery, DeliveryCommit, DeliveryOutcome, DeliveryQuery, DeliveryState, EventSeq,
    RecordsError, RecordsResult,
};
use super::sql::{Cells, Id, all, one, place, run};
use super::{SqliteRecords, events};

const PENDING: &str = "pending";
const DEAD: &str = "dead";

/// Columns read by [`delivery`], with the event last.
const SELECT: &str = "SELECT d.endpoint, d.tenant, d.state, d.attempts, d.next_at, d.last_error, e.seq, e.body \
    FROM deliveries d JOIN events e ON e.seq = d.seq";

#[async_trait]
impl Deliveries for SqliteRecords {
    async fn delivery_commit(&self, commit: DeliveryCommit) -> RecordsResult<()> {
        self.write(move |transaction| delivery_commit(transaction, &commit)).await
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
        let values = (Id::new(endpoint.0), now.0, limit.clamp(1, MAX_PAGE));
        self.read(move |connection| all(connection, &sql, values, delivery)).await
    }

    async fn pending_endpoints(&self) -> RecordsResult<Vec<(EndpointId, TimestampMs)>> {
        let sql = "SELECT endpoint, min(next_at) FROM deliveries WHERE state = 'pending' GROUP BY endpoint";
        let decode = |cells: &mut Cells<'_>| Ok((cells.id(EndpointId)?, cells.time()?));
        self.read(move |connection| all(connection, sql, (), decode)).await
    }

    async fn finish_deliveries(
        &self,
        outcomes: Vec<(EndpointId, EventSeq, DeliveryOutcome)>,
    ) -> RecordsResult<()> {
        self.write(move |transaction| {
            outcomes
                .iter()
                .try_for_each(|(endpoint, seq, outcome)| finish(transaction, (*endpoint, *seq), outcome))
        })
        .await
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
        let values = (Id::new(tenant.0), Id::new(endpoint.0), place(event), now.0);
        self.write(move |transaction| Ok(run(transaction, sql, values)? > 0)).await
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
        let (endpoint, tenant) = (Id::new(query.endpoint.0), Id::new(query.tenant.0));
        let limit = query.limit.clamp(1, MAX_PAGE);
        let values = (endpoint, tenant, state, place(query.after), limit);
        self.read(move |connection| all(connection, &sql, values, delivery)).await
    }
}

fn delivery_commit(transaction: &Transaction<'_>, commit: &DeliveryCommit) -> RecordsResult<()> {
    events::advance(transaction, commit.advance)?;
    let mut pending: BTreeMap<EndpointId, u64> = BTreeMap::new();
    for (endpoint, tenant, seq) in &commit.deliveries {
        let count = match pending.get(endpoint) {
            Some(count) => *count,
            None => count_pending(transaction, *endpoint)?,
        };
        let (state, error) = if count < MAX_PENDING_DELIVERIES {
            (PENDING, None)
        } else {
            (DEAD, Some("the endpoint had too many undelivered events: read them from the feed"))
        };
        let sql = "INSERT INTO deliveries (endpoint, seq, tenant, state, attempts, next_at, last_error) \
                   VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6) ON CONFLICT (endpoint, seq) DO NOTHING";
        let values = (Id::new(endpoint.0), place(*seq), Id::new(tenant.0), state, commit.now.0, error);
        run(transaction, sql, values)?;
        pending.insert(*endpoint, count + 1);
    }
    Ok(())
}

fn count_pending(transaction: &Transaction<'_>, endpoint: EndpointId) -> RecordsResult<u64> {
    let sql = "SELECT count(*) FROM deliveries WHERE endpoint = ?1 AND state = 'pending'";
    Ok(one(transaction, sql, [Id::new(endpoint.0)], |cells| cells.take())?.unwrap_or(0))
}

fn finish(
    transaction: &Transaction<'_>,
    (endpoint, seq): (EndpointId, EventSeq),
    outcome: &DeliveryOutcome,
) -> RecordsResult<()> {
    let (endpoint, seq) = (Id::new(endpoint.0), place(seq));
    match outcome {
        DeliveryOutcome::Delivered => {
            run(transaction, "DELETE FROM deliveries WHERE endpoint = ?1 AND seq = ?2", (endpoint, seq))
        }
        DeliveryOutcome::Retry { at, error } => {
            let sql = "UPDATE deliveries SET attempts = attempts + 1, next_at = ?3, last_error = ?4 \
                       WHERE endpoint = ?1 AND seq = ?2";
            run(transaction, sql, (endpoint, seq, at.0, error))
        }
        DeliveryOutcome::Dead { error } => {
            let sql = "UPDATE deliveries SET attempts = attempts + 1, state = 'dead', last_error = ?3 \
                       WHERE endpoint = ?1 AND seq = ?2";
            run(transaction, sql, (endpoint, seq, error))
        }
    }
    .map(drop)
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
