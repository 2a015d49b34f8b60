//! What tenants configure: numbers, people, templates, flows, prices. Kept as JSON documents in the records
//! store, held in memory by every node, and handed to the pure step as context.

mod credit;
mod notice;
mod template;

use std::collections::BTreeMap;

use compact_str::CompactString;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::credit::{CreditRules, RechargeRule};
pub use self::notice::{Digest, InvalidTimeOfDay, NoticeSettings, NoticeWishes, QuietHours, TimeOfDay};
pub use self::template::{Review, Task, TaskKind, Template, TemplateKind, TemplateStatus, Wording};

use crate::command::{Owner, Vacancy};
use crate::condition::Condition;
use crate::content::Channel;
use crate::id::{
    EndpointId, FlowId, GroupId, KeyId, NumberId, PhoneNumberId, TenantId, UserId, ViewId, WabaId,
};
use crate::phone::E164;
use crate::pricing::{Currency, Money};
use crate::time::TimestampMs;

/// A staffing agency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tenant {
    /// Derived from the name.
    pub id: TenantId,
    /// Unique.
    pub name: CompactString,
    /// Language of automatic texts, such as `it`.
    pub language: CompactString,
    /// IANA time zone: billing months and quiet hours follow it.
    pub time_zone: CompactString,
    /// What the tenant is billed by.
    pub contract: Contract,
    /// Balance at creation and currency of credits, if the tenant uses credits.
    pub credits: Option<Money>,
    /// Behaviour that the tenant may tune.
    #[serde(default)]
    pub settings: TenantSettings,
}

/// What a tenant is billed by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contract {
    /// By 24-hour conversation and category.
    #[default]
    Conversation,
    /// By delivered message, as the provider does since July 2025.
    PerMessage,
}

/// Behaviour that a tenant may tune; every value has a sensible default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TenantSettings {
    /// At most one automatic error reply per conversation in this many seconds.
    pub error_reply_interval_seconds: u32,
    /// The owner is told this many seconds before a window closes; 0 switches it off.
    pub window_closing_soon_seconds: u32,
    /// ISO country codes (and `UA-43`, Crimea) to which WhatsApp messages are refused up front.
    pub unsupported_countries: Vec<CompactString>,
    /// Words that opt a contact out, besides the built-in lists; compared whole, ignoring case.
    pub opt_out_keywords: Vec<CompactString>,
    /// Templates of both kinds together that the tenant may have.
    pub max_templates: usize,
    /// The tenant has accepted the policy by which it opts its contacts in itself: bulk sends also go to contacts who were
    /// never asked, and each of these messages must name a word to opt out with.
    pub bulk_without_opt_in: bool,
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self {
            error_reply_interval_seconds: 300,
            window_closing_soon_seconds: 3_600,
            unsupported_countries: ["CU", "IR", "KP", "SY", "CN", "UA-43"]
                .map(CompactString::const_new)
                .to_vec(),
            opt_out_keywords: Vec::new(),
            max_templates: 100,
            bulk_without_opt_in: false,
        }
    }
}

/// A business number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Number {
    /// Derived from tenant, channel and phone.
    pub id: NumberId,
    /// Whose it is.
    pub tenant: TenantId,
    /// What people call it; unique within the tenant.
    pub nickname: CompactString,
    /// Its channel.
    pub channel: Channel,
    /// The number itself.
    pub phone: E164,
    /// Disabled numbers receive but do not send.
    pub enabled: bool,
    /// WhatsApp's id of the number.
    pub phone_number_id: Option<PhoneNumberId>,
    /// WhatsApp business account.
    pub waba_id: Option<WabaId>,
    /// Provider account of an SMS number.
    pub account_sid: Option<CompactString>,
    /// What the provider signs and accepts.
    pub secrets: NumberSecrets,
    /// Where sends go; the provider's own host when absent.
    pub base_url: Option<String>,
    /// Graph API version, such as `v24.0`.
    pub api_version: CompactString,
    /// The address that an SMS provider signs.
    pub public_url: Option<String>,
    /// Messages per second, in and out together.
    pub throughput_per_second: u32,
    /// What a message from an unknown sender creates.
    pub unknown_sender: UnknownSender,
    /// It knows who opted out or was blocked at the tenant's other numbers before it was added; it sends nothing
    /// before that.
    #[serde(default)]
    pub introduced: bool,
}

/// Credentials of a number. Never logged, never returned by the API.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberSecrets {
    /// Sign WhatsApp webhooks; several while one is rotated.
    pub app_secrets: Vec<String>,
    /// Answers WhatsApp's handshake.
    pub verify_token: Option<String>,
    /// Bearer token for the Graph API, or the auth token of an SMS account.
    pub access_token: Option<String>,
}

impl std::fmt::Debug for NumberSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NumberSecrets(…)")
    }
}

/// What a message from an unknown sender creates, and for whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnknownSender {
    /// The kind of record.
    pub create: RecordType,
    /// Its owner.
    pub assign: Option<Owner>,
}

/// Kinds of records in applicant tracking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordType {
    /// Somebody who looks for work.
    #[default]
    Candidate,
    /// Somebody at a client company.
    Contact,
}

/// A person who works for a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Derived from tenant and e-mail.
    pub id: UserId,
    /// Whose.
    pub tenant: TenantId,
    /// For people.
    pub name: String,
    /// Unique within the tenant.
    pub email: String,
    /// `recruiter`, `admin` or a name of the tenant's own.
    pub role: CompactString,
}

/// Several users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Derived from tenant and name.
    pub id: GroupId,
    /// Whose.
    pub tenant: TenantId,
    /// Unique within the tenant.
    pub name: CompactString,
    /// Its members.
    pub members: Vec<UserId>,
}

/// An API key. The secret itself is shown once and kept only as a hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Derived from tenant and name.
    pub id: KeyId,
    /// Whose.
    pub tenant: TenantId,
    /// For people.
    pub name: CompactString,
    /// Hex SHA-256 of the secret; secrets are long and random, so a fast hash is enough.
    pub secret_sha256: String,
    /// First characters of the secret, for people to recognise it.
    pub hint: CompactString,
    /// What it may do: `*`, `messages:write`, `conversations:read` …
    pub scopes: Vec<CompactString>,
    /// The person that it acts for, if any.
    pub user: Option<UserId>,
    /// Not accepted after this.
    pub expires_at: Option<TimestampMs>,
}

/// One version of an application flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// As candidates type it, in upper case.
    pub id: FlowId,
    /// Whose.
    pub tenant: TenantId,
    /// Counts up with every change; a running application finishes on its own version.
    pub version: u32,
    /// Language of its texts.
    pub language: CompactString,
    /// The job that it applies for.
    pub vacancy: Option<Vacancy>,
    /// The questions, in order unless a branch says otherwise.
    pub steps: Vec<Step>,
    /// What the person reads at the end.
    pub completion: String,
    /// The person is reminded once after this many seconds of silence; 0 switches it off.
    pub reminder_after_seconds: u32,
    /// What the reminder says; the flow's question is repeated after it.
    pub reminder: Option<String>,
}

/// One question of a flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// Key of the answer; unique within the flow.
    #[schema(value_type = String)]
    pub key: CompactString,
    /// The question.
    pub ask: String,
    /// What counts as an answer.
    #[serde(rename = "type")]
    pub kind: StepKind,
    /// Answers of a choice step: up to 3 become buttons, up to 10 a list.
    #[serde(default)]
    pub options: Vec<String>,
    /// May be skipped with `/skip`.
    #[serde(default)]
    pub optional: bool,
    /// Said instead of the built-in text when an answer does not fit.
    #[serde(default)]
    pub retry: Option<String>,
    /// Smallest number or earliest ISO date.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub min: Option<CompactString>,
    /// Largest number or latest ISO date.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub max: Option<CompactString>,
    /// Answer → key of the next step, or `end`; others go to the step that follows.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    pub branches: BTreeMap<String, CompactString>,
}

/// What counts as an answer to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Any text.
    Text,
    /// One of the options.
    Choice,
    /// A decimal number.
    Number,
    /// A date: `2026-11-20`, `20.11.2026` or `20/11/2026`.
    Date,
    /// An e-mail address.
    Email,
    /// A phone number with its country code.
    Phone,
    /// A document, image, audio or video.
    File,
    /// A point on the map.
    Location,
    /// An explicit yes; a no ends the application.
    Consent,
}

/// What a provider or an agency charges from a day on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateCard {
    /// Unique.
    pub name: CompactString,
    /// Currency of every row.
    pub currency: Currency,
    /// First day, in the tenant's time zone.
    pub effective_from: Date,
    /// Prices by market.
    pub rows: Vec<Rate>,
}

/// Prices in one market.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// ISO country code, or `*` for every other.
    pub market: CompactString,
    /// Price of a marketing message or conversation.
    pub marketing: Decimal,
    /// Price of a utility message or conversation.
    pub utility: Decimal,
    /// Price of an authentication message or conversation.
    pub authentication: Decimal,
    /// Price of a service message or conversation.
    pub service: Decimal,
}

/// Sending is held back: of one number, or of all numbers of a tenant. What is asked for waits meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Whose.
    pub tenant: TenantId,
    /// The number; `None` holds back all.
    pub number: Option<NumberId>,
}

/// A saved view of the inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Random.
    pub id: ViewId,
    /// What people call it.
    pub name: String,
    /// Everybody at the tenant sees it.
    pub shared: bool,
    /// The person who made it.
    pub owner: Option<UserId>,
    /// What it shows.
    pub filter: Condition,
}

/// A downstream address that receives events, signed as Standard Webhooks describe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEndpoint {
    /// Random.
    pub id: EndpointId,
    /// Whose.
    pub tenant: TenantId,
    /// Where events go.
    pub url: String,
    /// Event names, or none for all.
    pub events: Vec<CompactString>,
    /// `whsec_` and base64; several while one is rotated, newest first.
    pub secrets: Vec<String>,
    /// Switched off by a person, or by an answer 410.
    pub enabled: bool,
}

/// That a contact of a tenant was erased: nodes must no longer believe the names that they remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Whose contact.
    pub tenant: TenantId,
    /// When its names led nowhere any more, by the store's clock; the newest one only.
    pub at: TimestampMs,
}
