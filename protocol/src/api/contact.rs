//! Contacts as shown.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::command::{Consent, ConsentSource};
use crate::content::Channel;
use crate::id::ContactId;
use crate::time::TimestampMs;

/// A person that the tenant talks with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactView {
    /// Its id.
    pub id: ContactId,
    /// Phone number, when known.
    pub phone: Option<String>,
    /// The provider's id of a person whose number is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bsuid: Option<String>,
    /// The name that the person gave to the provider.
    pub name: Option<String>,
    /// Public user name at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Consent on the channel of the conversation (in lists of contacts: on WhatsApp).
    pub consent: Consent,
}

/// Body of `PUT /v1/contacts/{id}/consent`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetConsent {
    /// The channel that it holds for.
    pub channel: Channel,
    /// From now on.
    pub consent: Consent,
    /// The words that were used, for the audit.
    #[serde(default)]
    pub text: Option<String>,
}

/// A consent with its history entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsentView {
    /// The channel.
    pub channel: Channel,
    /// From `at` on.
    pub consent: Consent,
    /// How it was given.
    pub source: ConsentSource,
    /// The words that were used.
    pub text: Option<String>,
    /// When.
    pub at: TimestampMs,
}
