//! Bills and their explanations.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{ConversationId, MessageId, NumberId};
use crate::time::TimestampMs;

/// `{ "amount": "0.0118", "currency": "USD" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MoneyView {
    /// Decimal text.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
}

/// One line of the ledger: a charge, or a use that was free, with its reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LedgerView {
    /// Its id.
    pub id: String,
    /// When the message was delivered.
    pub at: TimestampMs,
    /// The number that sent it.
    pub number_id: NumberId,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The message that caused it.
    pub message_id: Option<MessageId>,
    /// `marketing`, `utility`, `authentication` or `service`.
    pub category: String,
    /// `business_initiated`, `user_initiated` or `free_entry_point`.
    pub origin: String,
    /// The rule set, such as `conversation` or `per_message_2026_10`.
    pub policy: String,
    /// The market that the price is for.
    pub market: String,
    /// What is charged; zero where it was free.
    pub charge: MoneyView,
    /// Why, in words: rule, rate card and its date.
    pub explanation: String,
    /// What the provider itself says about the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub provider_pricing: Option<serde_json::Value>,
    /// The provider's word and ours differ.
    pub differs: bool,
}

/// Sums over the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageView {
    /// `category`, where grouped by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The number, where grouped by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_id: Option<NumberId>,
    /// The day in the tenant's time zone, where grouped by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// Lines that were charged.
    pub charged: u64,
    /// Lines that were free.
    pub free: u64,
    /// Their sum.
    pub total: MoneyView,
}

/// What a tenant has paid in advance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreditsView {
    /// What was paid in, less what was charged.
    pub balance: MoneyView,
    /// The part of it that messages on their way may cost.
    pub reserved: MoneyView,
    /// What further messages may cost.
    pub available: MoneyView,
}

/// A payment that was received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchaseBody {
    /// How much was paid.
    pub amount: MoneyView,
    /// The payment service's own name of it, 1 to 100 characters: the same one counts once.
    pub reference: String,
}

/// One change of the balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreditEntryView {
    /// When.
    pub at: TimestampMs,
    /// `opening`, `purchase` or `charge`.
    pub kind: String,
    /// Added, or (negative) taken.
    pub amount: MoneyView,
    /// The message that was charged; its reasons are in the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// The name of the payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}
