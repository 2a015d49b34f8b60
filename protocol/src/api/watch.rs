//! Following what happens: the event feed, notifications, explanations, dead letters, audit.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::conversation::ConversationView;
use super::event;
use crate::fact::Event;
use crate::id::{ConversationId, DeadLetterId, DeviceId, EventId, MessageId, NotificationId};
use crate::time::TimestampMs;

/// One event of a tenant, in order. Delivered at least once; `id` is stable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventView {
    /// Stable.
    pub id: EventId,
    /// Place in the tenant's feed; give the last one back as `after`.
    pub sequence: u64,
    /// Name, such as `message.received`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it was applied.
    pub at: TimestampMs,
    /// The conversation, if it concerns one.
    pub conversation_id: Option<ConversationId>,
    /// The details, by name.
    #[schema(value_type = Object)]
    pub data: Value,
}

/// Something that a person should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotificationView {
    /// Durable: `Last-Event-ID` of the stream.
    pub sequence: u64,
    /// Its id.
    pub id: NotificationId,
    /// `new_message`, `window_closing_soon` …
    pub kind: String,
    /// When.
    pub at: TimestampMs,
    /// The conversation, if it is about one: answer with `POST /v1/conversations/{id}/messages`.
    pub conversation_id: Option<ConversationId>,
    /// The message, if it is about one.
    pub message_id: Option<MessageId>,
    /// Somebody has seen it.
    pub read: bool,
}

/// Body of `POST /v1/notifications/devices`: a browser's `PushSubscription` as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceBody {
    /// Where push messages go.
    #[schema(max_length = 1000)]
    pub endpoint: String,
    /// Not used: a subscription that ended is told by its push service.
    #[serde(default, rename = "expirationTime")]
    pub expiration_time: Option<f64>,
    /// What messages are sealed with.
    pub keys: DeviceKeys,
}

/// What push messages to a browser are sealed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceKeys {
    /// The browser's public key, base64url.
    pub p256dh: String,
    /// What authenticates messages to it, base64url.
    pub auth: String,
}

/// The browsers of a user that take push messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceList {
    /// `applicationServerKey` of new subscriptions; `null` when no push messages are sent here.
    pub public_key: Option<String>,
    /// Oldest first; at most ten.
    pub data: Vec<DeviceView>,
}

/// A browser that takes push messages. Its address and keys are never shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceView {
    /// Its id.
    pub id: DeviceId,
    /// Host of its push service.
    pub service: String,
    /// Since when.
    pub created_at: TimestampMs,
    /// What went wrong last, if the newest message has not arrived.
    pub last_error: Option<String>,
}

/// Why something is as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// What was asked about.
    pub subject: String,
    /// The answer in words, most important first.
    pub reasons: Vec<String>,
    /// The committed state, for a conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub state: Option<Value>,
    /// What happened, oldest first.
    pub log: Vec<EventView>,
}

/// A conversation as it is kept, and as its events make it from nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReplayView {
    /// Both are the same, and so are all messages.
    pub equal: bool,
    /// Events that were replayed.
    pub events: u64,
    /// Messages that they make.
    pub messages: u64,
    /// As it is kept.
    pub stored: ConversationView,
    /// As the events make it; absent when none of them begins it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replayed: Option<ConversationView>,
    /// Where the two differ, as JSON pointers.
    pub differences: Vec<String>,
    /// Messages that are kept otherwise than the events make them.
    pub differing_messages: Vec<MessageId>,
}

/// An input that could not be applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetterView {
    /// Its id.
    pub id: DeadLetterId,
    /// The shard that it stood on.
    pub shard: u16,
    /// When it was set aside.
    pub at: TimestampMs,
    /// What went wrong.
    pub reason: String,
    /// The conversation, where it can be read.
    pub conversation_id: Option<ConversationId>,
}

/// Who did what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditView {
    /// When.
    pub at: TimestampMs,
    /// `contact`, `user:usr_…`, `service:key_…`, `bot`, `gateway`.
    pub by: String,
    /// What, such as `conversation.mode_changed`.
    pub action: String,
    /// About whom or what.
    pub subject: String,
    /// The details.
    #[schema(value_type = Object)]
    pub data: Value,
}

impl EventView {
    /// An event as callers see it: the fact's name becomes `type`, its details become `data`.
    #[must_use]
    pub fn new(sequence: u64, event: &Event) -> Self {
        Self {
            id: event.id,
            sequence,
            kind: event.fact.name().to_owned(),
            at: event.at,
            conversation_id: event.conversation,
            data: event::data(&event.fact),
        }
    }
}
