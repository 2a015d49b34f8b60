//! The line of a ledger: an amount and why.

use compact_str::CompactString;
use jiff::civil::Date;
use protocol::content::Category;
use protocol::id::{ConversationId, MessageId, NumberId, TenantId};
use protocol::pricing::{Money, ProviderPricing};
use protocol::time::TimestampMs;
use serde::{Deserialize, Serialize};

use super::policy::Policy;

/// One delivered message on the bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The message, and the key of the line: there is never another one for it.
    pub message: MessageId,
    /// Who is billed.
    pub tenant: TenantId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The number that sent it.
    pub number: NumberId,
    /// When it was queued: the policy and the rate card of that day apply.
    pub queued_at: TimestampMs,
    /// When it was delivered (or read), by the provider's time.
    pub delivered_at: TimestampMs,
    /// The day of the delivery in the tenant's time zone; free tiers count by its month.
    pub day: Date,
    /// ISO country of the contact's calling code, or `*` when it is not known.
    pub market: CompactString,
    /// What it was sent as.
    pub category: Category,
    /// Whether it was a template.
    pub template: bool,
    /// How the billed conversation that it belongs to began.
    pub origin: Origin,
    /// What the tenant is billed, by its contract.
    pub charge: Charge,
    /// What the provider charges: its own word where it gave one, else our estimate.
    pub cost: Charge,
    /// The provider's own word.
    pub reported: Option<ProviderPricing>,
    /// Our estimate of the cost, when the provider's word differs from it.
    pub estimate: Option<Charge>,
}

impl Line {
    /// What the tenant is billed for it and why, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let Charge { policy, rule, opened_by, free_tier_place, rate_card, .. } = &self.charge;
        let (category, market) = (self.category.name(), &self.market);
        let mut text = format!("{category} message to {market} under `{}`: {}", policy.name(), rule.words());
        if let Some(place) = free_tier_place {
            text.push_str(&format!(" (number {place} of the month)"));
        }
        if let Some(opener) = opened_by.filter(|opener| *opener != self.message) {
            text.push_str(&format!(", opened by {opener}"));
        }
        match rate_card {
            Some(card) => {
                text.push_str(&format!("; rate card `{}` from {}", card.name, card.effective_from));
            }
            None if self.charge.is_unpriced() => {
                text.push_str("; no rate card prices it, load one that does");
            }
            None => {}
        }
        text
    }
}

/// An amount and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Charge {
    /// The rules that were applied.
    pub policy: Policy,
    /// The one that decided.
    pub rule: Rule,
    /// The message that opened the billed conversation that this one belongs to.
    pub opened_by: Option<MessageId>,
    /// The place within the month's free tier, counted from 1, when it counted towards one.
    pub free_tier_place: Option<i64>,
    /// How much; `None` when it is free, or when no rate card prices it (see [`Charge::is_unpriced`]).
    pub amount: Option<Money>,
    /// Where the price is from.
    pub rate_card: Option<RateCardRef>,
}

impl Charge {
    /// It should cost something, but no rate card says how much.
    #[must_use]
    pub const fn is_unpriced(&self) -> bool {
        self.rule.is_charged() && self.amount.is_none()
    }
}

/// The rate card of a price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RateCardRef {
    /// Its name.
    pub name: CompactString,
    /// The day from which it holds.
    pub effective_from: Date,
}

/// How a billed conversation began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// By a template of ours.
    BusinessInitiated,
    /// By the contact, whom we answered.
    UserInitiated,
    /// By an advertisement that led the contact to us.
    FreeEntryPoint,
}

impl Origin {
    /// Name in the API and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BusinessInitiated => "business_initiated",
            Self::UserInitiated => "user_initiated",
            Self::FreeEntryPoint => "free_entry_point",
        }
    }
}

/// The rule that decided a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// It opened a conversation of 24 hours, which is charged.
    ConversationOpened,
    /// It opened a conversation that is free under the policy.
    FreeConversationOpened,
    /// It belongs to a conversation that was already open: messages within are unlimited.
    WithinConversation,
    /// It is within the month's free tier.
    FreeTier,
    /// It answered an advertisement and opened a free entry point.
    FreeEntryPointOpened,
    /// It was delivered within a free entry point.
    WithinFreeEntryPoint,
    /// Each delivered message of its category is charged.
    MessageDelivered,
    /// Utility templates are free while the contact's window is open.
    UtilityInWindow,
    /// Free-form messages are free under the policy.
    FreeForm,
    /// The provider says that it charges this message.
    ReportedCharged,
    /// The provider says that it does not charge this message.
    ReportedFree,
}

impl Rule {
    /// Whether the rule asks for a price.
    #[must_use]
    pub const fn is_charged(self) -> bool {
        matches!(self, Self::ConversationOpened | Self::MessageDelivered | Self::ReportedCharged)
    }

    /// Whether the message opened a billed conversation.
    #[must_use]
    pub const fn opens(self) -> bool {
        matches!(self, Self::ConversationOpened | Self::FreeConversationOpened | Self::FreeEntryPointOpened)
    }

    /// The rule in words, for `explain`.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::ConversationOpened => "opened a conversation of 24 hours, which is charged",
            Self::FreeConversationOpened => "opened a conversation that the policy does not charge",
            Self::WithinConversation => "belongs to a conversation that was already open",
            Self::FreeTier => "is within the month's free tier",
            Self::FreeEntryPointOpened => "answered an advertisement and opened a free entry point",
            Self::WithinFreeEntryPoint => "was delivered within a free entry point",
            Self::MessageDelivered => "each delivered message of the category is charged",
            Self::UtilityInWindow => "utility templates are free while the window is open",
            Self::FreeForm => "free-form messages are free under the policy",
            Self::ReportedCharged => "the provider says that it charges this message",
            Self::ReportedFree => "the provider says that it does not charge this message",
        }
    }
}
