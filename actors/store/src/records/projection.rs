//! How facts come in.

use async_trait::async_trait;
use protocol::fact::Event;
use protocol::time::TimestampMs;

use super::RecordsResult;
use crate::engine::FactPosition;

/// The writing side, used by the projector alone.
#[async_trait]
pub trait Projection: Send + Sync + 'static {
    /// Up to which fact everything was projected.
    async fn projected(&self) -> RecordsResult<FactPosition>;

    /// Projects facts in order, all in one transaction with the position of the last. Facts at or before
    /// [`Self::projected`], and events whose id is known, change nothing. Answers how many were new.
    async fn project(&self, facts: Vec<(FactPosition, Event)>) -> RecordsResult<usize>;

    /// Makes everything so far survive a power failure and answers the position that does: facts up to there
    /// may be forgotten by the engine, later ones may not. Costs an fsync: once per second or so is enough.
    async fn sync(&self) -> RecordsResult<FactPosition>;

    /// Empties what is derived (inbox, history, contacts, consents, audit of facts) and derives it again from
    /// the stored events and contact cards. Ledger, notifications, cursors and documents stay. Answers the
    /// number of events. Must run alone: the server is stopped, or waits.
    async fn rebuild(&self) -> RecordsResult<u64>;

    /// Forgets what is past its time: idempotency keys, old notifications, finished deliveries.
    async fn forget(&self, now: TimestampMs) -> RecordsResult<()>;

    /// Finishes what is under way and closes the files.
    async fn close(&self) -> RecordsResult<()>;
}
