//! Forgetting people.

use async_trait::async_trait;
use protocol::id::{ContactId, ConversationId, TenantId};
use protocol::time::TimestampMs;

use super::{Change, RecordsResult};

/// Something that is still known of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Where, such as `messages`.
    pub place: &'static str,
    /// How much of it.
    pub count: u64,
}

/// Forgetting people. What came with facts is forgotten when [`protocol::fact::Fact::ContactErased`] is projected, in
/// its transaction: a projection that is repeated, or done by another node, forgets the same.
#[async_trait]
pub trait Erasure: Send + Sync + 'static {
    /// Forgets what did not come with facts: the card, stored answers of the API, and the contact itself unless
    /// somebody talks with it. The audit keeps that it was done, and for which conversations.
    async fn erase_contact(
        &self,
        change: Change,
        tenant: TenantId,
        id: ContactId,
        conversations: Vec<ConversationId>,
    ) -> RecordsResult<()>;

    /// What is left of a contact from before a time, by place; nothing if it is erased.
    async fn traces(
        &self,
        tenant: TenantId,
        id: ContactId,
        conversations: Vec<ConversationId>,
        before: TimestampMs,
    ) -> RecordsResult<Vec<Trace>>;
}
