//! Following the events of the records store with a durable cursor.

use store::records::{Advance, EventQuery, EventSeq, RecordsError, StoredEvent};

use super::Shared;
use super::supervised::{ConsumerError, ViewCell};
use crate::limits::{FOLLOW_EVENTS, FOLLOW_POLL};

/// What a follower makes of events.
pub(crate) trait Handler {
    /// Name of the cursor.
    const NAME: &'static str;

    /// Stores what follows from a batch together with the step forward.
    async fn handle(&mut self, batch: &[StoredEvent], advance: Advance) -> Result<(), ConsumerError>;
}

/// A handler with its place.
pub(crate) struct Follower<H> {
    shared: Shared,
    handler: H,
    cursor: EventSeq,
}

impl<H: Handler> Follower<H> {
    /// Begins where the stored cursor stands.
    pub(crate) async fn new(shared: Shared, handler: H) -> Result<Self, RecordsError> {
        let cursor = shared.options.records.cursor(H::NAME).await?;
        Ok(Self { shared, handler, cursor })
    }

    /// Deals with one batch; answers how many events there were.
    pub(crate) async fn step(&mut self) -> Result<usize, ConsumerError> {
        let query = EventQuery { after: self.cursor, limit: FOLLOW_EVENTS, ..EventQuery::default() };
        let batch = self.shared.options.records.events(query).await?;
        let Some(last) = batch.last() else { return Ok(0) };
        let advance = Advance { consumer: H::NAME, from: self.cursor, to: last.seq };
        self.handler.handle(&batch, advance).await?;
        self.cursor = last.seq;
        Ok(batch.len())
    }

    /// Deals with batches until told to stop.
    pub(crate) async fn run(mut self, view: &ViewCell) -> Result<(), ConsumerError> {
        let (mut projected, mut stop) = (self.shared.projected.subscribe(), self.shared.stop.subscribe());
        view.moved(self.cursor.0, 0);
        while !*stop.borrow() {
            // Seen before the step, so that what comes during it is not slept through.
            projected.mark_unchanged();
            let handled = self.step().await?;
            view.moved(self.cursor.0, handled);
            if handled == 0 {
                tokio::select! {
                    // Ends only with the process: the sender is part of `shared`.
                    _ = projected.changed() => {}
                    // Another process may project as well.
                    () = tokio::time::sleep(FOLLOW_POLL) => {}
                    _ = stop.changed() => {}
                }
            }
        }
        Ok(())
    }
}
