//! Credits. A row for each tenant holds both sums, so that holding a part of them is one conditional update.

use async_trait::async_trait;
use domain::metering::Quote;
use futures_util::FutureExt as _;
use protocol::id::{MessageId, TenantId, derive};
use protocol::pricing::{Currency, Money};
use protocol::time::TimestampMs;
use rust_decimal::Decimal;

use super::super::text::{from_name, name};
use super::super::{
    CreditAccount, CreditEntry, CreditKind, CreditUse, Credits, Page, PageRequest, Purchase, RecordsError,
    RecordsResult, Reservation, StatementLine,
};
use super::cells::Cells;
use super::filter::Where;
use super::money::{money, nano};
use super::paging::{older, page, page_limit, pair_cursor};
use super::statement::{Database, Durability, Sql, one};
use super::value::{Value, values};
use super::{overdue, period, recharges};

/// Columns of an entry, as [`entry`] reads them.
pub(super) const COLUMNS: &str =
    "e.id, e.at, e.kind, e.amount_nano, e.currency, e.released_nano, e.message, e.reference";

#[async_trait]
impl<D: Database> Credits for D {
    async fn credits(&self, tenant: TenantId) -> RecordsResult<Option<CreditAccount>> {
        self.read(move |db| account(db, tenant).boxed()).await
    }

    async fn open_credits(
        &self,
        tenant: TenantId,
        opening: Money,
        at: TimestampMs,
    ) -> RecordsResult<CreditAccount> {
        self.write(Durability::Disk, move |db| open(db, tenant, opening, at).boxed()).await
    }

    async fn reserve_credits(
        &self,
        tenant: TenantId,
        message: MessageId,
        quote: Quote,
        at: TimestampMs,
    ) -> RecordsResult<Reservation> {
        self.write(Durability::Process, move |db| reserve(db, tenant, message, quote, at).boxed()).await
    }

    async fn quote_credits(&self, tenant: TenantId, quote: Quote) -> RecordsResult<Reservation> {
        self.read(move |db| quote_for(db, tenant, quote).boxed()).await
    }

    async fn release_credits(&self, before: TimestampMs, at: TimestampMs) -> RecordsResult<usize> {
        let mut released = 0;
        for (tenant, messages) in self.read(move |db| overdue::find(db, before).boxed()).await? {
            let end =
                self.write(Durability::Process, move |db| overdue::end(db, tenant, messages, at).boxed());
            released += end.await?;
        }
        Ok(released)
    }

    async fn message_credits(&self, tenant: TenantId, message: MessageId) -> RecordsResult<Vec<CreditEntry>> {
        self.read(move |db| of_message(db, tenant, message).boxed()).await
    }

    async fn purchase_credits(&self, tenant: TenantId, purchase: Purchase) -> RecordsResult<CreditAccount> {
        self.write(Durability::Disk, move |db| buy(db, tenant, purchase).boxed()).await
    }

    async fn credit_entries(&self, tenant: TenantId, page: PageRequest) -> RecordsResult<Page<CreditEntry>> {
        self.read(move |db| entries(db, tenant, page).boxed()).await
    }

    async fn balance_at(&self, tenant: TenantId, at: TimestampMs) -> RecordsResult<Option<Money>> {
        self.read(move |db| period::balance_at(db, tenant, at).boxed()).await
    }

    async fn credit_statement(
        &self,
        tenant: TenantId,
        span: (TimestampMs, TimestampMs),
        page: PageRequest,
    ) -> RecordsResult<Page<StatementLine>> {
        self.read(move |db| period::lines(db, tenant, span, page).boxed()).await
    }

    async fn credits_reserved(&self) -> RecordsResult<Decimal> {
        let sql = "SELECT CAST(coalesce(sum(reserved_nano), 0) AS BIGINT) FROM credits";
        let sum: Option<i64> =
            self.read(move |db| one(db, sql, values![], |cells| cells.take()).boxed()).await?;
        Ok(money(sum.unwrap_or(0), "".into()).amount)
    }
}

pub(super) async fn account<S: Sql>(db: &mut S, tenant: TenantId) -> RecordsResult<Option<CreditAccount>> {
    let sql = "SELECT balance_nano, reserved_nano, payments, currency FROM credits WHERE tenant = ?1";
    one(db, sql, values![tenant.0], |cells| {
        let (balance, reserved, payments) = (cells.take()?, cells.take()?, cells.take()?);
        let currency = Currency(cells.text(|text| Ok(text.into()))?);
        let amount = |nano| money(nano, currency.0.clone()).amount;
        let (balance, reserved) = (amount(balance), amount(reserved));
        Ok(CreditAccount { balance, reserved, payments, currency })
    })
    .await
}

/// The account, which no other transaction changes before this one ends.
pub(super) async fn held_account<S: Sql>(
    db: &mut S,
    tenant: TenantId,
) -> RecordsResult<Option<CreditAccount>> {
    let sql = "UPDATE credits SET reserved_nano = reserved_nano WHERE tenant = ?1";
    if db.run(sql, values![tenant.0]).await? == 0 {
        return Ok(None);
    }
    account(db, tenant).await
}

fn no_account() -> RecordsError {
    RecordsError::Failed("the account of credits is gone".into())
}

async fn open<S: Sql>(
    db: &mut S,
    tenant: TenantId,
    opening: Money,
    at: TimestampMs,
) -> RecordsResult<CreditAccount> {
    let sql = "INSERT INTO credits (tenant, currency, balance_nano, reserved_nano) VALUES (?1, ?2, ?3, 0) \
               ON CONFLICT (tenant) DO NOTHING";
    let amount = nano(&opening)?;
    if db.run(sql, values![tenant.0, opening.currency.0.as_str(), amount]).await? > 0 && amount > 0 {
        let entry = CreditEntry {
            id: derive("crd1", &[b"opening", &tenant.0.to_le_bytes()]),
            at,
            kind: CreditKind::Opening,
            amount: opening,
            released: None,
            message: None,
            reference: None,
        };
        record(db, tenant, &entry).await?;
    }
    account(db, tenant).await?.ok_or_else(no_account)
}

async fn quote_for<S: Sql>(db: &mut S, tenant: TenantId, quote: Quote) -> RecordsResult<Reservation> {
    let account = account(db, tenant).await?;
    let is_free = is_free(db, &quote).await?;
    Ok(covers(account, &quote.price, is_free))
}

/// Whether an account covers what a message may cost.
fn covers(account: Option<CreditAccount>, price: &Money, is_free: bool) -> Reservation {
    match account.filter(|known| known.currency == price.currency) {
        None => Reservation::NoAccount,
        Some(account) if is_free || account.available() >= price.amount => Reservation::Held,
        Some(account) => Reservation::Short(account),
    }
}

/// Whether the month's free tier lasts.
async fn is_free<S: Sql>(db: &mut S, quote: &Quote) -> RecordsResult<bool> {
    let Some((counter, free_a_month)) = &quote.free_tier else { return Ok(false) };
    let sql = "SELECT value FROM meter_counters WHERE name = ?1";
    let used: Option<i64> = one(db, sql, values![counter.as_str()], |cells| cells.take()).await?;
    Ok(used.unwrap_or(0) < *free_a_month)
}

async fn reserve<S: Sql>(
    db: &mut S,
    tenant: TenantId,
    message: MessageId,
    quote: Quote,
    at: TimestampMs,
) -> RecordsResult<Reservation> {
    let account = held_account(db, tenant).await?;
    let known = "SELECT amount_nano FROM credit_reservations WHERE message = ?1";
    if one(db, known, values![message.0], |cells| cells.take::<i64>()).await?.is_some() {
        return Ok(Reservation::Held);
    }
    let is_free = is_free(db, &quote).await?;
    let covered = covers(account, &quote.price, is_free);
    if is_free || covered != Reservation::Held {
        return Ok(covered);
    }
    let amount = nano(&quote.price)?;
    let sql = "INSERT INTO credit_reservations (message, tenant, amount_nano, at) VALUES (?1, ?2, ?3, ?4)";
    db.run(sql, values![message.0, tenant.0, amount, at.0]).await?;
    let sql = "UPDATE credits SET reserved_nano = reserved_nano + ?2 WHERE tenant = ?1";
    db.run(sql, values![tenant.0, amount]).await?;
    Ok(Reservation::Held)
}

async fn buy<S: Sql>(db: &mut S, tenant: TenantId, purchase: Purchase) -> RecordsResult<CreditAccount> {
    let account = held_account(db, tenant).await?.ok_or_else(no_account)?;
    if account.currency != purchase.amount.currency {
        let detail = format!("the account is in {}", account.currency.0);
        return Err(RecordsError::Invalid { field: "amount/currency", detail });
    }
    let entry = CreditEntry {
        id: derive("crd1", &[b"purchase", &tenant.0.to_le_bytes(), purchase.reference.as_bytes()]),
        at: purchase.at,
        kind: CreditKind::Purchase,
        amount: purchase.amount,
        released: None,
        message: None,
        reference: Some(purchase.reference),
    };
    if record(db, tenant, &entry).await? {
        let sql =
            "UPDATE credits SET balance_nano = balance_nano + ?2, payments = payments + 1 WHERE tenant = ?1";
        db.run(sql, values![tenant.0, nano(&entry.amount)?]).await?;
        if let Some(recharge) = purchase.recharge {
            let reference = entry.reference.as_deref().unwrap_or_default();
            if !recharges::paid(db, (tenant, recharge), reference, entry.at).await? {
                let detail = "is not a payment that was asked for; GET /v1/credits/recharges lists them";
                return Err(RecordsError::Invalid { field: "recharge_id", detail: detail.to_owned() });
            }
        }
    }
    self::account(db, tenant).await?.ok_or_else(no_account)
}

/// Ends reservations; what was delivered is charged.
pub(super) async fn settle<S: Sql>(db: &mut S, uses: &[CreditUse]) -> RecordsResult<()> {
    for used in uses {
        let Some(account) = held_account(db, used.tenant).await? else { continue };
        let sql = "SELECT amount_nano FROM credit_reservations WHERE message = ?1 AND tenant = ?2";
        let place = || values![used.message.0, used.tenant.0];
        let held: i64 = one(db, sql, place(), |cells| cells.take()).await?.unwrap_or(0);
        db.run("DELETE FROM credit_reservations WHERE message = ?1 AND tenant = ?2", place()).await?;
        let charge = used.charge.as_ref().filter(|charge| charge.currency == account.currency);
        let taken = charge.map_or(Decimal::ZERO, |charge| charge.amount.min(account.balance));
        let taken = Money { amount: taken, currency: account.currency };
        let sql = "UPDATE credits SET reserved_nano = reserved_nano - ?2, balance_nano = balance_nano - ?3 \
                   WHERE tenant = ?1";
        db.run(sql, values![used.tenant.0, held, nano(&taken)?]).await?;
        if taken.amount.is_zero() {
            continue;
        }
        let entry = CreditEntry {
            id: entry_id(CreditKind::Charge, used.message),
            at: used.at,
            kind: CreditKind::Charge,
            amount: Money { amount: -taken.amount, currency: taken.currency },
            released: None,
            message: Some(used.message),
            reference: None,
        };
        record(db, used.tenant, &entry).await?;
    }
    Ok(())
}

/// There is never another one of a kind for a message.
pub(super) fn entry_id(kind: CreditKind, message: MessageId) -> u128 {
    let kind: &[u8] = if kind == CreditKind::Release { b"release" } else { b"charge" };
    derive("crd1", &[kind, &message.0.to_le_bytes()])
}

/// `false` when it is known.
pub(super) async fn record<S: Sql>(db: &mut S, tenant: TenantId, entry: &CreditEntry) -> RecordsResult<bool> {
    let sql = "INSERT INTO credit_entries (id, tenant, at, kind, amount_nano, currency, message, reference, \
               released_nano) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING";
    let values = values![
        entry.id,
        tenant.0,
        entry.at.0,
        name(&entry.kind)?,
        nano(&entry.amount)?,
        entry.amount.currency.0.as_str(),
        entry.message.map(|id| id.0),
        entry.reference.as_deref(),
        entry.released.as_ref().map(nano).transpose()?,
    ];
    Ok(db.run(sql, values).await? > 0)
}

async fn entries<S: Sql>(
    db: &mut S,
    tenant: TenantId,
    request: PageRequest,
) -> RecordsResult<Page<CreditEntry>> {
    let mut conditions = Where::tenant("tenant", tenant);
    older(&mut conditions, "at, id", request.cursor.as_ref(), Value::from)?;
    let limit = page_limit(request.limit);
    let sql = format!(
        "SELECT {COLUMNS} FROM credit_entries e WHERE {} ORDER BY at DESC, id DESC LIMIT {}",
        conditions.sql,
        limit + 1
    );
    let found = db.all(&sql, conditions.values, entry).await?;
    Ok(page(found, limit, |last| pair_cursor(last.at.0, last.id)))
}

async fn of_message<S: Sql>(
    db: &mut S,
    tenant: TenantId,
    message: MessageId,
) -> RecordsResult<Vec<CreditEntry>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM credit_entries e WHERE id IN (?1, ?2) AND tenant = ?3 ORDER BY at, id"
    );
    let id = |kind| entry_id(kind, message);
    db.all(&sql, values![id(CreditKind::Charge), id(CreditKind::Release), tenant.0], entry).await
}

pub(super) fn entry(cells: &mut Cells<'_>) -> RecordsResult<CreditEntry> {
    let (id, at) = (cells.id(|id| id)?, cells.time()?);
    let kind = cells.text(|text| from_name("credit kind", text))?;
    let amount = money(cells.take()?, cells.text(|text| Ok(text.into()))?);
    let released = cells.take::<Option<i64>>()?.map(|nano| money(nano, amount.currency.0.clone()));
    let (message, reference) = (cells.maybe_id(MessageId)?, cells.short()?);
    Ok(CreditEntry { id, at, kind, amount, released, message, reference })
}
