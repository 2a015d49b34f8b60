//! Facts in, derived rows out.

use std::collections::BTreeMap;

use async_trait::async_trait;
use protocol::fact::Event;
use protocol::time::{SpanMs, TimestampMs};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::super::limits::{DEAD_DELIVERY_DAYS, KEY_HOURS, MAX_EVENT_PAGE, MAX_NOTIFICATIONS_PER_USER};
use super::super::text::json;
use super::super::{EventSeq, Projection, RecordsResult, StoredEvent};
use super::sql::{Id, all, number, place, run, set_number};
use super::{SqliteRecords, contacts, events, load, save};
use crate::engine::{FactLane, FactPosition};

/// Set while a rebuild is under way: one more than the place that it has reached.
const REBUILDING: &str = "rebuilding";
/// Counts calls of `sync`, which needs something to write.
const SYNCED: &str = "synced";

/// What a rebuild derives again.
const DERIVED: &str = "DELETE FROM conversations; DELETE FROM contacts; DELETE FROM contact_words; \
    DELETE FROM messages; DELETE FROM attempts; DELETE FROM consents; \
    DELETE FROM audit WHERE event_seq IS NOT NULL;";

#[async_trait]
impl Projection for SqliteRecords {
    async fn projected(&self) -> RecordsResult<Vec<(FactLane, FactPosition)>> {
        self.read(projected).await
    }

    async fn project(&self, facts: Vec<(FactLane, FactPosition, Event)>) -> RecordsResult<usize> {
        self.write(move |transaction| project(transaction, facts)).await
    }

    async fn sync(&self) -> RecordsResult<Vec<(FactLane, FactPosition)>> {
        let job = |transaction: &Transaction<'_>| {
            set_number(transaction, SYNCED, number(transaction, SYNCED)? + 1)?;
            projected(transaction)
        };
        self.write_durably(job).await
    }

    async fn rebuild(&self) -> RecordsResult<u64> {
        self.write(begin_rebuild).await?;
        while self.write(rebuild_step).await? {}
        Ok(self.read(events::last_seq).await?.0)
    }

    async fn forget(&self, now: TimestampMs) -> RecordsResult<()> {
        self.write(move |transaction| forget(transaction, now)).await
    }

    async fn close(&self) -> RecordsResult<()> {
        self.readers.close();
        self.writer.close().await
    }
}

/// Ends a rebuild that was interrupted.
pub(super) fn finish_rebuild(connection: &mut Connection) -> RecordsResult<()> {
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let more = rebuild_step(&transaction)?;
        transaction.commit()?;
        if !more {
            return Ok(());
        }
    }
}

fn projected(connection: &Connection) -> RecordsResult<Vec<(FactLane, FactPosition)>> {
    let sql = "SELECT lane, position FROM projected ORDER BY lane";
    all(connection, sql, (), |cells| Ok((FactLane(cells.take()?), FactPosition(cells.take()?))))
}

fn project(
    transaction: &Transaction<'_>,
    facts: Vec<(FactLane, FactPosition, Event)>,
) -> RecordsResult<usize> {
    let mut reached: BTreeMap<_, _> = projected(transaction)?.into_iter().collect();
    let mut seq = events::last_seq(transaction)?;
    let mut fresh = Vec::with_capacity(facts.len());
    for (lane, position, event) in facts {
        let reached = reached.entry(lane).or_default();
        if position > *reached {
            *reached = position;
            seq = EventSeq(seq.0 + 1);
            insert(transaction, seq, &event)?;
            fresh.push(StoredEvent { seq, event });
        }
    }
    derive(transaction, &fresh)?;
    for (lane, position) in reached {
        let sql = "INSERT INTO projected (lane, position) VALUES (?1, ?2) \
                   ON CONFLICT (lane) DO UPDATE SET position = ?2 WHERE position < ?2";
        run(transaction, sql, (lane.0, position.0))?;
    }
    Ok(fresh.len())
}

fn insert(transaction: &Transaction<'_>, seq: EventSeq, event: &Event) -> RecordsResult<()> {
    let sql = "INSERT INTO events (seq, tenant, conversation, body) VALUES (?1, ?2, ?3, ?4)";
    let tenant = event.tenant.map(|id| Id::new(id.0));
    let conversation = event.conversation.map(|id| Id::new(id.0));
    run(transaction, sql, (place(seq), tenant, conversation, json(event)?)).map(drop)
}

fn derive(transaction: &Transaction<'_>, events: &[StoredEvent]) -> RecordsResult<()> {
    let mut batch = load::batch(transaction, events)?;
    for stored in events {
        batch.fold(stored.seq, &stored.event);
    }
    save::batch(transaction, &batch)
}

fn begin_rebuild(transaction: &Transaction<'_>) -> RecordsResult<()> {
    transaction.execute_batch(DERIVED)?;
    contacts::apply_cards(transaction)?;
    set_number(transaction, REBUILDING, 1)
}

/// One transaction of a rebuild; `false` when there is none or it is done.
fn rebuild_step(transaction: &Transaction<'_>) -> RecordsResult<bool> {
    let Some(reached) = number(transaction, REBUILDING)?.checked_sub(1) else { return Ok(false) };
    let batch = events::after(transaction, EventSeq(reached), MAX_EVENT_PAGE)?;
    derive(transaction, &batch)?;
    let next = batch.last().map_or(0, |last| last.seq.0 + 1);
    set_number(transaction, REBUILDING, next)?;
    Ok(next > 0)
}

fn forget(transaction: &Transaction<'_>, now: TimestampMs) -> RecordsResult<()> {
    let keys = now - SpanMs::hours(KEY_HOURS);
    run(transaction, "DELETE FROM idempotency_keys WHERE at < ?1", [keys.0])?;
    let dead = now - SpanMs::hours(24 * DEAD_DELIVERY_DAYS);
    run(transaction, "DELETE FROM deliveries WHERE state = 'dead' AND next_at < ?1", [dead.0])?;
    let old = "DELETE FROM notifications WHERE (user_id, seq) IN (SELECT user_id, seq FROM (\
               SELECT user_id, seq, row_number() OVER (PARTITION BY user_id ORDER BY seq DESC) AS place \
               FROM notifications) AS placed WHERE place > ?1)";
    run(transaction, old, [MAX_NOTIFICATIONS_PER_USER]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Audit, AuditQuery, PageRequest};
    use protocol::fact::Fact;
    use protocol::id::{ConversationId, EventId, TenantId};

    #[tokio::test]
    async fn an_interrupted_rebuild_is_finished_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let records = SqliteRecords::open(folder.path()).unwrap();
        let event = Event {
            id: EventId(1),
            at: TimestampMs(1),
            traceparent: None,
            tenant: Some(TenantId(1)),
            conversation: Some(ConversationId(1)),
            fact: Fact::DeadLettered { reason: "test".into() },
        };
        records.project(vec![(FactLane(0), FactPosition(1), event)]).await.unwrap();
        records.write(begin_rebuild).await.unwrap();
        let lines = async |records: &SqliteRecords| {
            let page = PageRequest::first(9);
            records.audit(TenantId(1), AuditQuery::default(), page).await.unwrap().data.len()
        };
        assert_eq!(lines(&records).await, 0);
        records.close().await.unwrap();
        let records = SqliteRecords::open(folder.path()).unwrap();
        assert_eq!(lines(&records).await, 1);
    }
}
