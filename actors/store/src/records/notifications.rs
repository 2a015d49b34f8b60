//! What each user is told.

use std::collections::BTreeSet;

use async_trait::async_trait;
use protocol::fact::NotificationKind;
use protocol::id::{ConversationId, MessageId, NotificationId, TenantId, UserId};
use protocol::time::TimestampMs;

use super::{Advance, EventSeq, RecordsResult};

/// One notification to one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationRecord {
    /// Place of the event that caused it: orders a user's notifications, and resumes a stream after a break.
    pub seq: EventSeq,
    /// Derived from the event and the user.
    pub id: NotificationId,
    /// Whose user.
    pub tenant: TenantId,
    /// To whom.
    pub user: UserId,
    /// About what.
    pub about: NotificationKind,
    /// In which conversation, if it is about one.
    pub conversation: Option<ConversationId>,
    /// The message, if it is about one.
    pub message: Option<MessageId>,
    /// When.
    pub at: TimestampMs,
    /// When the user read it.
    pub read_at: Option<TimestampMs>,
}

/// What the notifier made of a batch of events; one transaction.
#[derive(Clone, Debug)]
pub struct NotifyCommit {
    /// Its step forward.
    pub advance: Advance,
    /// New notifications; a known one (same user and event) changes nothing.
    pub notifications: Vec<NotificationRecord>,
    /// Those of its users who want to be written to when they are away.
    pub mailboxes: BTreeSet<UserId>,
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadThrough {
    /// Everything up to and including this one.
    Seq(EventSeq),
    /// Everything about this conversation.
    Conversation(ConversationId),
}

/// What the bell shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnreadCounts {
    /// All unread notifications, also those about no conversation.
    pub total: u64,
    /// Unread ones by conversation, most first, at most [`crate::records::limits::MAX_UNREAD_CONVERSATIONS`].
    pub conversations: Vec<(ConversationId, u64)>,
}

/// Notifications.
#[async_trait]
pub trait Notifications: Send + Sync + 'static {
    /// Stores what the notifier made of a batch.
    async fn notify_commit(&self, commit: NotifyCommit) -> RecordsResult<()>;

    /// A user's notifications after a place, oldest first: what a stream resumes with.
    async fn notifications_after(
        &self,
        tenant: TenantId,
        user: UserId,
        after: EventSeq,
        limit: usize,
    ) -> RecordsResult<Vec<NotificationRecord>>;

    /// A user's notifications before a place (or the newest), newest first.
    async fn notifications_before(
        &self,
        tenant: TenantId,
        user: UserId,
        before: Option<EventSeq>,
        limit: usize,
    ) -> RecordsResult<Vec<NotificationRecord>>;

    /// What the bell shows.
    async fn unread_counts(&self, tenant: TenantId, user: UserId) -> RecordsResult<UnreadCounts>;

    /// Marks notifications as read, durably. Answers how many were unread.
    async fn mark_read(
        &self,
        tenant: TenantId,
        user: UserId,
        through: ReadThrough,
        now: TimestampMs,
    ) -> RecordsResult<u64>;
}
