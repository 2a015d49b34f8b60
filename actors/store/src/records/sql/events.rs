//! Events and cursors.

use async_trait::async_trait;
use futures_util::FutureExt as _;

use super::super::limits::MAX_EVENT_PAGE;
use super::super::text::from_json;
use super::super::{Advance, EventQuery, EventSeq, Events, RecordsError, RecordsResult, StoredEvent};
use super::cells::Cells;
use super::statement::{Database, Durability, Sql, one};
use super::value::{Value, values};

#[async_trait]
impl<D: Database> Events for D {
    async fn events(&self, query: EventQuery) -> RecordsResult<Vec<StoredEvent>> {
        self.read(move |db| events(db, query).boxed()).await
    }

    async fn last_event(&self) -> RecordsResult<EventSeq> {
        self.read(|db| last_seq(db).boxed()).await
    }

    async fn cursor(&self, consumer: &'static str) -> RecordsResult<EventSeq> {
        self.read(move |db| cursor(db, consumer).boxed()).await
    }

    async fn advance(&self, step: Advance) -> RecordsResult<()> {
        self.write(Durability::Process, move |db| advance(db, step).boxed()).await
    }
}

/// The place of the newest event.
pub(super) async fn last_seq<S: Sql>(db: &mut S) -> RecordsResult<EventSeq> {
    let newest = one(db, "SELECT max(seq) FROM events", values![], |cells| cells.take::<Option<u64>>());
    Ok(EventSeq(newest.await?.flatten().unwrap_or(0)))
}

/// Moves a consumer's cursor within the transaction of what it wrote. Of several that try at once, the second one
/// waits for the first to commit and then finds that the cursor has moved.
pub(super) async fn advance<S: Sql>(db: &mut S, step: Advance) -> RecordsResult<()> {
    if step.from == EventSeq(0) {
        let begin = "INSERT INTO cursors (consumer, seq) VALUES (?1, 0) ON CONFLICT (consumer) DO NOTHING";
        db.run(begin, values![step.consumer]).await?;
    }
    let sql = "UPDATE cursors SET seq = ?2 WHERE consumer = ?1 AND seq = ?3";
    match db.run(sql, values![step.consumer, step.to, step.from]).await? {
        0 => Err(RecordsError::CursorMoved(step.consumer)),
        _ => Ok(()),
    }
}

async fn cursor<S: Sql>(db: &mut S, consumer: &str) -> RecordsResult<EventSeq> {
    let sql = "SELECT seq FROM cursors WHERE consumer = ?1";
    let found = one(db, sql, values![consumer], |cells| cells.seq());
    Ok(found.await?.unwrap_or_default())
}

/// Events of everybody after a place.
pub(super) async fn after<S: Sql>(
    db: &mut S,
    place: EventSeq,
    limit: usize,
) -> RecordsResult<Vec<StoredEvent>> {
    events(db, EventQuery { after: place, limit, ..EventQuery::default() }).await
}

async fn events<S: Sql>(db: &mut S, query: EventQuery) -> RecordsResult<Vec<StoredEvent>> {
    let mut values = values![query.after, query.limit.clamp(1, MAX_EVENT_PAGE)];
    let mut conditions = String::new();
    let mut and = |column: &str, value: Value<'static>| {
        values.push(value);
        conditions.push_str(&format!(" AND {column} = ?{}", values.len()));
    };
    if let Some(conversation) = query.conversation {
        and("conversation", conversation.0.into());
    }
    if let Some(tenant) = query.tenant {
        and("tenant", tenant.0.into());
    }
    let sql = format!("SELECT seq, body FROM events WHERE seq > ?1{conditions} ORDER BY seq LIMIT ?2");
    db.all(&sql, values, event).await
}

/// Decodes place and body.
pub(super) fn event(cells: &mut Cells<'_>) -> RecordsResult<StoredEvent> {
    Ok(StoredEvent { seq: cells.seq()?, event: cells.text(|text| from_json("event", text))? })
}
