//! Conversations and messages.

use async_trait::async_trait;
use protocol::id::{ConversationId, MessageId, ProviderId, TenantId};
use protocol::outbound::Attempt;
use rusqlite::{Connection, params_from_iter};

use super::super::{
    ConversationRecord, Filter, Inbox, MessageQuery, MessageRecord, Order, Page, PageRequest, RecordsError,
    RecordsResult, Unread,
};
use super::filter::{Where, blob};
use super::sql::{Id, all, cursor_pair, one, page, page_limit, pair_cursor};
use super::{SqliteRecords, load, rows};

#[async_trait]
impl Inbox for SqliteRecords {
    async fn conversations(
        &self,
        tenant: TenantId,
        filter: Filter,
        page: PageRequest,
    ) -> RecordsResult<Page<ConversationRecord>> {
        self.read(move |connection| conversations(connection, tenant, &filter, &page)).await
    }

    async fn unread(&self, tenant: TenantId, filter: Filter) -> RecordsResult<Unread> {
        self.read(move |connection| unread(connection, tenant, &filter)).await
    }

    async fn conversation(
        &self,
        tenant: TenantId,
        id: ConversationId,
    ) -> RecordsResult<Option<ConversationRecord>> {
        self.read(move |connection| {
            let found = conversations(connection, tenant, &Filter::Ids(vec![id]), &PageRequest::first(1))?;
            Ok(found.data.into_iter().next())
        })
        .await
    }

    async fn messages(&self, query: MessageQuery) -> RecordsResult<Page<MessageRecord>> {
        self.read(move |connection| messages(connection, &query)).await
    }

    async fn message(&self, tenant: TenantId, id: MessageId) -> RecordsResult<Option<MessageRecord>> {
        self.read(move |connection| message(connection, tenant, id)).await
    }

    async fn message_by_provider_id(
        &self,
        conversation: ConversationId,
        provider_id: ProviderId,
    ) -> RecordsResult<Option<MessageId>> {
        let sql = "SELECT id FROM messages WHERE conversation = ?1 AND provider_id = ?2 LIMIT 1";
        self.read(move |connection| {
            one(connection, sql, (Id::new(conversation.0), provider_id.as_str()), |cells| cells.id(MessageId))
        })
        .await
    }
}

/// Inbox rows under some conditions, newest first.
pub(super) fn select(conditions: &str, limit: usize) -> String {
    format!(
        "SELECT {}, {} FROM conversations c JOIN contacts p ON p.id = c.contact WHERE {conditions} \
         ORDER BY c.sort_at DESC, c.id DESC LIMIT {limit}",
        rows::CONTACT,
        rows::CONVERSATION
    )
}

fn conversations(
    connection: &Connection,
    tenant: TenantId,
    filter: &Filter,
    request: &PageRequest,
) -> RecordsResult<Page<ConversationRecord>> {
    let mut conditions = Where::tenant("c.tenant", tenant);
    conditions.and_filter(tenant, filter)?;
    if let Some(cursor) = &request.cursor {
        let (at, id) = cursor_pair(cursor)?;
        let at = conditions.bind(at);
        conditions.and(&format!("(c.sort_at, c.id) < ({at}, {{}})"), blob(id));
    }
    let limit = page_limit(request.limit);
    let sql = select(&conditions.sql, limit + 1);
    let found = all(connection, &sql, params_from_iter(conditions.values), rows::conversation)?;
    let mut page = page(found, limit, |last| {
        pair_cursor(last.last_message.as_ref().map_or(last.created_at, |message| message.at).0, last.id.0)
    });
    for row in &mut page.data {
        row.contact.consents = load::consents(connection, row.contact.id)?;
    }
    Ok(page)
}

fn unread(connection: &Connection, tenant: TenantId, filter: &Filter) -> RecordsResult<Unread> {
    let mut conditions = Where::tenant("c.tenant", tenant);
    conditions.and_filter(tenant, filter)?;
    let sql = format!(
        "SELECT count(*), coalesce(sum(c.unread), 0) FROM conversations c WHERE c.unread > 0 AND {}",
        conditions.sql
    );
    let counts = one(connection, &sql, params_from_iter(conditions.values), |cells| {
        Ok(Unread { conversations: cells.take()?, messages: cells.take()? })
    })?;
    Ok(counts.unwrap_or_default())
}

fn messages(connection: &Connection, query: &MessageQuery) -> RecordsResult<Page<MessageRecord>> {
    let mut conditions = Where::tenant("tenant", query.tenant);
    conditions.and("conversation = {}", blob(query.conversation.0));
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
    let found = all(connection, &sql, params_from_iter(conditions.values), rows::message)?;
    let page = page(found, limit, |(seq, _)| seq.0.to_string());
    Ok(Page { data: page.data.into_iter().map(|(_, row)| row).collect(), next: page.next })
}

fn message(connection: &Connection, tenant: TenantId, id: MessageId) -> RecordsResult<Option<MessageRecord>> {
    let sql = format!("SELECT {} FROM messages WHERE id = ?1 AND tenant = ?2", rows::MESSAGE);
    let Some((_, mut row)) = one(connection, &sql, (Id::new(id.0), Id::new(tenant.0)), rows::message)? else {
        return Ok(None);
    };
    let sql = "SELECT at, code, detail FROM attempts WHERE message = ?1 ORDER BY at";
    row.attempts = all(connection, sql, [Id::new(id.0)], |cells| {
        Ok(Attempt { at: cells.time()?, code: cells.take()?, detail: cells.take()? })
    })?;
    Ok(Some(row))
}
