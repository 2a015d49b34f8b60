//! Reservations of messages that nobody speaks of any more.

use std::collections::BTreeMap;

use protocol::id::{MessageId, TenantId};
use protocol::pricing::Money;
use protocol::time::TimestampMs;
use rust_decimal::Decimal;

use super::super::limits::MAX_RELEASES;
use super::super::{CreditEntry, CreditKind, RecordsResult};
use super::credits::{entry_id, held_account, record};
use super::money::money;
use super::statement::{Sql, one};
use super::value::values;

/// The oldest ones that were made before an instant.
pub(super) async fn find<S: Sql>(
    db: &mut S,
    before: TimestampMs,
) -> RecordsResult<BTreeMap<TenantId, Vec<MessageId>>> {
    let sql = format!(
        "SELECT tenant, message FROM credit_reservations WHERE at < ?1 ORDER BY at LIMIT {MAX_RELEASES}"
    );
    let found = db.all(&sql, values![before.0], |cells| Ok((cells.id(TenantId)?, cells.id(MessageId)?)));
    let mut overdue = BTreeMap::<_, Vec<_>>::new();
    for (tenant, message) in found.await? {
        overdue.entry(tenant).or_default().push(message);
    }
    Ok(overdue)
}

/// Ends those that nobody has ended meanwhile; answers how many.
pub(super) async fn end<S: Sql>(
    db: &mut S,
    tenant: TenantId,
    messages: Vec<MessageId>,
    at: TimestampMs,
) -> RecordsResult<usize> {
    let Some(account) = held_account(db, tenant).await? else { return Ok(0) };
    let (mut released, currency) = (0, account.currency);
    for message in messages {
        let sql = "SELECT amount_nano FROM credit_reservations WHERE message = ?1 AND tenant = ?2";
        let place = || values![message.0, tenant.0];
        let Some(held) = one(db, sql, place(), |cells| cells.take::<i64>()).await? else { continue };
        db.run("DELETE FROM credit_reservations WHERE message = ?1 AND tenant = ?2", place()).await?;
        let sql = "UPDATE credits SET reserved_nano = reserved_nano - ?2 WHERE tenant = ?1";
        db.run(sql, values![tenant.0, held]).await?;
        let entry = CreditEntry {
            id: entry_id(CreditKind::Release, message),
            at,
            kind: CreditKind::Release,
            amount: Money { amount: Decimal::ZERO, currency: currency.clone() },
            released: Some(money(held, currency.0.clone())),
            message: Some(message),
            reference: None,
        };
        record(db, tenant, &entry).await?;
        released += 1;
    }
    Ok(released)
}
