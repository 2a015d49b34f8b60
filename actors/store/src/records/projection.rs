//! How facts come in.

use async_trait::async_trait;
use protocol::fact::Event;
use protocol::time::TimestampMs;

use super::RecordsResult;
use crate::engine::{FactLane, FactPosition};

/// Facts that were read together.
#[derive(Clone, Debug, Default)]
pub struct FactBatch {
    /// The lanes they are of, each once.
    pub lanes: Vec<LaneStep>,
    /// Those that could be read, of each lane in order.
    pub events: Vec<(FactLane, FactPosition, Event)>,
}

/// How far a batch leads in a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneStep {
    /// The lane.
    pub lane: FactLane,
    /// The batch holds everything after this …
    pub after: FactPosition,
    /// … up to and including this.
    pub through: FactPosition,
}

/// The writing side, used by the projector alone.
#[async_trait]
pub trait Projection: Send + Sync + 'static {
    /// Ties the records to the engine store with this fingerprint, for ever. Another one is refused with
    /// [`super::RecordsError::Incompatible`]: its facts would pass for known ones.
    async fn bind(&self, engine: u64) -> RecordsResult<()>;

    /// Up to which fact each lane was projected; lanes of which nothing was are absent.
    async fn projected(&self) -> RecordsResult<Vec<(FactLane, FactPosition)>>;

    /// Projects facts, all in one transaction with the positions of their lanes. Facts at or before
    /// [`Self::projected`] change nothing. Answers how many were new. Facts behind a gap are refused with
    /// [`super::RecordsError::CursorMoved`]: whoever projects reads the positions again.
    async fn project(&self, facts: FactBatch) -> RecordsResult<usize>;

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
