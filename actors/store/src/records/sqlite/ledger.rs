//! The ledger and the meter's memory.

use async_trait::async_trait;
use bytes::Bytes;
use protocol::content::Category;
use protocol::id::{ConversationId, MessageId, NumberId, TenantId};
use rusqlite::{Connection, Transaction, params, params_from_iter};

use super::super::text::{damaged, from_json, from_name, json};
use super::super::{
    CounterKey, Ledger, LedgerEntry, LedgerQuery, MeterCommit, MeterLoad, Page, PageRequest, ProviderWord,
    RecordsResult, UsageQuery, UsageRow,
};
use super::filter::{Where, blob};
use super::money::{money, nano};
use super::sql::{Cells, Id, all, cursor_pair, one, page, page_limit, pair_cursor, run};
use super::{SqliteRecords, events, usage};

const COLUMNS: &str = "id, tenant, number, conversation, message, at, day, category, origin, policy, market, \
    amount_nano, currency, cost_nano, cost_currency, explanation, provider, differs";

#[async_trait]
impl Ledger for SqliteRecords {
    async fn meter_load(
        &self,
        conversations: Vec<ConversationId>,
        counters: Vec<CounterKey>,
    ) -> RecordsResult<MeterLoad> {
        self.read(move |connection| meter_load(connection, &conversations, &counters)).await
    }

    async fn meter_commit(&self, commit: MeterCommit) -> RecordsResult<()> {
        self.write(move |transaction| meter_commit(transaction, &commit)).await
    }

    async fn ledger(
        &self,
        tenant: TenantId,
        query: LedgerQuery,
        page: PageRequest,
    ) -> RecordsResult<Page<LedgerEntry>> {
        self.read(move |connection| ledger(connection, tenant, &query, &page)).await
    }

    async fn usage(&self, tenant: TenantId, query: UsageQuery) -> RecordsResult<Vec<UsageRow>> {
        self.read(move |connection| usage::usage(connection, tenant, &query)).await
    }
}

fn meter_load(
    connection: &Connection,
    conversations: &[ConversationId],
    counters: &[CounterKey],
) -> RecordsResult<MeterLoad> {
    let mut load = MeterLoad::default();
    for conversation in conversations {
        let sql = "SELECT state FROM meter_states WHERE conversation = ?1";
        let state = one(connection, sql, [Id::new(conversation.0)], |cells| cells.take::<Vec<u8>>())?;
        load.states.push(state.map(Bytes::from));
    }
    for counter in counters {
        let sql = "SELECT value FROM meter_counters WHERE name = ?1";
        load.counters.push(one(connection, sql, [counter.as_str()], |cells| cells.take())?.unwrap_or(0));
    }
    Ok(load)
}

fn meter_commit(transaction: &Transaction<'_>, commit: &MeterCommit) -> RecordsResult<()> {
    events::advance(transaction, commit.advance)?;
    for entry in &commit.entries {
        insert(transaction, entry)?;
    }
    for word in &commit.provider_words {
        hear(transaction, word)?;
    }
    for (conversation, state) in &commit.states {
        let id = Id::new(conversation.0);
        match state {
            Some(state) => {
                let sql = "INSERT INTO meter_states (conversation, state) VALUES (?1, ?2) \
                           ON CONFLICT (conversation) DO UPDATE SET state = ?2";
                run(transaction, sql, (id, state.as_ref()))?;
            }
            None => {
                run(transaction, "DELETE FROM meter_states WHERE conversation = ?1", [id])?;
            }
        }
    }
    for (name, value) in &commit.counters {
        let sql = "INSERT INTO meter_counters (name, value) VALUES (?1, ?2) \
                   ON CONFLICT (name) DO UPDATE SET value = ?2";
        run(transaction, sql, (name.as_str(), value))?;
    }
    Ok(())
}

/// Keeps the provider's word with the entry; what the tenant was charged stays.
fn hear(transaction: &Transaction<'_>, word: &ProviderWord) -> RecordsResult<()> {
    let id = Id::new(word.entry);
    let sql = "UPDATE ledger SET provider = ?2, differs = ?3 WHERE id = ?1";
    run(transaction, sql, (id, json(&word.pricing)?, word.cost.is_some()))?;
    if let Some(cost) = &word.cost {
        let sql = "UPDATE ledger SET cost_nano = ?2, cost_currency = ?3, \
                   explanation = json_set(explanation, '$.estimate', json_extract(explanation, '$.cost'), \
                   '$.cost', json(?4)) WHERE id = ?1";
        let amount = cost.amount.as_ref();
        let nano = amount.map(nano).transpose()?;
        let currency = amount.map(|money| money.currency.0.as_str());
        run(transaction, sql, (id, nano, currency, cost.explanation.to_string()))?;
    }
    Ok(())
}

fn insert(transaction: &Transaction<'_>, entry: &LedgerEntry) -> RecordsResult<()> {
    let sql = format!(
        "INSERT INTO ledger ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, \
         ?16, ?17, ?18) ON CONFLICT (id) DO NOTHING"
    );
    let values = params![
        Id::new(entry.id),
        Id::new(entry.tenant.0),
        Id::new(entry.number.0),
        Id::new(entry.conversation.0),
        entry.message.map(|id| Id::new(id.0)),
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
    ];
    run(transaction, &sql, values).map(drop)
}

fn ledger(
    connection: &Connection,
    tenant: TenantId,
    query: &LedgerQuery,
    request: &PageRequest,
) -> RecordsResult<Page<LedgerEntry>> {
    let mut conditions = Where::tenant("tenant", tenant);
    if let Some(from) = query.from {
        conditions.and("day >= {}", from.to_string());
    }
    if let Some(to) = query.to {
        conditions.and("day <= {}", to.to_string());
    }
    if let Some(number) = query.number {
        conditions.and("number = {}", blob(number.0));
    }
    if let Some(conversation) = query.conversation {
        conditions.and("conversation = {}", blob(conversation.0));
    }
    if let Some(message) = query.message {
        conditions.and("message = {}", blob(message.0));
    }
    if let Some(category) = query.category {
        conditions.and("category = {}", category.name().to_owned());
    }
    if query.differs_only {
        conditions.sql.push_str(" AND differs = 1");
    }
    if let Some(cursor) = &request.cursor {
        let (at, id) = cursor_pair(cursor)?;
        let at = conditions.bind(at);
        conditions.and(&format!("(at, id) < ({at}, {{}})"), blob(id));
    }
    let limit = page_limit(request.limit);
    let sql = format!(
        "SELECT {COLUMNS} FROM ledger WHERE {} ORDER BY at DESC, id DESC LIMIT {}",
        conditions.sql,
        limit + 1
    );
    let found = all(connection, &sql, params_from_iter(conditions.values), entry)?;
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
