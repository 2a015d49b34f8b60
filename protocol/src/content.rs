//! What a message says, in either direction and on every channel.
//!
//! These types are stored (log, snapshots), so variants are only ever added at the end.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{FileId, MediaId, ProviderId};

/// Where messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// WhatsApp Cloud API.
    Whatsapp,
    /// Text messages.
    Sms,
    /// Our own web chat.
    Web,
}

/// The content of one message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Content {
    /// Plain text.
    Text {
        /// The text itself; up to 4,096 characters on WhatsApp.
        body: String,
    },
    /// An image, video, audio, document or sticker.
    Media(Media),
    /// A point on the map.
    Location {
        /// Degrees north, as the provider wrote the number.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        /// Name of the place.
        name: Option<String>,
        /// Postal address.
        address: Option<String>,
    },
    /// Contact cards, each as the provider's JSON.
    Contacts(Vec<RawJson>),
    /// A tap on a button or a list row that we sent.
    Choice {
        /// The id that we gave the option.
        id: CompactString,
        /// What the person saw.
        title: String,
    },
    /// A tap on a template's quick-reply button.
    Button {
        /// The payload that we gave the button.
        payload: String,
        /// What the person saw.
        text: String,
    },
    /// An emoji put on (or, when `None`, taken off) a message.
    Reaction {
        /// The message reacted to.
        message: ProviderId,
        /// The emoji; `None` removes the reaction.
        emoji: Option<CompactString>,
    },
    /// An approved template with its parameters filled in.
    Template(TemplateContent),
    /// A question with up to three buttons, or a list of up to ten rows.
    Interactive {
        /// The question.
        body: String,
        /// The possible answers; more than three are sent as a list.
        options: Vec<Choice>,
        /// Label of the button that opens a list.
        list_button: Option<String>,
    },
    /// The contact changed an earlier message.
    Edit {
        /// The message that was changed.
        original: ProviderId,
        /// What it says now.
        content: Box<Content>,
    },
    /// The contact took an earlier message back.
    Revoke {
        /// The message that was taken back.
        original: ProviderId,
    },
    /// An answer to a request for permission to call.
    CallPermission {
        /// Whether the contact accepted.
        accepted: bool,
    },
    /// A form filled in inside WhatsApp; the answers are a JSON text.
    Form {
        /// Name of the form, such as `flow`.
        name: CompactString,
        /// The answers as the provider sent them.
        response_json: String,
    },
    /// An order from a catalogue, as the provider's JSON.
    Order(RawJson),
    /// A message that the provider could not represent.
    Unsupported {
        /// The kind that the provider names, such as `poll_creation`.
        kind: Option<CompactString>,
        /// What the provider says about it.
        errors: Vec<ProviderError>,
    },
    /// A type that this version does not know: kept as it came.
    Unknown {
        /// The provider's name for the type.
        kind: CompactString,
        /// The message as the provider sent it.
        raw: RawJson,
    },
    /// Nothing any more: the contact was erased.
    Erased,
}

impl Content {
    /// What a person typed or tapped, where the content has such text: the input of commands and flows.
    #[must_use]
    pub fn typed_text(&self) -> Option<&str> {
        match self {
            Self::Text { body } => Some(body),
            Self::Choice { title, .. } => Some(title),
            Self::Button { text, .. } => Some(text),
            Self::Media(media) => media.caption.as_deref(),
            _ => None,
        }
    }

    /// Stable name of the kind, for the API and metrics.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Media(media) => media.kind.name(),
            Self::Location { .. } => "location",
            Self::Contacts(_) => "contacts",
            Self::Choice { .. } => "choice",
            Self::Button { .. } => "button",
            Self::Reaction { .. } => "reaction",
            Self::Template(_) => "template",
            Self::Interactive { .. } => "interactive",
            Self::Edit { .. } => "edit",
            Self::Revoke { .. } => "revoke",
            Self::CallPermission { .. } => "call_permission",
            Self::Form { .. } => "form",
            Self::Order(_) => "order",
            Self::Unsupported { .. } => "unsupported",
            Self::Unknown { .. } => "unknown",
            Self::Erased => "erased",
        }
    }
}

/// JSON text kept as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawJson(pub String);

/// One answer that a contact can choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Comes back with the answer; at most 256 characters.
    pub id: CompactString,
    /// What the person sees; at most 20 characters on a button, 24 in a list.
    pub title: String,
}

/// A file in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// What kind of file.
    pub kind: MediaKind,
    /// Where it is.
    pub source: MediaSource,
    /// MIME type as the sender declared it.
    pub mime_type: Option<CompactString>,
    /// Base64 SHA-256 of the file as the provider declares it.
    pub sha256: Option<CompactString>,
    /// Name of a document.
    pub filename: Option<String>,
    /// Text under the file.
    pub caption: Option<String>,
    /// A recorded voice note rather than an audio file.
    pub voice: bool,
}

/// Kinds of files that messages carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// JPEG or PNG.
    Image,
    /// MP4 or 3GP.
    Video,
    /// A voice note or an audio file.
    Audio,
    /// Any other file, such as a CV.
    Document,
    /// A WebP sticker.
    Sticker,
}

impl MediaKind {
    /// The provider's name of the kind, which is also ours.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }
}

/// Where a file is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MediaSource {
    /// At the provider under an id: 7 days for inbound ids, 30 days for uploads.
    Provider(MediaId),
    /// At a public address that the provider fetches.
    Link(String),
    /// Here; it is given to the provider before the message is sent.
    File(FileId),
}

/// A filled-in approved template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateContent {
    /// Name at the provider.
    pub name: CompactString,
    /// Exact language code, such as `pt_BR`; the provider does not fall back.
    pub language: CompactString,
    /// Category at the time of sending: the price follows it.
    pub category: Category,
    /// Values in order of appearance.
    pub parameters: Vec<Parameter>,
    /// The text that results, for people who read the history.
    pub rendered: String,
}

/// One value in a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Name of a named parameter; `None` when the template counts its parameters.
    pub name: Option<CompactString>,
    /// The value.
    pub text: String,
}

/// What a message is charged as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Promotion.
    Marketing,
    /// Follows a person's own action, such as an appointment.
    Utility,
    /// One-time codes.
    Authentication,
    /// Free-form within the window.
    Service,
}

impl Category {
    /// The provider's name of the category, which is also ours.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::Utility => "utility",
            Self::Authentication => "authentication",
            Self::Service => "service",
        }
    }
}

/// An error as a provider reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderError {
    /// The number to decide by.
    pub code: i64,
    /// Short text.
    pub title: String,
    /// Longer explanation, if any.
    pub detail: Option<String>,
}

/// The advertisement or post that brought a person to the chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// `ad` or `post`.
    pub source_type: CompactString,
    /// Id of the advertisement.
    pub source_id: Option<CompactString>,
    /// Its address.
    pub source_url: Option<String>,
    /// Its headline.
    pub headline: Option<String>,
    /// Click id for attribution.
    pub ctwa_clid: Option<String>,
}
