//! How facts come in.

use async_trait::async_trait;
use protocol::fact::Event;
use protocol::time::TimestampMs;

use super::RecordsResult;
use crate::engine::{FactLane, FactPosition};

/// The writing side, used by the projector alone.
#[async_trait]
pub trait Projection: Send + Sync + 'static {
    /// Up to which fact each lane was projected; lanes of which nothing was are absent.
    async fn projected(&self) -> RecordsResult<Vec<(FactLane, FactPosition)>>;

    /// Projects facts, of each lane in order, all in one transaction with the position of the last of each lane.
    /// Facts at or before [`Self::projected`] change nothing. Answers how many were new.
    async fn project(&self, facts: Vec<(FactLane, FactPosition, Event)>) -> RecordsResult<usize>;

    /// Makes everything so far survive a power failure and answers the positions that do: facts up to there
    /// may be forgotten by the engine, later ones may not. Costs an fsync: once per second or so is enough.
    async fn sync(&self) -> RecordsResult<Vec<(FactLane, FactPosition)>>;

    /// Empties what is derived (inbox, history, contacts, consents, audit of facts) and derives it again from
    /// the stored events and contact cards. Ledger, notifications, cursors and documents stay. Answers the
    /// number of events. Must run alone: the server is stopped, or waits.
    async fn rebuild(&self) -> RecordsResult<u64>;

    /// Forgets what is past its time: idempotency keys, old notifications, finished deliveries.
    async fn forget(&self, now: TimestampMs) -> RecordsResult<()>;

    /// Finishes what is under way and closes the files.
    async fn close(&self) -> RecordsResult<()>;
}
