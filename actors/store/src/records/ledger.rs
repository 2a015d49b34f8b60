//! What tenants are charged, and what the meter needs to remember.

use async_trait::async_trait;
use bytes::Bytes;
use compact_str::CompactString;
use jiff::civil::Date;
use protocol::content::Category;
use protocol::id::{ConversationId, MessageId, NumberId, TenantId};
use protocol::pricing::{Money, ProviderPricing};
use protocol::time::TimestampMs;
use serde_json::Value;

use super::{Advance, CreditUse, Page, PageRequest, RecordsResult};

/// One charge (or one thing that was free, with the reason).
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerEntry {
    /// Derived from the cause: the same charge is never booked twice.
    pub id: u128,
    /// Who pays.
    pub tenant: TenantId,
    /// On which number.
    pub number: NumberId,
    /// In which conversation.
    pub conversation: ConversationId,
    /// The message that caused it.
    pub message: Option<MessageId>,
    /// When.
    pub at: TimestampMs,
    /// The day in the tenant's time zone; billing months follow it.
    pub day: Date,
    /// What it is charged as.
    pub category: Category,
    /// Who began it: `business_initiated`, `user_initiated`, `free_entry_point` …
    pub origin: CompactString,
    /// The policy that decided, such as `conversation` or `per_message_2026_10`.
    pub policy: CompactString,
    /// Market of the rate card.
    pub market: CompactString,
    /// The charge; zero of the tenant's currency when free. At most nine decimals.
    pub amount: Money,
    /// What the provider charges, by its own word or our estimate; `None` when it is free or not priced.
    pub cost: Option<Money>,
    /// Rule, rate card, dates, counters: why it costs what it costs.
    pub explanation: Value,
    /// What the provider says about the message.
    pub provider: Option<ProviderPricing>,
    /// The provider's word and ours differ.
    pub differs: bool,
}

/// Name of a counter, such as service conversations of an account in a month.
pub type CounterKey = CompactString;

/// What the meter needs for a batch of events; answers stand in the order asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeterLoad {
    /// Stored state of each conversation.
    pub states: Vec<Option<Bytes>>,
    /// Value of each counter; zero when unknown.
    pub counters: Vec<i64>,
}

/// What the meter made of a batch of events; one transaction.
#[derive(Clone, Debug)]
pub struct MeterCommit {
    /// Its step forward.
    pub advance: Advance,
    /// New charges; one with a known id replaces nothing and is left out.
    pub entries: Vec<LedgerEntry>,
    /// What the provider said after the charge was booked.
    pub provider_words: Vec<ProviderWord>,
    /// New states of conversations; `None` forgets one.
    pub states: Vec<(ConversationId, Option<Bytes>)>,
    /// New values of counters.
    pub counters: Vec<(CounterKey, i64)>,
    /// Reservations of credits that end.
    pub credits: Vec<CreditUse>,
}

impl MeterCommit {
    /// A step forward that changes nothing else.
    #[must_use]
    pub fn of(advance: Advance) -> Self {
        let (entries, provider_words, states) = (Vec::new(), Vec::new(), Vec::new());
        Self { advance, entries, provider_words, states, counters: Vec::new(), credits: Vec::new() }
    }
}

/// The provider's word on a charge that was booked before.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderWord {
    /// The entry.
    pub entry: u128,
    /// What the provider says.
    pub pricing: ProviderPricing,
    /// What the provider charges by its word, when that is not our estimate; the entry then differs.
    pub cost: Option<ProviderCost>,
}

/// A cost by the provider's word.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderCost {
    /// How much; `None` when it is free or not priced.
    pub amount: Option<Money>,
    /// Rule and rate card, for people.
    pub explanation: Value,
}

/// Which charges are wanted, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerQuery {
    /// From this day.
    pub from: Option<Date>,
    /// To this day, inclusive.
    pub to: Option<Date>,
    /// On this number.
    pub number: Option<NumberId>,
    /// In this conversation.
    pub conversation: Option<ConversationId>,
    /// Caused by this message.
    pub message: Option<MessageId>,
    /// Of this category.
    pub category: Option<Category>,
    /// Only those where the provider's word differs from ours.
    pub differs_only: bool,
}

/// What usage is summed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UsageKey {
    /// Category.
    Category,
    /// Number.
    Number,
    /// Day.
    Day,
}

/// Which usage is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageQuery {
    /// From this day.
    pub from: Date,
    /// To this day, inclusive.
    pub to: Date,
    /// One row for each combination of these; currency always separates.
    pub group_by: Vec<UsageKey>,
}

/// A sum. Keys that were not asked for are `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRow {
    /// Category.
    pub category: Option<Category>,
    /// Number.
    pub number: Option<NumberId>,
    /// Day.
    pub day: Option<Date>,
    /// Ledger entries.
    pub entries: u64,
    /// Those with an amount above zero.
    pub charged: u64,
    /// Their sum.
    pub amount: Money,
}

/// Billing.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// What the meter needs for a batch, in one round trip.
    async fn meter_load(
        &self,
        conversations: Vec<ConversationId>,
        counters: Vec<CounterKey>,
    ) -> RecordsResult<MeterLoad>;

    /// Books what the meter made of a batch.
    async fn meter_commit(&self, commit: MeterCommit) -> RecordsResult<()>;

    /// Charges of a tenant, newest first.
    async fn ledger(
        &self,
        tenant: TenantId,
        query: LedgerQuery,
        page: PageRequest,
    ) -> RecordsResult<Page<LedgerEntry>>;

    /// Sums of a tenant.
    async fn usage(&self, tenant: TenantId, query: UsageQuery) -> RecordsResult<Vec<UsageRow>>;
}
