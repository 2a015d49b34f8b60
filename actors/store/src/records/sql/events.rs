//! Events and cursors.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use protocol::codec;
use protocol::fact::Event;
use protocol::id::{ConversationId, TenantId};

use super::super::limits::MAX_EVENT_PAGE;
use super::super::text::damaged;
use super::super::{Advance, EventQuery, EventSeq, Events, RecordsError, RecordsResult, StoredEvent};
use super::cells::Cells;
use super::statement::Kind::{Bytes, Int};
use super::statement::{Database, Durability, Insert, Sql, one};
use super::value::values;

const EVENTS: Insert = Insert {
    table: "events",
    columns: &[("seq", Int), ("tenant", Bytes), ("previous", Int), ("body", Bytes)],
    conflict: "",
};

const NEWEST: Insert = Insert {
    table: "newest_events",
    columns: &[("conversation", Bytes), ("seq", Int)],
    conflict: "ON CONFLICT (conversation) DO UPDATE SET seq = excluded.seq",
};

#[async_trait]
impl<D: Database> Events for D {
    async fn events(&self, query: EventQuery) -> RecordsResult<Vec<StoredEvent>> {
        self.read(move |db| events(db, query).boxed()).await
    }

    async fn history(
        &self,
        tenant: TenantId,
        conversation: ConversationId,
        before: Option<EventSeq>,
        limit: usize,
    ) -> RecordsResult<Vec<StoredEvent>> {
        let chain = chain("e.seq < ?3");
        let sql = format!(
            "{chain} SELECT e.seq, e.body FROM chain c CROSS JOIN events e \
             WHERE e.seq = c.seq AND c.seq < ?3 AND e.tenant = ?4 ORDER BY c.seq DESC LIMIT ?2"
        );
        let before = before.unwrap_or(EventSeq(u64::MAX));
        let values = values![conversation.0, limit.clamp(1, MAX_EVENT_PAGE), before, tenant.0];
        self.read(move |db| async move { db.all(&sql, values, event).await }.boxed()).await
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
    let of_tenant = if query.tenant.is_some() { " AND tenant = ?3" } else { "" };
    values.extend(query.tenant.map(|tenant| tenant.0.into()));
    let sql = format!("SELECT seq, body FROM events WHERE seq > ?1{of_tenant} ORDER BY seq LIMIT ?2");
    db.all(&sql, values, event).await
}

/// Stores events at the places after `base`.
pub(super) async fn append<S: Sql>(db: &mut S, base: EventSeq, events: &[Event]) -> RecordsResult<()> {
    let conversations: BTreeSet<_> = events.iter().filter_map(|event| event.conversation).collect();
    let sql = "SELECT conversation, seq FROM newest_events WHERE conversation IN (?1)";
    let wanted = conversations.into_iter().map(|id| id.0.into()).collect();
    let found = db.of_keys(sql, wanted, |cells| Ok((cells.id(ConversationId)?, cells.seq()?))).await?;
    let mut newest: BTreeMap<_, _> = found.into_iter().collect();
    let bodies: Result<Vec<_>, _> = events.iter().map(codec::encode).collect();
    let bodies = bodies.map_err(|error| RecordsError::Failed(error.into()))?;
    let mut rows = Vec::with_capacity(events.len());
    for ((seq, event), body) in (base.0 + 1..).map(EventSeq).zip(events).zip(&bodies) {
        let previous = event.conversation.and_then(|id| newest.insert(id, seq));
        rows.push(values![seq, event.tenant.map(|id| id.0), previous, &body[..]]);
    }
    db.insert(&EVENTS, rows).await?;
    db.insert(&NEWEST, newest.into_iter().map(|(id, seq)| values![id.0, seq]).collect()).await
}

/// The table `chain` of the places of a conversation (parameter 1), from the newest one back until as many events as
/// parameter 2 says have met a condition. `e` is an event, `m` the message that it brought, if it did.
pub(super) fn chain(counted: &str) -> String {
    let counted = format!("CAST(CASE WHEN {counted} THEN 1 ELSE 0 END AS BIGINT)");
    format!(
        "WITH RECURSIVE chain (seq, previous, counted) AS (\
         SELECT e.seq, e.previous, {counted} FROM newest_events n JOIN events e ON e.seq = n.seq \
         LEFT JOIN messages m ON m.seq = e.seq WHERE n.conversation = ?1 UNION ALL \
         SELECT e.seq, e.previous, c.counted + {counted} FROM chain c JOIN events e ON e.seq = c.previous \
         LEFT JOIN messages m ON m.seq = e.seq WHERE c.counted < ?2)"
    )
}

/// Walks along the chain of a conversation's events, newest first.
pub(super) struct Walk(Option<EventSeq>);

impl Walk {
    /// Begins at the newest one.
    pub(super) async fn from_newest<S: Sql>(db: &mut S, conversation: ConversationId) -> RecordsResult<Self> {
        let sql = "SELECT seq FROM newest_events WHERE conversation = ?1";
        one(db, sql, values![conversation.0], |cells| cells.seq()).await.map(Self)
    }

    /// The next page; `None` at the end.
    pub(super) async fn earlier<S: Sql>(&mut self, db: &mut S) -> RecordsResult<Option<Vec<StoredEvent>>> {
        let Some(place) = self.0 else { return Ok(None) };
        let page = earlier(db, place).await?;
        self.0 = page.last().and_then(|(_, previous)| *previous);
        Ok(Some(page.into_iter().map(|(stored, _)| stored).collect()))
    }
}

/// A page of the events of a conversation, from a place back, each with the place of the one before it.
async fn earlier<S: Sql>(db: &mut S, place: EventSeq) -> RecordsResult<Vec<(StoredEvent, Option<EventSeq>)>> {
    let sql = "WITH RECURSIVE chain (seq, previous, counted) AS (\
               SELECT e.seq, e.previous, CAST(1 AS BIGINT) FROM events e WHERE e.seq = ?1 UNION ALL \
               SELECT e.seq, e.previous, c.counted + CAST(1 AS BIGINT) FROM chain c \
               JOIN events e ON e.seq = c.previous WHERE c.counted < ?2) \
               SELECT e.seq, e.body, e.previous FROM chain c CROSS JOIN events e WHERE e.seq = c.seq \
               ORDER BY e.seq DESC";
    db.all(sql, values![place, MAX_EVENT_PAGE], |cells| {
        Ok((event(cells)?, cells.take::<Option<u64>>()?.map(EventSeq)))
    })
    .await
}

/// Decodes place and body.
pub(super) fn event(cells: &mut Cells<'_>) -> RecordsResult<StoredEvent> {
    Ok(StoredEvent { seq: cells.seq()?, event: cells.bytes(decode)? })
}

/// Events are kept for ever, and the stored form of facts is read back by one version only: whoever raises
/// [`protocol::fact::EVENT_VERSION`] a second time stores the old ones anew in a migration.
fn decode(body: &[u8]) -> RecordsResult<Event> {
    if body.first() == Some(&b'{') {
        return serde_json::from_slice(body).map_err(damaged("event")); // of schema 1
    }
    codec::decode(body).map_err(damaged("event"))
}
