//! The ordered events: what the feed shows and consumers follow.

use async_trait::async_trait;
use protocol::fact::Event;
use protocol::id::{ConversationId, TenantId};
use serde::{Deserialize, Serialize};

use super::RecordsResult;

/// Place of an event in the store's one order; zero is before the first. The `after` of the feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventSeq(pub u64);

/// An event with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    /// Its place.
    pub seq: EventSeq,
    /// The event.
    pub event: Event,
}

/// Which events are wanted, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Of this tenant; `None` for all (consumers only, never for a caller of the API).
    pub tenant: Option<TenantId>,
    /// After this place.
    pub after: EventSeq,
    /// At most.
    pub limit: usize,
}

/// A consumer's step forward; it is stored in the transaction of what the consumer made of the events, so that
/// each event counts exactly once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advance {
    /// Name of the consumer.
    pub consumer: &'static str,
    /// Where it stood when it read; another value in the store refuses the step.
    pub from: EventSeq,
    /// The last event that it has dealt with.
    pub to: EventSeq,
}

/// Events and the cursors of those who follow them.
#[async_trait]
pub trait Events: Send + Sync + 'static {
    /// Events in order.
    async fn events(&self, query: EventQuery) -> RecordsResult<Vec<StoredEvent>>;

    /// The newest events of a conversation that stand before a place, newest first. Costs as much as what it
    /// passes on the way from the newest one.
    async fn history(
        &self,
        tenant: TenantId,
        conversation: ConversationId,
        before: Option<EventSeq>,
        limit: usize,
    ) -> RecordsResult<Vec<StoredEvent>>;

    /// The place of the newest event.
    async fn last_event(&self) -> RecordsResult<EventSeq>;

    /// Where a consumer stands.
    async fn cursor(&self, consumer: &'static str) -> RecordsResult<EventSeq>;

    /// Moves a consumer that writes nothing else.
    async fn advance(&self, advance: Advance) -> RecordsResult<()>;
}
