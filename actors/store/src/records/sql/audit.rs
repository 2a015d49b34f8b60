//! The audit report.

use async_trait::async_trait;
use futures_util::FutureExt as _;
use protocol::id::{ConversationId, TenantId};

use super::super::text::{self, from_json, from_party};
use super::super::{Audit, AuditEntry, AuditQuery, Page, PageRequest, RecordsResult};
use super::cells::Cells;
use super::filter::Where;
use super::paging::{older, page, page_limit, pair_cursor};
use super::statement::{Database, Sql};

const COLUMNS: &str = "id, tenant, at, party, action, conversation, subject, detail";

#[async_trait]
impl<D: Database> Audit for D {
    async fn audit(
        &self,
        tenant: TenantId,
        query: AuditQuery,
        page: PageRequest,
    ) -> RecordsResult<Page<AuditEntry>> {
        self.read(move |db| audit(db, tenant, query, page).boxed()).await
    }
}

async fn audit<S: Sql>(
    db: &mut S,
    tenant: TenantId,
    query: AuditQuery,
    request: PageRequest,
) -> RecordsResult<Page<AuditEntry>> {
    let mut conditions = Where::tenant("tenant", tenant);
    if let Some(action) = &query.action {
        named(&mut conditions, "action", action, '.');
    }
    if let Some(subject) = &query.subject {
        named(&mut conditions, "subject", subject, '/');
    }
    if let Some(party) = query.by {
        conditions.and("party = {}", text::party(party));
    }
    if let Some(conversation) = query.conversation {
        conditions.and("conversation = {}", conversation.0);
    }
    if let Some(from) = query.from {
        conditions.and("at >= {}", from.0);
    }
    if let Some(to) = query.to {
        conditions.and("at < {}", to.0);
    }
    older(&mut conditions, "at, id", request.cursor.as_ref(), |id| (id as i64).into())?;
    let limit = page_limit(request.limit);
    let sql = format!(
        "SELECT {COLUMNS} FROM audit WHERE {} ORDER BY at DESC, id DESC LIMIT {}",
        conditions.sql,
        limit + 1
    );
    let found = db.all(&sql, conditions.values, line).await?;
    let page = page(found, limit, |(id, line)| pair_cursor(line.at.0, u128::from(*id)));
    Ok(Page { data: page.data.into_iter().map(|(_, line)| line).collect(), next: page.next })
}

/// A name, or all that begin with it.
fn named(conditions: &mut Where, column: &str, name: &str, open_end: char) {
    if name.ends_with(open_end) {
        let end = conditions.bind(format!("{name}{}", char::MAX));
        conditions.and(&format!("{column} >= {{}} AND {column} < {end}"), name.to_owned());
    } else {
        conditions.and(&format!("{column} = {{}}"), name.to_owned());
    }
}

fn line(cells: &mut Cells<'_>) -> RecordsResult<(u64, AuditEntry)> {
    let id = cells.take()?;
    let line = AuditEntry {
        tenant: cells.id(TenantId)?,
        at: cells.time()?,
        by: cells.text(from_party)?,
        action: cells.text(|text| Ok(text.into()))?,
        conversation: cells.maybe_id(ConversationId)?,
        subject: cells.short()?,
        detail: cells.text(|text| from_json("audit detail", text))?,
    };
    Ok((id, line))
}
