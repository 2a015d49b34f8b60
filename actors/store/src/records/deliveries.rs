//! Events on their way to downstream endpoints.

use async_trait::async_trait;
use protocol::id::{EndpointId, TenantId};
use protocol::time::TimestampMs;

use super::{Advance, EventSeq, RecordsResult, StoredEvent};

/// An event for an endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Whose.
    pub tenant: TenantId,
    /// The event.
    pub event: StoredEvent,
    /// Where it stands.
    pub state: DeliveryState,
    /// Failed attempts so far.
    pub attempts: u32,
    /// When it is tried (again).
    pub next_at: TimestampMs,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// Where a delivery stands. Delivered ones are forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// Will be tried.
    Pending,
    /// Given up, or never queued since the endpoint had too many pending.
    Dead,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The endpoint took it.
    Delivered,
    /// To be tried again.
    Retry {
        /// When.
        at: TimestampMs,
        /// What went wrong.
        error: String,
    },
    /// Given up.
    Dead {
        /// Why.
        error: String,
    },
}

/// What the deliverer made of a batch of events; one transaction.
#[derive(Clone, Debug)]
pub struct DeliveryCommit {
    /// Its step forward.
    pub advance: Advance,
    /// Now; new deliveries are due at once.
    pub now: TimestampMs,
    /// Which event goes to which endpoint. Beyond [`crate::records::limits::MAX_PENDING_DELIVERIES`] of an endpoint
    /// new ones are dead from the start: they can be read from the feed.
    pub deliveries: Vec<(EndpointId, TenantId, EventSeq)>,
}

/// Which deliveries are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryQuery {
    /// Whose.
    pub tenant: TenantId,
    /// To this endpoint.
    pub endpoint: EndpointId,
    /// In this state.
    pub state: DeliveryState,
    /// Of events after this place.
    pub after: EventSeq,
    /// At most.
    pub limit: usize,
}

/// Deliveries.
#[async_trait]
pub trait Deliveries: Send + Sync + 'static {
    /// Queues what the deliverer made of a batch.
    async fn delivery_commit(&self, commit: DeliveryCommit) -> RecordsResult<()>;

    /// Deliveries of one endpoint that are due by now, earliest first. By endpoint, so that one that was down
    /// for long does not keep the others waiting.
    async fn deliveries_due(
        &self,
        endpoint: EndpointId,
        now: TimestampMs,
        limit: usize,
    ) -> RecordsResult<Vec<Delivery>>;

    /// Endpoints with pending deliveries, each with the time of its next one.
    async fn pending_endpoints(&self) -> RecordsResult<Vec<(EndpointId, TimestampMs)>>;

    /// Records how attempts ended.
    async fn finish_deliveries(
        &self,
        outcomes: Vec<(EndpointId, EventSeq, DeliveryOutcome)>,
    ) -> RecordsResult<()>;

    /// Makes a delivery that was given up due now, with all its attempts before it. `false` if there is none.
    async fn revive_delivery(
        &self,
        tenant: TenantId,
        endpoint: EndpointId,
        event: EventSeq,
        now: TimestampMs,
    ) -> RecordsResult<bool>;

    /// Deliveries of an endpoint in a state, oldest event first.
    async fn deliveries(&self, query: DeliveryQuery) -> RecordsResult<Vec<Delivery>>;
}
