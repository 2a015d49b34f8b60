//! What tenants configure, as shown and as asked for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::command::{Owner, Vacancy};
use crate::content::Channel;
use crate::id::{EndpointId, GroupId, KeyId, NumberId, TenantId, UserId};
use crate::limits::{NAME_CHARS, PERSON_NAME_CHARS, ROLE_CHARS};
use crate::text::{Email, Line, Link};
use crate::time::TimestampMs;

/// A business number. Credentials are never shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NumberView {
    /// Its id.
    pub id: NumberId,
    /// What people call it.
    pub nickname: String,
    /// Its channel.
    pub channel: Channel,
    /// The number itself.
    pub phone: String,
    /// Disabled numbers receive but do not send.
    pub enabled: bool,
    /// A number that was added a moment ago is told first who opted out or was blocked; it sends nothing before that.
    pub ready: bool,
    /// What it would send is held back.
    pub paused: bool,
    /// Messages per second, in and out together.
    pub throughput_per_second: u32,
    /// Who gets conversations with unknown senders.
    pub assign_unknown_to: Option<Owner>,
}

/// The tenant as its own keys see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TenantView {
    /// Its id.
    pub id: TenantId,
    /// Unique.
    pub name: String,
    /// Language of automatic texts.
    pub language: String,
    /// IANA time zone.
    pub time_zone: String,
    /// What it would send is held back.
    pub paused: bool,
}

/// Body of `PATCH /v1/numbers/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeNumber {
    /// What people call it.
    #[serde(default)]
    #[schema(value_type = Option<Line<{ NAME_CHARS }>>)]
    pub nickname: Option<String>,
    /// Disabled numbers receive but do not send.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// A flow as shown and as asked for. Shape of the apply file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowBody {
    /// As candidates type it, such as `TEST0001`.
    pub id: String,
    /// Language of its texts.
    pub language: String,
    /// The job that it applies for.
    #[serde(default)]
    pub vacancy: Option<Vacancy>,
    /// The questions.
    pub steps: Vec<crate::directory::Step>,
    /// What the person reads at the end.
    pub completion: String,
    /// Seconds of silence until one reminder; 0 switches it off. Default: one hour.
    #[serde(default = "FlowBody::default_reminder_after_seconds")]
    pub reminder_after_seconds: u32,
    /// What the reminder says.
    #[serde(default)]
    pub reminder: Option<String>,
    /// Counts up with every change; ignored when given.
    #[serde(default)]
    pub version: u32,
}

impl FlowBody {
    fn default_reminder_after_seconds() -> u32 {
        3_600
    }
}

/// A person who works for the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserView {
    /// Its id.
    pub id: UserId,
    /// For people.
    pub name: String,
    /// Unique within the tenant.
    pub email: String,
    /// `recruiter`, `admin` …
    pub role: String,
}

/// Body of `POST /v1/users` and `PUT /v1/users/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserBody {
    /// For people.
    #[schema(value_type = Line<{ PERSON_NAME_CHARS }>)]
    pub name: String,
    /// Unique within the tenant; cannot be changed.
    #[schema(value_type = Email)]
    pub email: String,
    /// `recruiter`, `admin` …
    #[schema(value_type = Line<{ ROLE_CHARS }>)]
    pub role: String,
}

/// Several users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupView {
    /// Its id.
    pub id: GroupId,
    /// Unique within the tenant.
    pub name: String,
    /// Its members.
    pub members: Vec<UserId>,
}

/// Body of `POST /v1/groups` and `PUT /v1/groups/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupBody {
    /// Unique within the tenant; cannot be changed.
    #[schema(value_type = Line<{ NAME_CHARS }>)]
    pub name: String,
    /// Its members.
    #[schema(max_items = 1000)]
    pub members: Vec<UserId>,
}

/// An API key as shown. Its secret is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyView {
    /// Its id.
    pub id: KeyId,
    /// For people.
    pub name: String,
    /// First characters of the secret.
    pub hint: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The person that it acts for.
    pub user: Option<UserId>,
    /// Not accepted after this.
    pub expires_at: Option<TimestampMs>,
}

/// Body of `POST /v1/keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// For people; unique within the tenant.
    #[schema(value_type = Line<{ NAME_CHARS }>)]
    pub name: String,
    /// What it may do: `*`, or names such as `messages:write`.
    #[schema(min_items = 1)]
    pub scopes: Vec<String>,
    /// The person that it acts for.
    #[serde(default)]
    pub user: Option<UserId>,
    /// Not accepted after this.
    #[serde(default)]
    pub expires_at: Option<TimestampMs>,
}

/// Answer to `POST /v1/keys`: the only time the secret is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedKey {
    /// The key.
    #[serde(flatten)]
    pub key: KeyView,
    /// Goes into `Authorization: Bearer …`.
    pub secret: String,
}

/// A downstream address as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EndpointView {
    /// Its id.
    pub id: EndpointId,
    /// Where events go.
    pub url: String,
    /// Names of events, or none for all.
    pub events: Vec<String>,
    /// Switched off by a person, or by an answer 410.
    pub enabled: bool,
    /// Signs what is sent (Standard Webhooks); shown when the endpoint is created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Body of `POST /v1/webhook-endpoints` and `PUT /v1/webhook-endpoints/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointBody {
    /// An `http` or `https` address.
    #[schema(value_type = Link)]
    pub url: String,
    /// Names of events, or none for all.
    #[serde(default)]
    pub events: Vec<String>,
    /// Whether events are sent.
    #[serde(default = "enabled")]
    pub enabled: bool,
}

fn enabled() -> bool {
    true
}
