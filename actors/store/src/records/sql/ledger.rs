//! The ledger and the meter's memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt as _;
use protocol::content::Category;
use protocol::id::{ConversationId, MessageId, NumberId, TenantId};
use serde_json::Value as Json;

use super::super::text::{damaged, from_json, from_name, json};
use super::super::{
    CounterKey, Ledger, LedgerEntry, LedgerQuery, MeterCommit, MeterLoad, Page, PageRequest, ProviderWord,
    RecordsResult, UsageQuery, UsageRow,
};
use super::cells::Cells;
use super::filter::Where;
use super::money::{money, nano};
use super::paging::{older, page, page_limit, pair_cursor};
use super::statement::Kind::{Bytes as Blob, Int, Text};
use super::statement::{Database, Durability, Insert, Sql};
use super::value::{Value, Values, values};
use super::{credits, events, usage};

const COLUMNS: &str = "id, tenant, number, conversation, message, at, day, category, origin, policy, market, \
    amount_nano, currency, cost_nano, cost_currency, explanation, provider, differs";

/// The same columns, written by [`values_of`].
const ENTRIES: Insert = Insert {
    table: "ledger",
    columns: &[
        ("id", Blob),
        ("tenant", Blob),
        ("number", Blob),
        ("conversation", Blob),
        ("message", Blob),
        ("at", Int),
        ("day", Text),
        ("category", Text),
        ("origin", Text),
        ("policy", Text),
        ("market", Text),
        ("amount_nano", Int),
        ("currency", Text),
        ("cost_nano", Int),
        ("cost_currency", Text),
        ("explanation", Text),
        ("provider", Text),
        ("differs", Int),
    ],
    conflict: "ON CONFLICT (id) DO NOTHING",
};

const STATES: Insert = Insert {
    table: "meter_states",
    columns: &[("conversation", Blob), ("state", Blob)],
    conflict: "ON CONFLICT (conversation) DO UPDATE SET state = excluded.state",
};

const COUNTERS: Insert = Insert {
    table: "meter_counters",
    columns: &[("name", Text), ("value", Int)],
    conflict: "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
};

#[async_trait]
impl<D: Database> Ledger for D {
    async fn meter_load(
        &self,
        conversations: Vec<ConversationId>,
        counters: Vec<CounterKey>,
    ) -> RecordsResult<MeterLoad> {
        self.read(move |db| meter_load(db, conversations, counters).boxed()).await
    }

    async fn meter_commit(&self, commit: MeterCommit) -> RecordsResult<()> {
        self.write(Durability::Process, move |db| meter_commit(db, commit).boxed()).await
    }

    async fn ledger(
        &self,
        tenant: TenantId,
        query: LedgerQuery,
        page: PageRequest,
    ) -> RecordsResult<Page<LedgerEntry>> {
        self.read(move |db| ledger(db, tenant, query, page).boxed()).await
    }

    async fn usage(&self, tenant: TenantId, query: UsageQuery) -> RecordsResult<Vec<UsageRow>> {
        self.read(move |db| usage::usage(db, tenant, query).boxed()).await
    }
}

async fn meter_load<S: Sql>(
    db: &mut S,
    conversations: Vec<ConversationId>,
    counters: Vec<CounterKey>,
) -> RecordsResult<MeterLoad> {
    let sql = "SELECT conversation, state FROM meter_states WHERE conversation IN (?1)";
    let wanted = conversations.iter().map(|id| id.0.into()).collect();
    let states = db.of_keys(sql, wanted, |cells| Ok((cells.id(ConversationId)?, cells.take::<Vec<u8>>()?)));
    let mut states: BTreeMap<_, _> =
        states.await?.into_iter().map(|(id, state)| (id, Bytes::from(state))).collect();
    let sql = "SELECT name, value FROM meter_counters WHERE name IN (?1)";
    let wanted = counters.iter().map(|name| name.as_str().into()).collect();
    let values = db.of_keys(sql, wanted, |cells| Ok((cells.take::<String>()?, cells.take::<i64>()?)));
    let values: BTreeMap<_, _> = values.await?.into_iter().collect();
    Ok(MeterLoad {
        states: conversations.iter().map(|id| states.remove(id)).collect(),
        counters: counters.iter().map(|name| values.get(name.as_str()).copied().unwrap_or(0)).collect(),
    })
}

async fn meter_commit<S: Sql>(db: &mut S, commit: MeterCommit) -> RecordsResult<()> {
    events::advance(db, commit.advance).await?;
    let entries: RecordsResult<Vec<_>> = commit.entries.iter().map(values_of).collect();
    db.insert(&ENTRIES, entries?).await?;
    hear(db, &commit.provider_words).await?;
    let (mut kept, mut forgotten) = (Vec::new(), Vec::new());
    for (conversation, state) in &commit.states {
        match state {
            Some(state) => kept.push(values![conversation.0, state.as_ref()]),
            None => forgotten.push(values![conversation.0]),
        }
    }
    db.insert(&STATES, kept).await?;
    db.run_each("DELETE FROM meter_states WHERE conversation = ?1", forgotten).await?;
    let counters = commit.counters.iter().map(|(name, value)| values![name.as_str(), *value]).collect();
    db.insert(&COUNTERS, counters).await?;
    credits::settle(db, &commit.credits).await
}

/// Keeps the provider's words with the entries; what the tenant was charged stays.
async fn hear<S: Sql>(db: &mut S, words: &[ProviderWord]) -> RecordsResult<()> {
    let mut heard = Vec::with_capacity(words.len());
    for word in words {
        heard.push(values![word.entry, json(&word.pricing)?, word.cost.is_some()]);
    }
    db.run_each("UPDATE ledger SET provider = ?2, differs = ?3 WHERE id = ?1", heard).await?;
    let costs = || words.iter().filter_map(|word| Some((word.entry, word.cost.as_ref()?)));
    let sql = "SELECT id, explanation FROM ledger WHERE id IN (?1)";
    let explanations = db.of_keys(sql, costs().map(|(entry, _)| entry.into()).collect(), |cells| {
        Ok((cells.id(|id| id)?, cells.text(|text| from_json::<Json>("explanation", text))?))
    });
    let mut explanations: BTreeMap<u128, Json> = explanations.await?.into_iter().collect();
    let mut corrected = Vec::new();
    for (entry, cost) in costs() {
        let Some(explanation) = explanations.get_mut(&entry) else { continue };
        explanation["estimate"] = explanation["cost"].take();
        explanation["cost"] = cost.explanation.clone();
        let nano = cost.amount.as_ref().map(nano).transpose()?;
        let currency = cost.amount.as_ref().map(|money| money.currency.0.as_str());
        corrected.push(values![entry, nano, currency, explanation.to_string()]);
    }
    let sql = "UPDATE ledger SET cost_nano = ?2, cost_currency = ?3, explanation = ?4 WHERE id = ?1";
    db.run_each(sql, corrected).await
}

fn values_of(entry: &LedgerEntry) -> RecordsResult<Values<'_>> {
    Ok(values![
        entry.id,
        entry.tenant.0,
        entry.number.0,
        entry.conversation.0,
        entry.message.map(|id| id.0),
        entry.at.0,
        entry.day.to_string(),
        entry.category.name(),
        entry.origin.as_str(),
        entry.policy.as_str(),
        entry.market.as_str(),
        nano(&entry.amount)?,
        entry.amount.currency.0.as_str(),
        entry.cost.as_ref().map(nano).transpose()?,
        entry.cost.as_ref().map(|cost| cost.currency.0.as_str()),
        entry.explanation.to_string(),
        entry.provider.as_ref().map(json).transpose()?,
        entry.differs,
    ])
}

async fn ledger<S: Sql>(
    db: &mut S,
    tenant: TenantId,
    query: LedgerQuery,
    request: PageRequest,
) -> RecordsResult<Page<LedgerEntry>> {
    let mut conditions = Where::tenant("tenant", tenant);
    if let Some(from) = query.from {
        conditions.and("day >= {}", from.to_string());
    }
    if let Some(to) = query.to {
        conditions.and("day <= {}", to.to_string());
    }
    if let Some(number) = query.number {
        conditions.and("number = {}", number.0);
    }
    if let Some(conversation) = query.conversation {
        conditions.and("conversation = {}", conversation.0);
    }
    if let Some(message) = query.message {
        conditions.and("message = {}", message.0);
    }
    if let Some(category) = query.category {
        conditions.and("category = {}", category.name());
    }
    if query.differs_only {
        conditions.sql.push_str(" AND differs = 1");
    }
    older(&mut conditions, "at, id", request.cursor.as_ref(), Value::from)?;
    let limit = page_limit(request.limit);
    let sql = format!(
        "SELECT {COLUMNS} FROM ledger WHERE {} ORDER BY at DESC, id DESC LIMIT {}",
        conditions.sql,
        limit + 1
    );
    let found = db.all(&sql, conditions.values, entry).await?;
    Ok(page(found, limit, |last| pair_cursor(last.at.0, last.id)))
}

fn entry(cells: &mut Cells<'_>) -> RecordsResult<LedgerEntry> {
    Ok(LedgerEntry {
        id: cells.id(|id| id)?,
        tenant: cells.id(TenantId)?,
        number: cells.id(NumberId)?,
        conversation: cells.id(ConversationId)?,
        message: cells.maybe_id(MessageId)?,
        at: cells.time()?,
        day: cells.text(|text| text.parse().map_err(damaged("day")))?,
        category: cells.text(|text| from_name::<Category>("category", text))?,
        origin: cells.text(|text| Ok(text.into()))?,
        policy: cells.text(|text| Ok(text.into()))?,
        market: cells.text(|text| Ok(text.into()))?,
        amount: money(cells.take()?, cells.text(|text| Ok(text.into()))?),
        cost: match (cells.take::<Option<i64>>()?, cells.short()?) {
            (Some(nano), Some(currency)) => Some(money(nano, currency)),
            _ => None,
        },
        explanation: cells.text(|text| from_json("explanation", text))?,
        provider: cells.parsed(|text| from_json("pricing", text))?,
        differs: cells.take()?,
    })
}
