//! The manners of the simulated provider: limits, windows, statuses, delays, delivery of webhooks.

use serde::{Deserialize, Serialize};

/// How the provider treats calls and what it sends back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// What happens to free-form messages outside the 24-hour window.
    pub window: WindowRule,
    /// Refuse above the throughput of a number (130429).
    pub number_limit: bool,
    /// Refuse above 45 messages of debt to one person (131056).
    pub pair_limit: bool,
    /// Contacts carry business-scoped user ids.
    pub user_ids: bool,
    /// Contacts with a username are shown without their phone number.
    pub hide_phones: bool,
    /// Brazilian mobile numbers are known without their ninth digit, as those of old accounts are, however they are
    /// written in a send.
    pub drops_ninth_digit: bool,
    /// How statuses come back.
    pub statuses: Statuses,
    /// How prices are told.
    pub pricing: Pricing,
    /// How long an answer takes.
    pub latency: Latency,
    /// How webhooks are delivered.
    pub delivery: Delivery,
    /// What becomes of submitted templates.
    pub review: Review,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            window: WindowRule::default(),
            number_limit: true,
            pair_limit: true,
            user_ids: true,
            hide_phones: false,
            drops_ninth_digit: false,
            statuses: Statuses::default(),
            pricing: Pricing::default(),
            latency: Latency::default(),
            delivery: Delivery::default(),
            review: Review::default(),
        }
    }
}

/// How a closed window shows (131047).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowRule {
    /// Accepted, then a `failed` status: what the provider usually does.
    #[default]
    FailedStatus,
    /// Refused on the call.
    Refused,
    /// Not looked at: for load that does not come through the simulator.
    Ignored,
}

/// Statuses of accepted messages. Delays count from the acceptance; probabilities are between 0 and 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Statuses {
    /// Whether there are any.
    pub enabled: bool,
    /// Delay of `sent`, and of `failed`.
    pub sent_after_ms: i64,
    /// Delay of `delivered`.
    pub delivered_after_ms: i64,
    /// Delay of `read`.
    pub read_after_ms: i64,
    /// How many messages are read.
    pub read_probability: f64,
    /// How many of the read ones come without `delivered`, as with an open chat.
    pub skip_delivered_probability: f64,
    /// How many statuses come twice.
    pub double_probability: f64,
    /// How many messages get their statuses in the wrong order.
    pub reorder_probability: f64,
}

impl Default for Statuses {
    fn default() -> Self {
        Self {
            enabled: true,
            sent_after_ms: 50,
            delivered_after_ms: 150,
            read_after_ms: 400,
            read_probability: 0.5,
            skip_delivered_probability: 0.1,
            double_probability: 0.05,
            reorder_probability: 0.05,
        }
    }
}

/// The `pricing` object of statuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pricing {
    /// On which statuses it appears: the provider's page says both, one, or the other.
    pub on: PricingOn,
    /// The rules in force; by the date of the message when absent.
    pub policy: Option<PricingPolicy>,
    /// Free service messages per number and calendar month (since 2026-10-01).
    pub free_service_messages: u32,
}

impl Default for Pricing {
    fn default() -> Self {
        Self { on: PricingOn::default(), policy: None, free_service_messages: 1_000 }
    }
}

/// Which statuses carry the price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PricingOn {
    /// `sent`, and the first of `delivered` and `read`.
    #[default]
    Both,
    /// Only `sent`.
    Sent,
    /// Only the first of `delivered` and `read`.
    Delivered,
}

/// The provider's pricing rules by the time they came into force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PricingPolicy {
    /// By conversation, until 2025-06-30.
    Conversation,
    /// By delivered template, from 2025-07-01.
    Template,
    /// By delivered message, from 2026-10-01.
    Message,
}

/// How long a call takes before it is answered: most calls about the median, a few in a tail.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// The shortest.
    pub min_ms: u64,
    /// Half of the calls take at most this; below the median and up to twice above it they spread evenly.
    pub median_ms: u64,
    /// How many calls fall into the tail.
    pub tail_probability: f64,
    /// How long those take.
    pub tail_ms: u64,
}

/// Delivery of webhooks to the callback.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delivery {
    /// Most updates in one webhook (the provider's limit is 1,000).
    pub batch_max: usize,
    /// How long the first update of a webhook waits for others.
    pub linger_ms: i64,
    /// Webhooks under way at once. With 1 nothing overtakes, unless a webhook is retried.
    pub concurrency: usize,
    /// When an answer counts as missing.
    pub timeout_ms: u64,
    /// Deliveries of one webhook before it is dropped (the provider: seven days' worth).
    pub attempts: u32,
    /// Pause before the first repetition; it doubles each time.
    pub retry_first_ms: u64,
    /// Longest pause.
    pub retry_max_ms: u64,
    /// How many answered webhooks come again all the same: retries go to every subscribed app.
    pub double_probability: f64,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            batch_max: 100,
            linger_ms: 5,
            concurrency: 8,
            timeout_ms: 10_000,
            attempts: 20,
            retry_first_ms: 100,
            retry_max_ms: 30_000,
            double_probability: 0.0,
        }
    }
}

/// Review of submitted templates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Review {
    /// How long it takes.
    pub after_ms: i64,
    /// `APPROVED`, `REJECTED`, or nothing: it stays `PENDING`.
    pub verdict: Option<String>,
    /// The reason of a rejection.
    pub reason: String,
}

impl Default for Review {
    fn default() -> Self {
        Self { after_ms: 500, verdict: Some("APPROVED".into()), reason: "INVALID_FORMAT".into() }
    }
}
