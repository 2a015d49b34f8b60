//! The shape of an apply file. Names instead of ids; everything that has a sensible default may be left out.
//!
//! No `Debug` here: some fields are secrets. Lists hold `Option`s: an element that cannot be read is reported, replaced by `None`, and the next one is read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use compact_str::CompactString;
use jiff::civil::Date;
use protocol::command::Vacancy;
use protocol::content::{Category, Channel};
use protocol::directory::{
    Contract, NoticeWishes, RecordType, StepKind, TemplateKind, TemplateStatus, TenantSettings,
};
use rust_decimal::Decimal;
use serde::Deserialize;

/// A list of which some elements could not be read.
pub(super) type List<T> = Vec<Option<T>>;

/// A whole file.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ApplyFile {
    /// Agencies.
    pub(super) tenants: List<TenantFile>,
    /// Prices, for all tenants.
    pub(super) rate_cards: List<RateCardFile>,
}

/// An agency with everything that belongs to it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TenantFile {
    /// Unique.
    pub(super) name: CompactString,
    /// Default language of automatic texts.
    #[serde(default = "english")]
    pub(super) language: CompactString,
    /// IANA name.
    #[serde(default = "utc")]
    pub(super) time_zone: CompactString,
    /// What the tenant is billed by.
    #[serde(default)]
    pub(super) contract: Contract,
    /// Opening balance.
    pub(super) credits: Option<CreditsFile>,
    /// Tunable behaviour.
    #[serde(default)]
    pub(super) settings: TenantSettings,
    /// API keys.
    #[serde(default)]
    pub(super) keys: List<KeyFile>,
    /// People.
    #[serde(default)]
    pub(super) users: List<UserFile>,
    /// Groups of people.
    #[serde(default)]
    pub(super) groups: List<GroupFile>,
    /// Business numbers.
    #[serde(default)]
    pub(super) numbers: List<NumberFile>,
    /// Message templates.
    #[serde(default)]
    pub(super) templates: List<TemplateFile>,
    /// Application flows.
    #[serde(default)]
    pub(super) flows: List<FlowFile>,
    /// Downstream addresses for events.
    #[serde(default)]
    pub(super) webhook_endpoints: List<EndpointFile>,
}

/// An opening balance.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreditsFile {
    /// Decimal text.
    pub(super) balance: Decimal,
    /// ISO 4217.
    pub(super) currency: CompactString,
    /// Tell the tenant when less than this is available.
    pub(super) low_balance: Option<Decimal>,
    /// Ask for payments.
    pub(super) auto_recharge: Option<RechargeFile>,
}

/// When which payment is asked for, in the currency of the credits.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RechargeFile {
    /// When less than this is available.
    pub(super) minimum_balance: Decimal,
    /// So much.
    pub(super) amount: Decimal,
    /// Not more than this in a calendar month.
    pub(super) monthly_limit: Option<Decimal>,
}

/// An API key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyFile {
    /// Unique within the tenant.
    pub(super) name: CompactString,
    /// What callers send.
    pub(super) secret: Option<String>,
    /// Or the file that holds it.
    pub(super) secret_file: Option<PathBuf>,
    /// What it may do.
    pub(super) scopes: Vec<CompactString>,
    /// E-mail of the person that it acts for.
    pub(super) user: Option<String>,
}

/// A person.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserFile {
    /// For people.
    pub(super) name: String,
    /// Unique within the tenant.
    pub(super) email: String,
    /// `recruiter`, `admin` or another.
    #[serde(default = "recruiter")]
    pub(super) role: CompactString,
    /// How they are told what happens while they are away; left as they chose themselves when absent.
    pub(super) notifications: Option<NoticeWishes>,
}

/// Several people.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupFile {
    /// Unique within the tenant.
    pub(super) name: CompactString,
    /// E-mails.
    #[serde(default)]
    pub(super) members: Vec<String>,
}

/// A business number.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NumberFile {
    /// Unique within the tenant.
    pub(super) nickname: CompactString,
    /// Its channel.
    pub(super) channel: Channel,
    /// With country code.
    pub(super) phone: String,
    /// Off: receives, does not send.
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    /// WhatsApp's id.
    pub(super) phone_number_id: Option<CompactString>,
    /// WhatsApp business account.
    pub(super) waba_id: Option<CompactString>,
    /// SMS account.
    pub(super) account_sid: Option<CompactString>,
    /// Signs webhooks.
    pub(super) app_secret: Option<String>,
    /// Or the file that holds it.
    pub(super) app_secret_file: Option<PathBuf>,
    /// Several, while one is rotated.
    #[serde(default)]
    pub(super) app_secrets: Vec<String>,
    /// Answers the handshake.
    pub(super) verify_token: Option<String>,
    /// Or the file that holds it.
    pub(super) verify_token_file: Option<PathBuf>,
    /// Bearer token of the Graph API.
    pub(super) access_token: Option<String>,
    /// Or the file that holds it.
    pub(super) access_token_file: Option<PathBuf>,
    /// The same for SMS accounts.
    pub(super) auth_token: Option<String>,
    /// Or the file that holds it.
    pub(super) auth_token_file: Option<PathBuf>,
    /// Where sends go.
    pub(super) base_url: Option<String>,
    /// Graph API version.
    #[serde(default = "api_version")]
    pub(super) api_version: CompactString,
    /// What an SMS provider signs.
    pub(super) public_url: Option<String>,
    /// Messages per second.
    #[serde(default = "throughput")]
    pub(super) throughput_per_second: u32,
    /// What a message from an unknown sender creates.
    #[serde(default)]
    pub(super) unknown_sender: UnknownSenderFile,
}

/// What a message from an unknown sender creates.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct UnknownSenderFile {
    /// Kind of record.
    pub(super) create: RecordType,
    /// Its owner.
    pub(super) assign: Option<OwnerFile>,
}

/// An owner by name.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OwnerFile {
    /// E-mail.
    User(String),
    /// Name of a group.
    Group(CompactString),
    /// Name of a role.
    Role(CompactString),
}

/// A message template.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TemplateFile {
    /// Unique within the tenant and language.
    pub(super) name: CompactString,
    /// Who approves it.
    pub(super) kind: TemplateKind,
    /// Exact code.
    pub(super) language: CompactString,
    /// What sends are charged as; needed for approved ones.
    pub(super) category: Option<Category>,
    /// The record type it is for.
    #[serde(default)]
    pub(super) record_type: RecordType,
    /// The text.
    pub(super) body: String,
    /// Where it is in the provider's review; without it the template is submitted.
    pub(super) status: Option<TemplateStatus>,
    /// Sample values of its parameters.
    #[serde(default)]
    pub(super) examples: Vec<String>,
    /// Merge fields that fill parameters.
    #[serde(default)]
    pub(super) merge: BTreeMap<CompactString, CompactString>,
}

/// An application flow.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FlowFile {
    /// As candidates type it.
    pub(super) id: CompactString,
    /// Language of its texts; the tenant's when absent.
    pub(super) language: Option<CompactString>,
    /// The job.
    pub(super) vacancy: Option<Vacancy>,
    /// The questions.
    pub(super) steps: List<StepFile>,
    /// Said at the end.
    pub(super) completion: String,
    /// Silence before the reminder.
    #[serde(default = "reminder_after")]
    pub(super) reminder_after_seconds: u32,
    /// What the reminder says.
    pub(super) reminder: Option<String>,
}

/// One question.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepFile {
    /// Unique within the flow.
    pub(super) key: CompactString,
    /// The question.
    pub(super) ask: String,
    /// What counts as an answer.
    #[serde(rename = "type")]
    pub(super) kind: StepKind,
    /// Answers of a choice.
    #[serde(default)]
    pub(super) options: Vec<String>,
    /// May be skipped.
    #[serde(default)]
    pub(super) optional: bool,
    /// Said when an answer does not fit.
    pub(super) retry: Option<String>,
    /// Smallest.
    pub(super) min: Option<CompactString>,
    /// Largest.
    pub(super) max: Option<CompactString>,
    /// Answer → next step.
    #[serde(default)]
    pub(super) branches: BTreeMap<String, CompactString>,
}

/// A downstream address.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointFile {
    /// Where events go.
    pub(super) url: String,
    /// Event names; none for all.
    #[serde(default)]
    pub(super) events: Vec<CompactString>,
    /// `whsec_` and base64.
    pub(super) secret: Option<String>,
    /// Or the file that holds it.
    pub(super) secret_file: Option<PathBuf>,
}

/// Prices from a day on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RateCardFile {
    /// Unique.
    pub(super) name: CompactString,
    /// ISO 4217.
    pub(super) currency: CompactString,
    /// First day.
    pub(super) effective_from: Date,
    /// Prices by market.
    pub(super) rows: List<RateFile>,
}

/// Prices in one market.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RateFile {
    /// ISO country code or `*`.
    pub(super) market: CompactString,
    /// Price of marketing.
    pub(super) marketing: Decimal,
    /// Price of utility.
    pub(super) utility: Decimal,
    /// Price of authentication.
    pub(super) authentication: Decimal,
    /// Price of service.
    pub(super) service: Decimal,
}

fn english() -> CompactString {
    CompactString::const_new("en")
}

fn utc() -> CompactString {
    CompactString::const_new("UTC")
}

fn recruiter() -> CompactString {
    CompactString::const_new("recruiter")
}

/// The newest version whose support ends after the next two years (facts: Graph API versions).
fn api_version() -> CompactString {
    CompactString::const_new("v24.0")
}

/// WhatsApp's own limit of a number before it is upgraded.
const fn throughput() -> u32 {
    80
}

/// A day of silence: the window is about to close, and a reminder after it would cost a template.
const fn reminder_after() -> u32 {
    20 * 3_600
}

const fn yes() -> bool {
    true
}
