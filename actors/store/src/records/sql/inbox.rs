//! Conversations and messages.

use std::collections::HashMap;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use protocol::id::{ContactId, ConversationId, MessageId, TenantId};
use protocol::outbound::Attempt;

use super::super::{
    ConversationRecord, Count, EventSeq, Filter, Inbox, MessageQuery, MessageRecord, Order, Page,
    PageRequest, RecordsError, RecordsResult, Replay, Unread,
};
use super::filter::Where;
use super::paging::{page, page_limit};
use super::statement::{Database, Sql, one};
use super::value::values;
use super::{events, files, find, load, replay, rows};

#[async_trait]
impl<D: Database> Inbox for D {
    async fn conversations(
        &self,
        tenant: TenantId,
        filter: Filter,
        page: PageRequest,
    ) -> RecordsResult<Page<ConversationRecord>> {
        self.snapshot(move |db| conversations(db, tenant, filter, page).boxed()).await
    }

    async fn unread(&self, tenant: TenantId, filter: Filter) -> RecordsResult<Unread> {
        self.snapshot(move |db| unread(db, tenant, filter).boxed()).await
    }

    async fn count(&self, tenant: TenantId, filter: Filter, limit: usize) -> RecordsResult<Count> {
        self.snapshot(move |db| count(db, tenant, filter, limit).boxed()).await
    }

    async fn conversation(
        &self,
        tenant: TenantId,
        id: ConversationId,
    ) -> RecordsResult<Option<ConversationRecord>> {
        self.read(move |db| conversation(db, tenant, id).boxed()).await
    }

    async fn messages(&self, query: MessageQuery) -> RecordsResult<Page<MessageRecord>> {
        self.read(move |db| messages(db, query).boxed()).await
    }

    async fn message(&self, tenant: TenantId, id: MessageId) -> RecordsResult<Option<MessageRecord>> {
        self.read(move |db| message(db, tenant, id).boxed()).await
    }

    async fn replay(&self, tenant: TenantId, id: ConversationId) -> RecordsResult<Option<Replay>> {
        self.snapshot(move |db| replay::replay(db, tenant, id).boxed()).await
    }
}

/// Inbox rows by conditions.
fn select(conditions: &str) -> String {
    format!(
        "SELECT {}, {} FROM conversations c JOIN contacts p ON p.id = c.contact WHERE {conditions}",
        rows::CONTACT,
        rows::CONVERSATION
    )
}

async fn conversations<S: Sql>(
    db: &mut S,
    tenant: TenantId,
    filter: Filter,
    request: PageRequest,
) -> RecordsResult<Page<ConversationRecord>> {
    let limit = page_limit(request.limit);
    let page = find::find(db, (tenant, &filter), request.cursor.as_ref(), limit).await?;
    let wanted = page.found.iter().map(|found| found.id.into()).collect();
    let read = db.of_keys(&select("c.id IN (?1)"), wanted, rows::conversation).await?;
    let mut read: HashMap<_, _> = read.into_iter().map(|row| (row.id.0, row)).collect();
    let mut data: Vec<_> = page.found.iter().filter_map(|found| read.remove(&found.id)).collect();
    load::consents(db, data.iter_mut().map(|row| &mut row.contact)).await?;
    Ok(Page { data, next: page.next })
}

pub(super) async fn conversation<S: Sql>(
    db: &mut S,
    tenant: TenantId,
    id: ConversationId,
) -> RecordsResult<Option<ConversationRecord>> {
    let sql = select("c.id = ?1 AND c.tenant = ?2");
    let mut found = one(db, &sql, values![id.0, tenant.0], rows::conversation).await?;
    load::consents(db, found.iter_mut().map(|row| &mut row.contact)).await?;
    Ok(found)
}

async fn unread<S: Sql>(db: &mut S, tenant: TenantId, filter: Filter) -> RecordsResult<Unread> {
    let mut conditions = Where::tenant("c.tenant", tenant);
    conditions.and_filter(tenant, &filter)?;
    let sql = format!(
        "SELECT count(*), CAST(coalesce(sum(c.unread), 0) AS BIGINT) FROM conversations c \
         WHERE c.unread > 0 AND {}",
        conditions.sql
    );
    let counts = one(db, &sql, conditions.values, |cells| {
        Ok(Unread { conversations: cells.take()?, messages: cells.take()? })
    });
    Ok(counts.await?.unwrap_or_default())
}

async fn count<S: Sql>(db: &mut S, tenant: TenantId, filter: Filter, limit: usize) -> RecordsResult<Count> {
    let page = find::find(db, (tenant, &filter), None, limit).await?;
    Ok(Count {
        conversations: page.found.len() as u64,
        unread: page.found.iter().filter(|found| found.unread).count() as u64,
        more: page.next.is_some(),
    })
}

/// Messages of a conversation (parameter 1), at most so many (2), beyond a place (3), of a tenant (4). Databases that
/// have no statistics yet join in the order of the text if it says `CROSS JOIN`, instead of by way of the tenant.
pub(crate) fn select_messages(order: Order, attachments_only: bool) -> String {
    // The newest ones are near; on the way to the oldest ones all are passed, and none counts.
    let (direction, beyond, counted) = match order {
        Order::NewestFirst => ("DESC", "m.seq < ?3", "m.seq < ?3"),
        Order::OldestFirst => ("ASC", "m.seq > ?3", "1 = 0"),
    };
    let of_conversation = if attachments_only {
        "WITH picked AS (SELECT m.seq FROM messages m WHERE m.conversation = ?1 AND m.attachment = 1"
            .to_owned()
    } else {
        let chain = events::chain(counted);
        format!("{chain}, picked AS (SELECT m.seq FROM chain c CROSS JOIN messages m WHERE m.seq = c.seq")
    };
    of_picked(&format!("{of_conversation} AND {beyond} ORDER BY m.seq {direction} LIMIT ?2)"), direction)
}

/// Messages whose places were picked, of a tenant (parameter 4).
fn of_picked(picked: &str, direction: &str) -> String {
    format!(
        "{picked} SELECT {} FROM picked p CROSS JOIN messages m CROSS JOIN events e \
         WHERE m.seq = p.seq AND e.seq = p.seq AND e.tenant = ?4 ORDER BY p.seq {direction}",
        rows::MESSAGE
    )
}

async fn messages<S: Sql>(db: &mut S, query: MessageQuery) -> RecordsResult<Page<MessageRecord>> {
    let from = match (&query.page.cursor, query.order) {
        (Some(cursor), _) => cursor.0.parse().map_err(|_| RecordsError::PageCursor)?,
        (None, Order::NewestFirst) => i64::MAX,
        (None, Order::OldestFirst) => 0,
    };
    let sql = select_messages(query.order, query.attachments_only);
    let limit = page_limit(query.page.limit);
    let values = values![query.conversation.0, limit + 1, from, query.tenant.0];
    let found = db.all(&sql, values, rows::message).await?;
    with_files(db, found, limit).await
}

/// A page of messages with their files.
async fn with_files<S: Sql>(
    db: &mut S,
    found: Vec<(EventSeq, MessageRecord)>,
    limit: usize,
) -> RecordsResult<Page<MessageRecord>> {
    let page = page(found, limit, |(seq, _)| seq.0.to_string());
    let mut data: Vec<_> = page.data.into_iter().map(|(_, row)| row).collect();
    files::fill(db, data.iter_mut()).await?;
    Ok(Page { data, next: page.next })
}

/// Messages with files in all conversations with a contact (parameter 1), at most so many (2), before a place (3), of a
/// tenant (4).
pub(super) const CONTACT_FILES: &str = "\
    WITH picked AS (SELECT m.seq FROM conversation_keys k CROSS JOIN messages m \
    WHERE k.contact = ?1 AND m.conversation = k.id AND m.attachment = 1 AND m.seq < ?3 \
    ORDER BY m.seq DESC LIMIT ?2)";

/// Messages with files in all conversations with a contact, newest first.
pub(super) async fn attachments<S: Sql>(
    db: &mut S,
    (tenant, contact): (TenantId, ContactId),
    request: PageRequest,
) -> RecordsResult<Page<MessageRecord>> {
    let before = match &request.cursor {
        Some(cursor) => cursor.0.parse().map_err(|_| RecordsError::PageCursor)?,
        None => i64::MAX,
    };
    let limit = page_limit(request.limit);
    let sql = of_picked(CONTACT_FILES, "DESC");
    let values = values![contact.0, limit + 1, before, tenant.0];
    let found = db.all(&sql, values, rows::message).await?;
    with_files(db, found, limit).await
}

async fn message<S: Sql>(
    db: &mut S,
    tenant: TenantId,
    id: MessageId,
) -> RecordsResult<Option<MessageRecord>> {
    let sql = format!(
        "SELECT {} FROM messages m JOIN events e ON e.seq = m.seq WHERE m.id = ?1 AND e.tenant = ?2",
        rows::MESSAGE
    );
    let Some((_, mut row)) = one(db, &sql, values![id.0, tenant.0], rows::message).await? else {
        return Ok(None);
    };
    let sql = "SELECT at, code, detail FROM attempts WHERE message = ?1 ORDER BY at";
    let attempts = db.all(sql, values![id.0], |cells| {
        Ok(Attempt { at: cells.time()?, code: cells.take()?, detail: cells.take()? })
    });
    row.attempts = attempts.await?;
    files::fill(db, std::iter::once(&mut row)).await?;
    Ok(Some(row))
}
