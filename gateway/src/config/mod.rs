//! Settings of the process: built-in defaults < file < environment < flags, each value with its origin.
//!
//! `config.default.toml` is the reference: it holds every key, so it also decides which keys exist.

mod check;
mod layers;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use protocol::time::SpanMs;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

pub use layers::{Loaded, Origin, Overrides, Sources, load};

/// The commented default file, as `gateway config default` prints it.
pub const DEFAULT_FILE: &str = include_str!("../../config.default.toml");

/// Everything that can be set. Units and ranges stand in `config.default.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Folder of the embedded stores.
    pub data: PathBuf,
    /// This node.
    pub node: NodeSettings,
    /// Listener for providers and callers.
    pub public: PublicSettings,
    /// Listener for operators.
    pub operator: OperatorSettings,
    /// Where conversations live.
    pub store: StoreSettings,
    /// Where inbox, history and ledger live.
    pub records: RecordsSettings,
    /// Intake.
    pub webhooks: WebhookSettings,
    /// Actors in memory.
    pub conversations: ConversationSettings,
    /// Sends to providers.
    pub outbound: OutboundSettings,
    /// Files of messages.
    pub files: FilesSettings,
    /// Events to downstream addresses.
    pub endpoints: EndpointsSettings,
    /// E-mails to users who are away.
    pub mail: MailSettings,
    /// Push messages to browsers of users who are away.
    pub push: PushSettings,
    /// Log lines.
    pub log: LogSettings,
    /// Spans.
    pub tracing: TracingSettings,
    /// The way out.
    pub shutdown: ShutdownSettings,
}

/// See `[node]` in the default file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSettings {
    /// Name of the node; empty when it is drawn at start.
    pub id: String,
    /// Whether shards fall to it.
    pub owns_shards: bool,
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = |_| D::Error::custom("must be an IP address and a port, such as 127.0.0.1:8080 or [::]:8080");
    text.parse().map_err(wrong)
}

/// See `[public]` in the default file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicSettings {
    /// Where to listen.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// Address as the outside sees it; empty for the listener's own.
    pub url: String,
    /// Threads; 0 for one per core.
    pub workers: usize,
}

/// See `[operator]` in the default file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorSettings {
    /// Where to listen.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
}

/// See `[store]` in the default file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreSettings {
    /// Empty for the embedded store; otherwise Redis, several addresses with commas between them.
    pub url: String,
    /// Replicas of Redis that must have a write before it is answered.
    pub replicas: u8,
    /// What an answered webhook survives.
    pub durability: Durability,
    /// Shards of a new store.
    pub shards: u16,
    /// Intake stops while more waits to be applied.
    pub backlog_max_bytes: u64,
    /// Intake stops while the disk has less room.
    pub disk_free_min_bytes: u64,
}

/// What an answered webhook survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Power loss: the journal is synced before the answer.
    Fsync,
    /// The end of the process, but the last second only if the host stays up.
    Everysec,
}

/// See `[records]` in the default file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordsSettings {
    /// Empty for SQLite under `data`; otherwise PostgreSQL.
    pub url: String,
}

/// See `[webhooks]` in the default file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Larger bodies are refused.
    pub max_body_bytes: usize,
    /// Said with 503.
    pub retry_after_seconds: u32,
}

/// See `[conversations]` in the default file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConversationSettings {
    /// Idle actors leave memory after this.
    pub idle_seconds: u64,
    /// Actors in memory at most.
    pub max_live: usize,
}

/// See `[outbound]` in the default file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboundSettings {
    /// Time for a connection.
    pub connect_timeout_ms: u64,
    /// Time for an answer.
    pub request_timeout_ms: u64,
}

/// See `[files]` in the default file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilesSettings {
    /// Empty for a folder under `data`; otherwise `file:///…` or `s3://…`.
    pub url: String,
    /// Larger ones are refused.
    pub max_bytes: u64,
    /// Address of a server other than Amazon's.
    pub s3_endpoint: String,
    /// Region of the bucket.
    pub s3_region: String,
    /// Key of the bucket; empty for the credentials of the machine.
    pub s3_access_key_id: String,
    /// Its secret.
    pub s3_secret_access_key: String,
    /// The virus scanner; empty for none.
    pub scan_url: String,
    /// Time for one file.
    pub scan_timeout_ms: u64,
}

/// See `[endpoints]` in the default file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointsSettings {
    /// Whether they may be inside.
    pub private_addresses: PrivateAddresses,
    /// Time for one attempt.
    pub timeout_ms: u64,
}

/// Whether events may be pushed to private, loopback and link-local addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrivateAddresses {
    /// As long as the public listener is on a loopback address.
    Auto,
    /// Yes.
    Allow,
    /// No.
    Deny,
}

/// See `[mail]` in the default file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSettings {
    /// The server; empty for none.
    pub url: String,
    /// The sender.
    pub from: String,
    /// Where people look; empty for the public address.
    pub link: String,
    /// What stays unread for so long is told.
    pub after_seconds: u32,
    /// Mails that leave at most.
    pub max_per_minute: NonZeroU32,
}

/// See `[push]` in the default file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushSettings {
    /// Signs; empty for no push messages.
    pub private_key: String,
    /// Whom a push service may ask.
    pub subject: String,
    /// What stays unread for so long is told.
    pub after_seconds: u32,
}

/// See `[log]` in the default file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// Form of a line.
    pub format: LogFormat,
    /// Filter directives.
    pub level: String,
}

/// Form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// For collectors.
    Json,
}

/// See `[tracing]` in the default file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TracingSettings {
    /// OTLP/HTTP collector; empty switches spans off.
    pub otlp_endpoint: String,
    /// Part of the traces that is kept.
    pub sample_ratio: f64,
}

/// See `[shutdown]` in the default file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShutdownSettings {
    /// Time to finish.
    pub drain_seconds: u64,
}

/// What the settings say about e-mails; `None` where no server is named.
pub(crate) fn mail_settings(settings: &Settings) -> Option<runtime::consumers::MailSettings> {
    let mail = &settings.mail;
    (!mail.url.is_empty()).then(|| runtime::consumers::MailSettings {
        url: mail.url.clone(),
        from: mail.from.clone(),
        max_per_minute: mail.max_per_minute,
        after: SpanMs::seconds(mail.after_seconds.into()),
    })
}

/// What the settings say about push messages; `None` where no key is given.
pub(crate) fn push_settings(settings: &Settings) -> Option<runtime::consumers::PushSettings> {
    let push = &settings.push;
    (!push.private_key.is_empty()).then(|| runtime::consumers::PushSettings {
        private_key: push.private_key.clone(),
        subject: push.subject.clone(),
        after: SpanMs::seconds(push.after_seconds.into()),
    })
}

/// Why the settings cannot be used: every problem at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration has {} problem(s):{}", .0.len(), .0.iter().map(|problem| format!("\n  {problem}")).collect::<String>())]
pub struct ConfigError(pub Vec<Problem>);

/// One thing that is wrong, where it comes from and how to cure it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {detail}{}", .origin.as_ref().map(|origin| format!(" (from {origin})")).unwrap_or_default())]
pub struct Problem {
    /// The key, such as `webhooks.max_body_bytes`.
    pub key: String,
    /// What is wrong and what would be right.
    pub detail: String,
    /// Where the value came from.
    pub origin: Option<Origin>,
}

#[cfg(test)]
mod tests;
