//! What happened to a balance within a span of time.

use protocol::id::TenantId;
use protocol::pricing::Money;
use protocol::time::TimestampMs;

use super::super::text::from_json;
use super::super::{Page, PageRequest, RecordsResult, StatementLine};
use super::credits::{COLUMNS, entry};
use super::filter::Where;
use super::money::money;
use super::paging::{newer, page, page_limit, pair_cursor};
use super::statement::{Sql, one};
use super::value::{Value, values};

/// The balance before an instant: what it is now without all that came since, which is less to read than all before.
pub(super) async fn balance_at<S: Sql>(
    db: &mut S,
    tenant: TenantId,
    at: TimestampMs,
) -> RecordsResult<Option<Money>> {
    let sql = "SELECT CAST(c.balance_nano - coalesce((SELECT sum(e.amount_nano) FROM credit_entries e \
               WHERE e.tenant = c.tenant AND e.at >= ?2), 0) AS BIGINT), c.currency \
               FROM credits c WHERE c.tenant = ?1";
    one(db, sql, values![tenant.0, at.0], |cells| {
        Ok(money(cells.take()?, cells.text(|text| Ok(text.into()))?))
    })
    .await
}

/// Changes of a balance, oldest first, each with the reason that the ledger has.
pub(super) async fn lines<S: Sql>(
    db: &mut S,
    tenant: TenantId,
    (from, to): (TimestampMs, TimestampMs),
    request: PageRequest,
) -> RecordsResult<Page<StatementLine>> {
    let mut conditions = Where::tenant("e.tenant", tenant);
    conditions.and("e.at >= {}", from.0);
    conditions.and("e.at < {}", to.0);
    newer(&mut conditions, "e.at, e.id", request.cursor.as_ref(), Value::from)?;
    let limit = page_limit(request.limit);
    let sql = format!(
        "SELECT {COLUMNS}, l.explanation FROM credit_entries e LEFT JOIN ledger l \
         ON l.message = e.message AND l.tenant = e.tenant AND e.kind = 'charge' WHERE {} ORDER BY e.at, e.id LIMIT {}",
        conditions.sql,
        limit + 1
    );
    let found = db.all(&sql, conditions.values, |cells| {
        let entry = entry(cells)?;
        Ok(StatementLine { entry, explanation: cells.parsed(|text| from_json("explanation", text))? })
    });
    Ok(page(found.await?, limit, |last| pair_cursor(last.entry.at.0, last.entry.id)))
}
