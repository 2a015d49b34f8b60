//! Conversations and messages.

use async_trait::async_trait;
use futures_util::FutureExt as _;
use protocol::id::{ConversationId, MessageId, ProviderId, TenantId};
use protocol::outbound::Attempt;

use super::super::{
    ConversationRecord, Filter, Inbox, MessageQuery, MessageRecord, Order, Page, PageRequest, RecordsError,
    RecordsResult, Unread,
};
use super::filter::Where;
use super::paging::{cursor_pair, page, page_limit, pair_cursor};
use super::statement::{Database, Sql, one};
use super::value::values;
use super::{load, rows};

#[async_trait]
impl<D: Database> Inbox for D {
    async fn conversations(
        &self,
        tenant: TenantId,
        filter: Filter,
        page: PageRequest,
    ) -> RecordsResult<Page<ConversationRecord>> {
        self.read(move |db| conversations(db, tenant, filter, page).boxed()).await
    }

    async fn unread(&self, tenant: TenantId, filter: Filter) -> RecordsResult<Unread> {
        self.read(move |db| unread(db, tenant, filter).boxed()).await
    }

    async fn conversation(
        &self,
        tenant: TenantId,
        id: ConversationId,
    ) -> RecordsResult<Option<ConversationRecord>> {
        let (filter, page) = (Filter::Ids(vec![id]), PageRequest::first(1));
        let found = self.read(move |db| conversations(db, tenant, filter, page).boxed()).await?;
        Ok(found.data.into_iter().next())
    }

    async fn messages(&self, query: MessageQuery) -> RecordsResult<Page<MessageRecord>> {
        self.read(move |db| messages(db, query).boxed()).await
    }

    async fn message(&self, tenant: TenantId, id: MessageId) -> RecordsResult<Option<MessageRecord>> {
        self.read(move |db| message(db, tenant, id).boxed()).await
    }

    async fn message_by_provider_id(
        &self,
        conversation: ConversationId,
        provider_id: ProviderId,
    ) -> RecordsResult<Option<MessageId>> {
        let sql = "SELECT id FROM messages WHERE conversation = ?1 AND provider_id = ?2 LIMIT 1";
        let values = values![conversation.0, provider_id.as_str().to_owned()];
        self.read(move |db| one(db, sql, values, |cells| cells.id(MessageId)).boxed()).await
    }
}

/// Inbox rows under some conditions, newest first.
pub(crate) fn select(conditions: &str, limit: usize) -> String {
    format!(
        "SELECT {}, {} FROM conversations c JOIN contacts p ON p.id = c.contact WHERE {conditions} \
         ORDER BY c.sort_at DESC, c.id DESC LIMIT {limit}",
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
    let mut conditions = Where::tenant("c.tenant", tenant);
    conditions.and_filter(tenant, &filter)?;
    if let Some(cursor) = &request.cursor {
        let (at, id) = cursor_pair(cursor)?;
        let at = conditions.bind(at);
        conditions.and(&format!("(c.sort_at, c.id) < ({at}, {{}})"), id);
    }
    let limit = page_limit(request.limit);
    let sql = select(&conditions.sql, limit + 1);
    let found = db.all(&sql, conditions.values, rows::conversation).await?;
    let mut page = page(found, limit, |last| {
        pair_cursor(last.last_message.as_ref().map_or(last.created_at, |message| message.at).0, last.id.0)
    });
    load::consents(db, page.data.iter_mut().map(|row| &mut row.contact)).await?;
    Ok(page)
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

async fn messages<S: Sql>(db: &mut S, query: MessageQuery) -> RecordsResult<Page<MessageRecord>> {
    let mut conditions = Where::tenant("tenant", query.tenant);
    conditions.and("conversation = {}", query.conversation.0);
    if query.attachments_only {
        conditions.sql.push_str(" AND attachment = 1");
    }
    let (direction, beyond) = match query.order {
        Order::NewestFirst => ("DESC", "seq < {}"),
        Order::OldestFirst => ("ASC", "seq > {}"),
    };
    if let Some(cursor) = &query.page.cursor {
        let seq: i64 = cursor.0.parse().map_err(|_| RecordsError::PageCursor)?;
        conditions.and(beyond, seq);
    }
    let limit = page_limit(query.page.limit);
    let sql = format!(
        "SELECT {} FROM messages WHERE {} ORDER BY seq {direction} LIMIT {}",
        rows::MESSAGE,
        conditions.sql,
        limit + 1
    );
    let found = db.all(&sql, conditions.values, rows::message).await?;
    let page = page(found, limit, |(seq, _)| seq.0.to_string());
    Ok(Page { data: page.data.into_iter().map(|(_, row)| row).collect(), next: page.next })
}

async fn message<S: Sql>(
    db: &mut S,
    tenant: TenantId,
    id: MessageId,
) -> RecordsResult<Option<MessageRecord>> {
    let sql = format!("SELECT {} FROM messages WHERE id = ?1 AND tenant = ?2", rows::MESSAGE);
    let Some((_, mut row)) = one(db, &sql, values![id.0, tenant.0], rows::message).await? else {
        return Ok(None);
    };
    let sql = "SELECT at, code, detail FROM attempts WHERE message = ?1 ORDER BY at";
    let attempts = db.all(sql, values![id.0], |cells| {
        Ok(Attempt { at: cells.time()?, code: cells.take()?, detail: cells.take()? })
    });
    row.attempts = attempts.await?;
    Ok(Some(row))
}
