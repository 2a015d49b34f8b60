//! Money, and what a provider says that it charges.

use compact_str::CompactString;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::time::TimestampMs;

/// An ISO 4217 code in upper case, such as `EUR`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Currency(pub CompactString);

/// An amount in a currency. Decimal, never floating point. JSON: `{ "amount": "0.0118", "currency": "USD" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// The amount, written as a decimal text.
    pub amount: Decimal,
    /// Its currency.
    pub currency: Currency,
}

/// The `pricing` object of a status webhook (facts: Cloud API status webhooks).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderPricing {
    /// Whether the provider charges; to be deprecated by it.
    pub billable: Option<bool>,
    /// `CBP` (by conversation) or `PMP` (by message).
    pub model: CompactString,
    /// `regular`, `free_customer_service`, `free_entry_point` …
    pub kind: Option<CompactString>,
    /// `marketing`, `utility`, `service`, `referral_conversion` …
    pub category: CompactString,
    /// The provider's id of the charged conversation or free entry point, when it sends one.
    pub conversation_id: Option<CompactString>,
    /// When that conversation ends.
    pub conversation_expires_at: Option<TimestampMs>,
    /// How it began, such as `referral_conversion`.
    pub conversation_origin: Option<CompactString>,
}
