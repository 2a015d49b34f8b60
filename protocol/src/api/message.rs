//! Messages: what is asked for, and what is shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::file::AttachmentView;
use crate::content::{Category, Channel};
use crate::fact::MessageStatus;
use crate::id::{ContactId, ConversationId, FileId, MessageId, NumberId};
use crate::time::TimestampMs;

/// A message to send, with its address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendRequest {
    /// The sending number; may be left out when the tenant has one number of the channel.
    #[serde(default)]
    pub number_id: Option<NumberId>,
    /// The channel; may be left out when `number_id` is given.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// The recipient's phone number with its country code, such as `+393331234567`.
    #[serde(default)]
    pub to: Option<String>,
    /// The recipient as a known contact, instead of `to`.
    #[serde(default)]
    pub contact_id: Option<ContactId>,
    /// Which of the objects below says what to send.
    #[serde(rename = "type")]
    pub kind: SendKind,
    /// For `type: text`.
    #[serde(default)]
    pub text: Option<TextBody>,
    /// For `type: template`.
    #[serde(default)]
    pub template: Option<TemplateBody>,
    /// For `type: media`.
    #[serde(default)]
    pub media: Option<MediaBody>,
    /// For `type: media`, instead of `media`: up to five files. Each is a message of its own on WhatsApp, in this order.
    #[serde(default)]
    #[schema(max_items = 5)]
    pub attachments: Vec<MediaBody>,
    /// For `type: interactive`.
    #[serde(default)]
    pub interactive: Option<InteractiveBody>,
    /// For `type: reaction`.
    #[serde(default)]
    pub reaction: Option<ReactionBody>,
    /// The message of the contact that this one answers.
    #[serde(default)]
    pub reply_to: Option<MessageId>,
    /// For `type: text`: when the window is closed, the text is not refused but sent as an approved template with the
    /// same wording, or submitted for approval and sent once it is approved.
    #[serde(default)]
    pub approval: Option<ApprovalBody>,
}

/// How a text is submitted for approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalBody {
    /// `utility` when left out, or `marketing`.
    #[serde(default)]
    pub category: Option<Category>,
    /// The exact language code of the text; the tenant's language when left out.
    #[serde(default)]
    pub language: Option<String>,
    /// The message is given up when it is not approved within so many seconds; a day when left out, at most seven.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 604800)]
    pub within_seconds: Option<u32>,
}

/// What can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SendKind {
    /// Free-form text.
    Text,
    /// A template.
    Template,
    /// A file.
    Media,
    /// A question with answers to tap.
    Interactive,
    /// An emoji on a message of the contact.
    Reaction,
}

/// Text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TextBody {
    /// 1 to 4,096 characters.
    pub body: String,
}

/// A template with values for its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateBody {
    /// Its name.
    pub name: String,
    /// Its exact language code.
    pub language: String,
    /// Values in order, or named ones.
    #[serde(default)]
    pub parameters: Vec<ParameterBody>,
    /// Instead of `parameters`: values of merge fields by name, such as `{"candidate.first_name": "Anna"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<BTreeMap<String, String>>,
}

/// One value: a text, or a name with a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ParameterBody {
    /// By position.
    Positional(String),
    /// By name.
    Named {
        /// The parameter's name.
        name: String,
        /// Its value.
        text: String,
    },
}

/// A file: one that was uploaded here, or by public address, or by the provider's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MediaBody {
    /// `image`, `video`, `audio`, `document` or `sticker`; may be left out with `file_id`, whose content decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<crate::content::MediaKind>,
    /// A file that was uploaded with `POST /v1/files`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_id: Option<FileId>,
    /// An `https` address that the provider can fetch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The provider's id of an uploaded file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_media_id: Option<String>,
    /// Text under an image, video or document; at most 1,024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Name of a document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// MIME type, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
}

/// A question with answers to tap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InteractiveBody {
    /// The question; at most 1,024 characters.
    pub body: String,
    /// Up to 3 answers become buttons (20 characters each), up to 10 a list (24 characters each).
    pub options: Vec<OptionBody>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionBody {
    /// Comes back with the answer; at most 256 characters.
    pub id: String,
    /// What the person sees.
    pub title: String,
}

/// An emoji on a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReactionBody {
    /// A message of the contact.
    pub message_id: MessageId,
    /// The emoji; `null` takes it off.
    pub emoji: Option<String>,
}

/// The answer to a send: the message is durable and will be tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Queued {
    /// The message.
    pub id: MessageId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// `queued`, or `awaiting_approval`.
    pub status: MessageStatus,
    /// The messages of further `attachments`, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<MessageId>,
}

/// A message as shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MessageView {
    /// Ours.
    pub id: MessageId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// From the contact or to the contact.
    pub direction: Direction,
    /// Who wrote it.
    pub sender: Sender,
    /// `text`, `image`, `template`, `interactive`, `location` …
    #[serde(rename = "type")]
    pub kind: String,
    /// The text, where there is one; for templates with the parameters filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<TextBody>,
    /// The template that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateBody>,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaBody>,
    /// Whether we have the file, and what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachment: Option<AttachmentView>,
    /// Everything else that the message says, by its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub content: Option<serde_json::Value>,
    /// Provider's time of an inbound message; ours of an outbound one.
    pub at: TimestampMs,
    /// `received` for inbound ones.
    pub status: String,
    /// The provider's id, once known.
    pub provider_id: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorView>,
    /// Every attempt to send it that ended without success.
    #[serde(default)]
    pub attempts: Vec<AttemptView>,
}

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the contact.
    Inbound,
    /// To the contact.
    Outbound,
}

/// Who wrote a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sender {
    /// `contact`, `user`, `bot`, `automation` or `service`.
    pub kind: String,
    /// The user's or the key's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// An error of the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorView {
    /// The provider's code.
    pub code: i64,
    /// Its title.
    pub title: String,
    /// Its explanation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// One finished attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttemptView {
    /// When it ended.
    pub at: TimestampMs,
    /// The provider's code, if it refused.
    pub code: Option<i64>,
    /// For people.
    pub detail: String,
}
