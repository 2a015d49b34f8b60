//! Low credits and the payments that were asked for.

use async_trait::async_trait;
use domain::credits::{Memory, Recharge, Standing, Step, judge};
use futures_util::FutureExt as _;
use protocol::credit::RechargeState;
use protocol::directory::CreditRules;
use protocol::fact::{Event, Fact};
use protocol::id::{EventId, RechargeId, TenantId};
use protocol::pricing::Money;
use protocol::time::TimestampMs;
use rust_decimal::Decimal;

use super::super::text::{from_json, from_name, json, name};
use super::super::{CreditAccount, Page, PageRequest, Recharges, RecordsResult};
use super::cells::Cells;
use super::credits::{account, held_account};
use super::events;
use super::filter::Where;
use super::money::{money, nano};
use super::paging::{older, page, page_limit, pair_cursor};
use super::statement::{Database, Durability, Lock, Sql, one};
use super::value::{Value, values};

const COLUMNS: &str = "id, asked_at, amount_nano, currency, available_nano, state, ended_at, detail";

#[async_trait]
impl<D: Database> Recharges for D {
    async fn credit_standing(
        &self,
        tenant: TenantId,
        month_from: TimestampMs,
    ) -> RecordsResult<Option<Standing>> {
        self.snapshot(move |db| {
            async move {
                let Some(account) = account(db, tenant).await? else { return Ok(None) };
                standing(db, tenant, account, month_from).await.map(Some)
            }
            .boxed()
        })
        .await
    }

    async fn follow_credits(
        &self,
        rules: CreditRules,
        month_from: TimestampMs,
        now: TimestampMs,
    ) -> RecordsResult<Vec<Step>> {
        self.write(Durability::Disk, move |db| follow(db, rules, month_from, now).boxed()).await
    }

    async fn recharges(&self, tenant: TenantId, page: PageRequest) -> RecordsResult<Page<Recharge>> {
        self.read(move |db| list(db, tenant, page).boxed()).await
    }

    async fn decline_recharge(
        &self,
        tenant: TenantId,
        id: RechargeId,
        reason: String,
        at: TimestampMs,
    ) -> RecordsResult<Option<Recharge>> {
        self.write(Durability::Disk, move |db| decline(db, (tenant, id), reason, at).boxed()).await
    }
}

async fn standing<S: Sql>(
    db: &mut S,
    tenant: TenantId,
    account: CreditAccount,
    month_from: TimestampMs,
) -> RecordsResult<Standing> {
    let sql = "SELECT memory FROM credit_memory WHERE tenant = ?1";
    let memory = one(db, sql, values![tenant.0], |cells| {
        cells.text(|text| from_json::<Memory>("memory of credits", text))
    });
    let memory = memory.await?.unwrap_or_default();
    let sql = format!("SELECT {COLUMNS} FROM credit_recharges WHERE tenant = ?1 AND state = 'asked'");
    let open = one(db, &sql, values![tenant.0], recharge).await?;
    let sql = "SELECT CAST(coalesce(sum(amount_nano), 0) AS BIGINT) FROM credit_recharges \
               WHERE tenant = ?1 AND asked_at >= ?2 AND state <> 'declined'";
    let asked: Option<i64> = one(db, sql, values![tenant.0, month_from.0], |cells| cells.take()).await?;
    Ok(Standing {
        available: account.available(),
        payments: account.payments,
        memory,
        open,
        asked_this_month: money(asked.unwrap_or(0), "".into()).amount,
        currency: account.currency,
    })
}

async fn follow<S: Sql>(
    db: &mut S,
    rules: CreditRules,
    month_from: TimestampMs,
    now: TimestampMs,
) -> RecordsResult<Vec<Step>> {
    let tenant = rules.tenant;
    let Some(account) = held_account(db, tenant).await? else { return Ok(Vec::new()) };
    let standing = standing(db, tenant, account, month_from).await?;
    let (memory, steps) = judge(&rules, &standing, (month_from, now));
    if memory != standing.memory {
        let sql = "INSERT INTO credit_memory (tenant, memory) VALUES (?1, ?2) \
                   ON CONFLICT (tenant) DO UPDATE SET memory = excluded.memory";
        db.run(sql, values![tenant.0, json(&memory)?]).await?;
    }
    for step in &steps {
        let fact = take(db, tenant, &standing, step, now).await?;
        tell(db, tenant, now, fact).await?;
    }
    Ok(steps)
}

/// Stores what a step changes, and says what has happened.
async fn take<S: Sql>(
    db: &mut S,
    tenant: TenantId,
    standing: &Standing,
    step: &Step,
    now: TimestampMs,
) -> RecordsResult<Fact> {
    let money = |amount: Decimal| Money { amount, currency: standing.currency.clone() };
    let available = money(standing.available);
    Ok(match step {
        Step::Low { below } => Fact::CreditsLow { available, below: below.clone() },
        Step::Ask(rule) => {
            let asked = Recharge {
                id: RechargeId::derive(&[&tenant.0.to_le_bytes(), &now.0.to_le_bytes()]),
                asked_at: now,
                amount: rule.amount.clone(),
                available: standing.available,
                state: RechargeState::Asked,
                ended_at: None,
                detail: None,
            };
            insert(db, tenant, &asked).await?;
            let (recharge, amount) = (asked.id, asked.amount);
            Fact::RechargeAsked { recharge, amount, available, below: rule.minimum_balance.clone() }
        }
        Step::HoldBack { rule, limit } => Fact::RechargeHeldBack {
            amount: rule.amount.clone(),
            available,
            asked: money(standing.asked_this_month),
            limit: limit.clone(),
        },
        Step::GiveUp(open) => {
            let detail = "nobody said in time that it was paid".to_owned();
            end(db, open, (RechargeState::GivenUp, detail), now).await?
        }
    })
}

async fn insert<S: Sql>(db: &mut S, tenant: TenantId, asked: &Recharge) -> RecordsResult<()> {
    let available = Money { amount: asked.available, currency: asked.amount.currency.clone() };
    let sql = "INSERT INTO credit_recharges \
               (id, tenant, asked_at, amount_nano, currency, available_nano, state) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = values![
        asked.id.0,
        tenant.0,
        asked.asked_at.0,
        nano(&asked.amount)?,
        asked.amount.currency.0.as_str(),
        nano(&available)?,
        name(&asked.state)?,
    ];
    db.run(sql, values).await.map(drop)
}

/// Ends a payment that was asked for.
async fn end<S: Sql>(
    db: &mut S,
    recharge: &Recharge,
    (state, detail): (RechargeState, String),
    at: TimestampMs,
) -> RecordsResult<Fact> {
    let sql = "UPDATE credit_recharges SET state = ?2, ended_at = ?3, detail = ?4 WHERE id = ?1";
    db.run(sql, values![recharge.id.0, name(&state)?, at.0, detail.as_str()]).await?;
    let (id, amount) = (recharge.id, recharge.amount.clone());
    Ok(Fact::RechargeEnded { recharge: id, state, amount, detail: detail.into() })
}

/// Appends an event of the tenant, as late in the transaction as can be.
async fn tell<S: Sql>(db: &mut S, tenant: TenantId, at: TimestampMs, fact: Fact) -> RecordsResult<()> {
    db.lock(vec![Lock::Events]).await?;
    let base = events::last_seq(db).await?;
    let id = EventId::derive(&[&tenant.0.to_le_bytes(), &base.0.to_le_bytes(), fact.name().as_bytes()]);
    let event = Event { id, at, traceparent: None, tenant: Some(tenant), conversation: None, fact };
    events::append(db, base, &[event]).await
}

/// The payment that was asked for has come; an unknown one answers `false`. The account is held.
pub(super) async fn paid<S: Sql>(
    db: &mut S,
    (tenant, id): (TenantId, RechargeId),
    reference: &str,
    at: TimestampMs,
) -> RecordsResult<bool> {
    let Some(found) = find(db, (tenant, id)).await? else { return Ok(false) };
    let fact = end(db, &found, (RechargeState::Paid, reference.to_owned()), at).await?;
    tell(db, tenant, at, fact).await?;
    Ok(true)
}

async fn decline<S: Sql>(
    db: &mut S,
    place: (TenantId, RechargeId),
    reason: String,
    at: TimestampMs,
) -> RecordsResult<Option<Recharge>> {
    held_account(db, place.0).await?;
    let Some(found) = find(db, place).await? else { return Ok(None) };
    if found.state == RechargeState::Asked {
        let fact = end(db, &found, (RechargeState::Declined, reason), at).await?;
        tell(db, place.0, at, fact).await?;
    }
    find(db, place).await
}

async fn find<S: Sql>(db: &mut S, (tenant, id): (TenantId, RechargeId)) -> RecordsResult<Option<Recharge>> {
    let sql = format!("SELECT {COLUMNS} FROM credit_recharges WHERE id = ?1 AND tenant = ?2");
    one(db, &sql, values![id.0, tenant.0], recharge).await
}

async fn list<S: Sql>(db: &mut S, tenant: TenantId, request: PageRequest) -> RecordsResult<Page<Recharge>> {
    let mut conditions = Where::tenant("tenant", tenant);
    older(&mut conditions, "asked_at, id", request.cursor.as_ref(), Value::from)?;
    let limit = page_limit(request.limit);
    let sql = format!(
        "SELECT {COLUMNS} FROM credit_recharges WHERE {} ORDER BY asked_at DESC, id DESC LIMIT {}",
        conditions.sql,
        limit + 1
    );
    let found = db.all(&sql, conditions.values, recharge).await?;
    Ok(page(found, limit, |last| pair_cursor(last.asked_at.0, last.id.0)))
}

fn recharge(cells: &mut Cells<'_>) -> RecordsResult<Recharge> {
    let (id, asked_at) = (cells.id(RechargeId)?, cells.time()?);
    let amount = money(cells.take()?, cells.text(|text| Ok(text.into()))?);
    let currency = amount.currency.0.clone();
    Ok(Recharge {
        id,
        asked_at,
        amount,
        available: money(cells.take()?, currency).amount,
        state: cells.text(|text| from_name("state of a recharge", text))?,
        ended_at: cells.take::<Option<i64>>()?.map(TimestampMs),
        detail: cells.take()?,
    })
}
