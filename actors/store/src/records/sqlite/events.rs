//! Events and cursors.

use async_trait::async_trait;
use rusqlite::{Connection, Transaction};

use super::super::limits::MAX_EVENT_PAGE;
use super::super::text::from_json;
use super::super::{Advance, EventQuery, EventSeq, Events, RecordsError, RecordsResult, StoredEvent};
use super::SqliteRecords;
use super::sql::{Cells, Id, all, one, place, run};

#[async_trait]
impl Events for SqliteRecords {
    async fn events(&self, query: EventQuery) -> RecordsResult<Vec<StoredEvent>> {
        self.read(move |connection| events(connection, &query)).await
    }

    async fn last_event(&self) -> RecordsResult<EventSeq> {
        self.read(last_seq).await
    }

    async fn cursor(&self, consumer: &'static str) -> RecordsResult<EventSeq> {
        self.read(move |connection| cursor(connection, consumer)).await
    }

    async fn advance(&self, step: Advance) -> RecordsResult<()> {
        self.write(move |transaction| advance(transaction, step)).await
    }
}

/// The place of the newest event.
pub(super) fn last_seq(connection: &Connection) -> RecordsResult<EventSeq> {
    let newest = one(connection, "SELECT max(seq) FROM events", (), |cells| cells.take::<Option<u64>>())?;
    Ok(EventSeq(newest.flatten().unwrap_or(0)))
}

/// Moves a consumer's cursor within the transaction of what it wrote.
pub(super) fn advance(transaction: &Transaction<'_>, step: Advance) -> RecordsResult<()> {
    if cursor(transaction, step.consumer)? != step.from {
        return Err(RecordsError::CursorMoved(step.consumer));
    }
    let sql =
        "INSERT INTO cursors (consumer, seq) VALUES (?1, ?2) ON CONFLICT (consumer) DO UPDATE SET seq = ?2";
    run(transaction, sql, (step.consumer, place(step.to))).map(drop)
}

fn cursor(connection: &Connection, consumer: &str) -> RecordsResult<EventSeq> {
    let sql = "SELECT seq FROM cursors WHERE consumer = ?1";
    Ok(EventSeq(one(connection, sql, [consumer], |cells| cells.take())?.unwrap_or(0)))
}

fn events(connection: &Connection, query: &EventQuery) -> RecordsResult<Vec<StoredEvent>> {
    let (after, limit) = (place(query.after), query.limit.clamp(1, MAX_EVENT_PAGE));
    let tenant = query.tenant.map(|id| Id::new(id.0));
    let conversation = query.conversation.map(|id| Id::new(id.0));
    match (tenant, conversation) {
        (None, None) => self::after(connection, query.after, query.limit),
        (Some(tenant), None) => {
            let sql = "SELECT seq, body FROM events WHERE tenant = ?3 AND seq > ?1 ORDER BY seq LIMIT ?2";
            all(connection, sql, (after, limit, tenant), event)
        }
        (tenant, Some(conversation)) => {
            let sql = "SELECT seq, body FROM events WHERE conversation = ?3 AND seq > ?1 \
                       AND (?4 IS NULL OR tenant = ?4) ORDER BY seq LIMIT ?2";
            all(connection, sql, (after, limit, conversation, tenant), event)
        }
    }
}

/// Events of everybody after a place.
pub(super) fn after(connection: &Connection, seq: EventSeq, limit: usize) -> RecordsResult<Vec<StoredEvent>> {
    let sql = "SELECT seq, body FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    all(connection, sql, (place(seq), limit.clamp(1, MAX_EVENT_PAGE)), event)
}

/// Decodes place and body.
pub(super) fn event(cells: &mut Cells<'_>) -> RecordsResult<StoredEvent> {
    Ok(StoredEvent { seq: EventSeq(cells.take()?), event: cells.text(|text| from_json("event", text))? })
}
