//! What the simulated provider knows and how it behaves. Every part has a default; a YAML file may give any of them.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::behaviour::Behaviour;
use super::faults::Fault;

/// Everything that a simulator starts with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Where it listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Makes ids and chances repeatable; drawn at start when absent.
    pub seed: Option<u64>,
    /// Unix milliseconds of a clock that only moves when it is told to; the real one when absent.
    pub frozen_at_ms: Option<i64>,
    /// Its business accounts.
    pub accounts: Vec<Account>,
    /// People that it knows by more than their number; anybody else exists as soon as somebody writes.
    pub contacts: Vec<Contact>,
    /// Its manners.
    pub behaviour: Behaviour,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            seed: None,
            frozen_at_ms: None,
            accounts: vec![Account::default()],
            contacts: Vec::new(),
            behaviour: Behaviour::default(),
            faults: Vec::new(),
        }
    }
}

/// One WhatsApp Business Account with the app that is subscribed to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    /// Its id.
    pub waba_id: String,
    /// Signs its webhooks.
    pub app_secret: Secret,
    /// Bearer token of the Graph API.
    pub access_token: Secret,
    /// Where its webhooks go, in turn when there are several; none are sent without one.
    pub callback_urls: Vec<String>,
    /// Version of the webhook subscription: below 24 every status carries a `conversation`.
    pub webhook_version: u32,
    /// Its business numbers.
    pub numbers: Vec<Number>,
    /// Its approved and other templates.
    pub templates: Vec<Template>,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            waba_id: "102290129340398".into(),
            app_secret: Secret("simulator-app-secret".into()),
            access_token: Secret("simulator-access-token".into()),
            callback_urls: Vec::new(),
            webhook_version: 24,
            numbers: vec![Number::default()],
            templates: Vec::new(),
        }
    }
}

/// A business number.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Number {
    /// Its id.
    pub phone_number_id: String,
    /// Bare digits.
    pub display_phone_number: String,
    /// Messages per second, inbound and outbound together.
    pub throughput_per_second: u32,
}

impl Default for Number {
    fn default() -> Self {
        Self {
            phone_number_id: "106540352242922".into(),
            display_phone_number: "15550783881".into(),
            throughput_per_second: 80,
        }
    }
}

/// A template as the provider keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Template {
    /// `^[a-z0-9_]+$`, unique with its language.
    pub name: String,
    /// Exact code such as `it` or `en_US`.
    pub language: String,
    /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
    pub category: String,
    /// `APPROVED`, `PENDING`, `REJECTED`, `PAUSED`, `DISABLED` …
    pub status: String,
    /// `POSITIONAL` or `NAMED`.
    pub parameter_format: String,
    /// Header, body, footer, buttons as they were submitted.
    pub components: Vec<Value>,
}

impl Default for Template {
    fn default() -> Self {
        Self {
            name: String::new(),
            language: "en_US".into(),
            category: "UTILITY".into(),
            status: "APPROVED".into(),
            parameter_format: "POSITIONAL".into(),
            components: Vec::new(),
        }
    }
}

impl Template {
    /// An approved utility template that only has a body.
    #[must_use]
    pub fn approved(name: &str, language: &str, body: &str) -> Self {
        Self {
            name: name.into(),
            language: language.into(),
            components: vec![serde_json::json!({ "type": "BODY", "text": body })],
            ..Self::default()
        }
    }
}

/// A person on the other side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Contact {
    /// Phone number in any spelling; only its digits count.
    pub phone: String,
    /// Name in the contact's own profile.
    pub name: Option<String>,
    /// Business-scoped user id; derived from the phone number when absent.
    pub user_id: Option<String>,
    /// A contact with a username may be met without its phone number ([`Behaviour::hide_phones`]).
    pub username: Option<String>,
    /// The number as the provider writes it, when that differs from what callers use (Brazil, Mexico).
    pub wa_id: Option<String>,
}

/// A text that never shows in logs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
