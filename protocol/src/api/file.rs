//! Files of messages.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::content::MediaKind;
use crate::id::FileId;
use crate::time::TimestampMs;

/// What the virus scanner says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scan {
    /// There was no scanner when it was stored.
    Unchecked,
    /// The scanner has not answered yet.
    Waiting,
    /// Nothing was found.
    Clean,
    /// Something was found: nobody gets it.
    Infected,
    /// The scanner did not answer for too long: nobody gets it.
    GivenUp,
}

impl Scan {
    /// Whether people and providers may have the file.
    #[must_use]
    pub const fn lets_through(self) -> bool {
        matches!(self, Self::Unchecked | Self::Clean)
    }
}

/// A stored file: one per tenant and content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileView {
    /// The same for the same content.
    pub id: FileId,
    /// As what it may be sent; null if not at all, such as a spreadsheet that a contact sent.
    pub kind: Option<MediaKind>,
    /// By its content, whatever its sender says.
    pub mime_type: String,
    /// Size.
    pub size_bytes: u64,
    /// SHA-256 of the content, in hexadecimal digits.
    pub sha256: String,
    /// Its content is given out, and sent, while this is `unchecked` or `clean`.
    pub scan: Scan,
    /// When it was stored.
    pub created_at: TimestampMs,
}

/// Whether we have the file of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentState {
    /// It is fetched from the provider, in a moment or again later.
    Waiting,
    /// It is here.
    Stored,
    /// It could not be fetched; only the message is left.
    Lost,
}

/// The file of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttachmentView {
    /// Whether we have it.
    pub state: AttachmentState,
    /// The file, once it is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<FileView>,
    /// When it is fetched again, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<TimestampMs>,
    /// Why it could not be fetched so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
