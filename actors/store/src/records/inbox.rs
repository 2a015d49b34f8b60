//! Conversations as the inbox shows them, and their messages.

use async_trait::async_trait;
use compact_str::CompactString;
use protocol::command::{Mode, Owner, Party, Vacancy};
use protocol::content::{Category, Channel, Content, ProviderError};
use protocol::fact::MessageStatus;
use protocol::id::{ConversationId, FlowId, MessageId, NumberId, ProviderId, TenantId};
use protocol::outbound::Attempt;
use protocol::pricing::ProviderPricing;
use protocol::time::TimestampMs;
use serde::{Deserialize, Serialize};

use super::{Attachment, ContactRecord, Filter, Order, Page, PageRequest, RecordsResult};

/// One row of the inbox, with the contact, or with as much of the contact as is needed.
#[derive(Clone, Debug, PartialEq)]
pub struct ConversationRecord<C = ContactRecord> {
    /// Id.
    pub id: ConversationId,
    /// Whose.
    pub tenant: TenantId,
    /// The business number.
    pub number: NumberId,
    /// Its channel.
    pub channel: Channel,
    /// The other side.
    pub contact: C,
    /// Bot or people.
    pub mode: Mode,
    /// Whom it belongs to.
    pub owner: Option<Owner>,
    /// The job opening that it is about.
    pub vacancy: Option<Vacancy>,
    /// The application that is under way.
    pub flow: Option<FlowPlace>,
    /// When the contact last opened or prolonged the window.
    pub window_opened_at: Option<TimestampMs>,
    /// When the window closes or closed; `None` if it never opened.
    pub window_expires_at: Option<TimestampMs>,
    /// Messages for people that nobody has read.
    pub unread: u32,
    /// When the oldest message for people came that nobody has answered.
    pub unanswered_since: Option<TimestampMs>,
    /// The newest message, in either direction.
    pub last_message: Option<Preview>,
    /// When the contact last wrote.
    pub last_inbound_at: Option<TimestampMs>,
    /// When the tenant's side last wrote.
    pub last_outbound_at: Option<TimestampMs>,
    /// Who that was.
    pub last_outbound_by: Option<Party>,
    /// When a person or a service of the tenant last wrote.
    pub last_reply_at: Option<TimestampMs>,
    /// The contact is blocked.
    pub blocked: bool,
    /// The tenant left the chat.
    pub left: bool,
    /// Sending is held back.
    pub paused: bool,
    /// When it began.
    pub created_at: TimestampMs,
}

impl<C> ConversationRecord<C> {
    /// The same row with another word for the contact, field by field: the rest of a struct cannot be taken from one of
    /// another type.
    pub(super) fn with_contact<D>(self, contact: D) -> ConversationRecord<D> {
        let Self {
            id,
            tenant,
            number,
            channel,
            mode,
            owner,
            vacancy,
            flow,
            window_opened_at,
            window_expires_at,
            unread,
            unanswered_since,
            last_message,
            last_inbound_at,
            last_outbound_at,
            last_outbound_by,
            last_reply_at,
            blocked,
            left,
            paused,
            created_at,
            contact: _,
        } = self;
        ConversationRecord {
            id,
            tenant,
            number,
            channel,
            mode,
            owner,
            vacancy,
            flow,
            window_opened_at,
            window_expires_at,
            unread,
            unanswered_since,
            last_message,
            last_inbound_at,
            last_outbound_at,
            last_outbound_by,
            last_reply_at,
            blocked,
            left,
            paused,
            created_at,
            contact,
        }
    }
}

/// Where an application stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowPlace {
    /// The flow.
    pub id: FlowId,
    /// Its version.
    pub version: u32,
    /// The step that was answered last.
    pub step: Option<CompactString>,
}

/// The newest message in a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The message.
    pub message: MessageId,
    /// When.
    pub at: TimestampMs,
    /// Which way.
    pub direction: Direction,
    /// Kind of content, such as `text` or `image`.
    pub kind: CompactString,
    /// The beginning of its text, at most [`crate::records::limits::PREVIEW_CHARS`] characters.
    pub text: String,
}

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the contact.
    Inbound,
    /// To the contact.
    Outbound,
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageRecord {
    /// Id.
    pub id: MessageId,
    /// Whose.
    pub tenant: TenantId,
    /// Where.
    pub conversation: ConversationId,
    /// Which way.
    pub direction: Direction,
    /// Who wrote it.
    pub sender: Party,
    /// What it says.
    pub content: Content,
    /// The message it answers.
    pub reply_to: Option<ProviderId>,
    /// Provider's time of an inbound message, our time of queueing an outbound one.
    pub at: TimestampMs,
    /// How far it has come; `None` for inbound ones.
    pub status: Option<MessageStatus>,
    /// Time of the status.
    pub status_at: Option<TimestampMs>,
    /// The provider's id, once known.
    pub provider_id: Option<ProviderId>,
    /// What an outbound one is charged as.
    pub category: Option<Category>,
    /// What the provider says it charges.
    pub pricing: Option<ProviderPricing>,
    /// Why it failed.
    pub errors: Vec<ProviderError>,
    /// It came while the contact was blocked: kept apart.
    pub blocked: bool,
    /// Its file, if it has one.
    pub attachment: Option<Attachment>,
    /// Attempts that failed, oldest first; filled by [`Inbox::message`] only.
    pub attempts: Vec<Attempt>,
}

/// Which messages are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageQuery {
    /// Whose.
    pub tenant: TenantId,
    /// Of this conversation.
    pub conversation: ConversationId,
    /// Only those with files.
    pub attachments_only: bool,
    /// Which end first.
    pub order: Order,
    /// Which page.
    pub page: PageRequest,
}

/// A conversation as it is stored, and as its events make it from nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// How many events it has.
    pub events: usize,
    /// The stored inbox row.
    pub stored: ConversationRecord,
    /// The row that the events make. Its contact is the stored one: cards change it, too.
    pub replayed: Option<ConversationRecord>,
    /// How many messages the events make.
    pub messages: usize,
    /// Messages whose stored status, provider's id, price or errors are others, or that are not stored.
    pub differing: Vec<MessageId>,
}

/// How much waits for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// Conversations with unread messages.
    pub conversations: u64,
    /// Unread messages.
    pub messages: u64,
}

/// How much a filter selects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Conversations that were counted.
    pub conversations: u64,
    /// Those of them with unread messages.
    pub unread: u64,
    /// There are more, or may be: as many as one look goes through were not enough to tell.
    pub more: bool,
}

/// What the inbox asks.
#[async_trait]
pub trait Inbox: Send + Sync + 'static {
    /// Conversations that a filter selects, newest message first.
    async fn conversations(
        &self,
        tenant: TenantId,
        filter: Filter,
        page: PageRequest,
    ) -> RecordsResult<Page<ConversationRecord>>;

    /// How many unread messages a filter selects.
    async fn unread(&self, tenant: TenantId, filter: Filter) -> RecordsResult<Unread>;

    /// How many conversations a filter selects. At most `limit` of them are counted, the newest.
    async fn count(&self, tenant: TenantId, filter: Filter, limit: usize) -> RecordsResult<Count>;

    /// One conversation.
    async fn conversation(
        &self,
        tenant: TenantId,
        id: ConversationId,
    ) -> RecordsResult<Option<ConversationRecord>>;

    /// Messages of a conversation.
    async fn messages(&self, query: MessageQuery) -> RecordsResult<Page<MessageRecord>>;

    /// One message with its attempts.
    async fn message(&self, tenant: TenantId, id: MessageId) -> RecordsResult<Option<MessageRecord>>;

    /// Derives a conversation from its events, and compares.
    ///
    /// # Errors
    /// [`super::RecordsError::Invalid`] beyond [`super::limits::MAX_REPLAY_EVENTS`] events.
    async fn replay(&self, tenant: TenantId, id: ConversationId) -> RecordsResult<Option<Replay>>;
}
