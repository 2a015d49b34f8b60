//! Sums over the ledger.

use protocol::id::{NumberId, TenantId};

use super::super::text::{damaged, from_name};
use super::super::{RecordsResult, UsageKey, UsageQuery, UsageRow};
use super::filter::Where;
use super::money::money;
use super::statement::Sql;

/// Sums of a tenant, one row for each combination of the wanted keys and the currency.
pub(super) async fn usage<S: Sql>(
    db: &mut S,
    tenant: TenantId,
    query: UsageQuery,
) -> RecordsResult<Vec<UsageRow>> {
    let column =
        |key: UsageKey, name: &'static str| if query.group_by.contains(&key) { name } else { "NULL" };
    let mut conditions = Where::tenant("tenant", tenant);
    conditions.and("day >= {}", query.from.to_string());
    conditions.and("day <= {}", query.to.to_string());
    let sql = format!(
        "SELECT category, number, day, currency, count(*), CAST(sum(charged) AS BIGINT), \
         CAST(sum(amount_nano) AS BIGINT) FROM (\
         SELECT {} AS category, {} AS number, {} AS day, currency, amount_nano, \
         CASE WHEN amount_nano > 0 THEN 1 ELSE 0 END AS charged FROM ledger WHERE {}) AS wanted \
         GROUP BY category, number, day, currency ORDER BY day, category, number, currency",
        column(UsageKey::Category, "category"),
        column(UsageKey::Number, "number"),
        column(UsageKey::Day, "day"),
        conditions.sql
    );
    let sums = db.all(&sql, conditions.values, |cells| {
        let category = cells.parsed(|text| from_name("category", text))?;
        let number = cells.maybe_id(NumberId)?;
        let day = cells.parsed(|text| text.parse().map_err(damaged("day")))?;
        let currency = cells.text(|text| Ok(text.into()))?;
        let (entries, charged) = (cells.take()?, cells.take()?);
        Ok(UsageRow { category, number, day, entries, charged, amount: money(cells.take()?, currency) })
    });
    sums.await
}
