//! Files of messages: what they are, where their content is, and what still has to be done about them.

use async_trait::async_trait;
use compact_str::CompactString;
use protocol::api::file::Scan;
use protocol::content::MediaKind;
use protocol::id::{ContactId, FileId, MediaId, MessageId, NumberId, TenantId};
use protocol::time::TimestampMs;

use super::{MessageRecord, Page, PageRequest, RecordsResult};

/// A stored file: one per tenant and content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRecord {
    /// Hash of tenant and content.
    pub id: FileId,
    /// Whose.
    pub tenant: TenantId,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
    /// MIME type, by content.
    pub mime: CompactString,
    /// As what it may be sent; `None` if not at all.
    pub kind: Option<MediaKind>,
    /// Size.
    pub bytes: u64,
    /// Name of the content in the blob store.
    pub blob: CompactString,
    /// When it was stored.
    pub created_at: TimestampMs,
    /// What the virus scanner says.
    pub scan: Scan,
}

/// The file of a message, as far as we have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The file, once it is stored.
    pub file: Option<FileRecord>,
    /// It will be fetched (again) at this time.
    pub next_at: Option<TimestampMs>,
    /// Why it could not be fetched so far.
    pub error: Option<String>,
}

/// A file of a contact that has to be fetched from the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchTask {
    /// The message that brought it.
    pub message: MessageId,
    /// Whose.
    pub tenant: TenantId,
    /// The number that received it: its credentials are needed.
    pub number: NumberId,
    /// The provider's id.
    pub media: MediaId,
    /// Failed attempts so far.
    pub attempts: u32,
    /// When the message came.
    pub at: TimestampMs,
}

/// How an attempt to fetch ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// It is in the blob store.
    Stored(FileRecord),
    /// To be tried again.
    Again {
        /// When.
        at: TimestampMs,
        /// What went wrong.
        error: String,
    },
    /// It is lost; the message stays.
    Lost {
        /// Why.
        error: String,
    },
}

/// A file that the scanner has to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanTask {
    /// The file.
    pub file: FileRecord,
    /// Failed attempts so far.
    pub attempts: u32,
}

/// How an attempt to scan ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// The scanner, or its absence, has decided.
    Decided(Scan),
    /// To be tried again.
    Again(TimestampMs),
}

/// What became of the wish to remove a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is gone.
    Removed,
    /// A message has it: it goes with the contact.
    InUse,
    /// There is none.
    Unknown,
}

/// A file at the provider of a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The provider's id.
    pub media: MediaId,
    /// Since when.
    pub at: TimestampMs,
}

/// Files. Contents are in the blob store under names that are never used twice; here is which name counts. A name is
/// written down before its content ([`Self::reserve_blob`]), so that nothing stays behind that nobody knows of.
#[async_trait]
pub trait Files: Send + Sync + 'static {
    /// Writes a name down under which a content will be stored; unless a file takes it until then, it is removed.
    async fn reserve_blob(&self, blob: CompactString, until: TimestampMs) -> RecordsResult<()>;

    /// Adds a file whose content is stored. Answers the file that counts: one with the same content stays, and the
    /// new content is removed.
    async fn add_file(&self, file: FileRecord) -> RecordsResult<FileRecord>;

    /// One file.
    async fn file(&self, tenant: TenantId, id: FileId) -> RecordsResult<Option<FileRecord>>;

    /// Removes a file that no message has.
    async fn remove_file(&self, tenant: TenantId, id: FileId) -> RecordsResult<Removal>;

    /// Where a file is at the provider of a number.
    async fn upload(&self, file: FileId, number: NumberId) -> RecordsResult<Option<Upload>>;

    /// A file was uploaded to the provider of a number; `None`: the provider does not have it (any more).
    async fn set_upload(&self, file: FileId, number: NumberId, upload: Option<Upload>) -> RecordsResult<()>;

    /// The newest message of a contact that brought the file with a provider's id.
    async fn message_with(&self, tenant: TenantId, media: MediaId) -> RecordsResult<Option<MessageId>>;

    /// Files that are due to be fetched, earliest first, a few of each number.
    async fn fetches_due(&self, now: TimestampMs, limit: usize) -> RecordsResult<Vec<FetchTask>>;

    /// Records how an attempt ended. A message that was erased meanwhile gets no file.
    async fn finish_fetch(&self, message: MessageId, end: Fetched) -> RecordsResult<()>;

    /// Files that are due to be scanned, earliest first.
    async fn scans_due(&self, now: TimestampMs, limit: usize) -> RecordsResult<Vec<ScanTask>>;

    /// Records how an attempt ended.
    async fn finish_scan(&self, file: FileId, end: Scanned) -> RecordsResult<()>;

    /// Names of contents that no file has any more, or never had in time.
    async fn spare_blobs(&self, now: TimestampMs, limit: usize) -> RecordsResult<Vec<CompactString>>;

    /// These contents are removed.
    async fn forget_blobs(&self, blobs: Vec<CompactString>) -> RecordsResult<()>;

    /// Messages with files in all conversations with a contact, newest first.
    async fn attachments(
        &self,
        tenant: TenantId,
        contact: ContactId,
        page: PageRequest,
    ) -> RecordsResult<Page<MessageRecord>>;
}
