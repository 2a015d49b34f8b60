//! Bills and their explanations.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::credit::RechargeState;
use crate::id::{ConversationId, MessageId, NumberId, RechargeId};
use crate::limits::{REASON_CHARS, REFERENCE_CHARS};
use crate::text::{Capitals, Decimal, Line};
use crate::time::TimestampMs;

/// `{ "amount": "0.0118", "currency": "USD" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MoneyView {
    /// Decimal text.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
}

/// An amount that is given: `{ "amount": "250.00", "currency": "EUR" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoneyBody {
    /// Decimal text above zero, with at most nine digits before the point and nine after it.
    #[schema(value_type = Decimal)]
    pub amount: String,
    /// ISO 4217.
    #[schema(value_type = Capitals<3>)]
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
    /// What the provider charges, by its own word or our estimate; left out where it is free or no rate card prices it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<MoneyView>,
    /// The provider's word and ours differ.
    pub differs: bool,
    /// How they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<DifferenceView>,
}

/// The provider charges something else than we estimated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DifferenceView {
    /// Our estimate of what it charges; zero where it should be free, `null` where no rate card prices it.
    pub estimated: Option<MoneyView>,
    /// What it charges by its own word.
    pub reported: Option<MoneyView>,
    /// How much more (or, negative, less) it charges than estimated, where both are known.
    pub amount: Option<MoneyView>,
    /// Both reasons, in words.
    pub explanation: String,
}

/// What a message would be charged if it were delivered now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CostPreview {
    /// What it would be charged as: `marketing`, `utility`, `authentication` or `service`.
    pub category: String,
    /// `business_initiated`, `user_initiated` or `free_entry_point`.
    pub origin: String,
    /// The rule set, such as `conversation`.
    pub policy: String,
    /// The rule that decides, such as `conversation_opened`.
    pub rule: String,
    /// The market that the price is for.
    pub market: String,
    /// What is charged; zero where it is free, `null` where no rate card prices it.
    pub charge: Option<MoneyView>,
    /// Where the price is from.
    pub rate_card: Option<RateCardView>,
    /// Its place within the month's free tier, counted from 1, where there is one.
    pub free_tier_place: Option<i64>,
    /// Why, in words, as the ledger will say it.
    pub explanation: String,
    /// Whether the credits cover it, where the tenant pays in advance.
    pub credits: Option<CoverView>,
}

/// A rate card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RateCardView {
    /// Its name.
    pub name: String,
    /// The day from which it holds.
    pub effective_from: String,
}

/// Whether credits cover a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CoverView {
    /// What has to be there: the price as if no conversation were open; zero where it is free for certain.
    pub required: MoneyView,
    /// What further messages may cost.
    pub available: MoneyView,
    /// Without that a send is refused with `insufficient_credits`.
    pub sufficient: bool,
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
    /// The payment under way that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recharge: Option<RechargeView>,
}

/// A payment that was received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchaseBody {
    /// How much was paid.
    pub amount: MoneyBody,
    /// The payment service's own name of it: the same one counts once.
    #[schema(value_type = Line<{ REFERENCE_CHARS }>)]
    pub reference: String,
    /// The payment that was asked for (event `credits.recharge_asked`), if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recharge_id: Option<RechargeId>,
}

/// What happened to the credits in a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatementView {
    /// Such as `2026-11`.
    pub month: String,
    /// In which the month begins and ends.
    pub time_zone: String,
    /// When it began.
    pub from: TimestampMs,
    /// When the next one begins.
    pub to: TimestampMs,
    /// The balance before.
    pub opening: MoneyView,
    /// Every change of the balance, oldest first.
    pub lines: Vec<StatementLineView>,
    /// The balance after the last line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<MoneyView>,
    /// The month is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete: Option<bool>,
}

/// One change of the balance, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatementLineView {
    /// The change.
    #[serde(flatten)]
    pub entry: CreditEntryView,
    /// The balance after it.
    pub balance: MoneyView,
    /// Why the message was charged, as the ledger says it, or why what was reserved for it was released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
}

/// When which payment is asked for. All amounts are in the currency of the credits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RechargeRuleBody {
    /// When less than this is available.
    pub minimum_balance: MoneyBody,
    /// So much.
    pub amount: MoneyBody,
    /// Not more than this in a calendar month of the tenant's time zone, without what was declined; `null` or left out
    /// for no limit.
    #[serde(default)]
    pub monthly_limit: Option<MoneyBody>,
}

/// What the tenant wants to be told about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LowBalanceBody {
    /// It is told when less is available.
    pub below: MoneyBody,
}

/// A payment that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RechargeView {
    /// Its id.
    pub id: RechargeId,
    /// When it was asked for.
    pub asked_at: TimestampMs,
    /// How much.
    pub amount: MoneyView,
    /// What was available then.
    pub available: MoneyView,
    /// Where it stands.
    pub state: RechargeState,
    /// When it was paid, declined or given up.
    pub ended_at: Option<TimestampMs>,
    /// The name of the payment, or why there is none.
    pub detail: Option<String>,
}

/// Why there is no payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclineBody {
    /// In words, for people.
    #[schema(value_type = Line<{ REASON_CHARS }>)]
    pub reason: String,
}

/// One change of the balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreditEntryView {
    /// When.
    pub at: TimestampMs,
    /// `opening`, `purchase`, `charge` or `release`.
    pub kind: String,
    /// Added, or (negative) taken.
    pub amount: MoneyView,
    /// What is no longer reserved, since nobody said in time what became of the message; the balance stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<MoneyView>,
    /// The message that was charged, or given up; its reasons are in the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// The name of the payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}
