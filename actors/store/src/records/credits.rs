//! What tenants have paid in advance: a balance that each send is taken from.
//!
//! A send reserves its price before it leaves; when it is delivered the charge of the ledger replaces the reservation,
//! when it is not the reservation ends. The laws: neither the balance nor what is available is ever negative, a message
//! is reserved and charged at most once, and the balance is the sum of the entries.

use async_trait::async_trait;
use compact_str::CompactString;
use domain::metering::Quote;
use protocol::id::{MessageId, RechargeId, TenantId};
use protocol::pricing::{Currency, Money};
use protocol::time::TimestampMs;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Page, PageRequest, RecordsResult};

/// The credits of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditAccount {
    /// Of every amount.
    pub currency: Currency,
    /// What was paid in, less what was charged.
    pub balance: Decimal,
    /// The part of it that messages on their way may cost.
    pub reserved: Decimal,
    /// Payments that were counted.
    pub payments: u64,
}

impl CreditAccount {
    /// What further messages may cost.
    #[must_use]
    pub fn available(&self) -> Decimal {
        self.balance - self.reserved
    }
}

/// What became of a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// The message may cost that much.
    Held,
    /// There is not enough; nothing was reserved.
    Short(CreditAccount),
    /// The tenant has no credits of this currency.
    NoAccount,
}

/// Why the balance changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditKind {
    /// What the account began with.
    Opening,
    /// Somebody paid.
    Purchase,
    /// A message was delivered.
    Charge,
    /// Nobody said in time what became of a message: what was reserved for it is available again.
    Release,
}

/// One change of a balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditEntry {
    /// Derived from the cause.
    pub id: u128,
    /// When.
    pub at: TimestampMs,
    /// Why.
    pub kind: CreditKind,
    /// Added, or (negative) taken.
    pub amount: Money,
    /// What is no longer reserved; only of a release, which leaves the balance as it is.
    pub released: Option<Money>,
    /// The message that was charged, or given up.
    pub message: Option<MessageId>,
    /// The payer's own name of a purchase.
    pub reference: Option<CompactString>,
}

/// A change of a balance, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct StatementLine {
    /// The change.
    pub entry: CreditEntry,
    /// What the ledger says of the message that was charged.
    pub explanation: Option<Value>,
}

/// Somebody paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// The payer's own name of it: the same one counts once.
    pub reference: CompactString,
    /// Above zero.
    pub amount: Money,
    /// The payment that was asked for, if it is one.
    pub recharge: Option<RechargeId>,
    /// When.
    pub at: TimestampMs,
}

/// The end of a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditUse {
    /// Who pays.
    pub tenant: TenantId,
    /// The message.
    pub message: MessageId,
    /// What it is charged; `None` when it cost nothing. Never more than the balance is taken.
    pub charge: Option<Money>,
    /// When.
    pub at: TimestampMs,
}

/// Credits.
#[async_trait]
pub trait Credits: Send + Sync + 'static {
    /// The credits of a tenant, if it has an account.
    async fn credits(&self, tenant: TenantId) -> RecordsResult<Option<CreditAccount>>;

    /// Begins the account of a tenant, unless there is one.
    async fn open_credits(
        &self,
        tenant: TenantId,
        opening: Money,
        at: TimestampMs,
    ) -> RecordsResult<CreditAccount>;

    /// Holds what a message may cost; nothing while the month's free tier lasts. For a message that holds something
    /// already this changes nothing.
    async fn reserve_credits(
        &self,
        tenant: TenantId,
        message: MessageId,
        quote: Quote,
        at: TimestampMs,
    ) -> RecordsResult<Reservation>;

    /// What [`Self::reserve_credits`] would answer now for a new message.
    async fn quote_credits(&self, tenant: TenantId, quote: Quote) -> RecordsResult<Reservation>;

    /// Ends reservations that were made before an instant, the oldest first and not all of them at once; answers how
    /// many. A message that is delivered after all is charged as one that nothing was reserved for.
    async fn release_credits(&self, before: TimestampMs, at: TimestampMs) -> RecordsResult<usize>;

    /// What a message changed, oldest first.
    async fn message_credits(&self, tenant: TenantId, message: MessageId) -> RecordsResult<Vec<CreditEntry>>;

    /// Adds what somebody paid to an account that exists, durably.
    async fn purchase_credits(&self, tenant: TenantId, purchase: Purchase) -> RecordsResult<CreditAccount>;

    /// Changes of a balance, newest first.
    async fn credit_entries(&self, tenant: TenantId, page: PageRequest) -> RecordsResult<Page<CreditEntry>>;

    /// The balance before an instant, if there is an account.
    async fn balance_at(&self, tenant: TenantId, at: TimestampMs) -> RecordsResult<Option<Money>>;

    /// Changes of a balance at or after the beginning of a span and before its end, oldest first.
    async fn credit_statement(
        &self,
        tenant: TenantId,
        span: (TimestampMs, TimestampMs),
        page: PageRequest,
    ) -> RecordsResult<Page<StatementLine>>;

    /// What messages on their way may cost, of all tenants, whatever their currency.
    async fn credits_reserved(&self) -> RecordsResult<Decimal>;
}
