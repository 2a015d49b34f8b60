//! Following the events of the records store with a durable cursor.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use store::records::{Advance, EventQuery, EventSeq, Records, RecordsResult, StoredEvent};
use tokio::sync::Mutex;

use super::Shared;
use super::supervised::{ConsumerError, ViewCell};
use super::turn::Turn;
use crate::limits::{FOLLOW_BATCHES, FOLLOW_EVENTS, FOLLOW_POLL, FOLLOW_SPACING};
use crate::metrics::FollowerKind;

/// The newest batches, so that consumers that follow closely read and decode each event once together: whoever
/// comes first reads, the others find it here. Events never change, so a batch stays true.
#[derive(Default)]
pub(crate) struct Batches(Mutex<VecDeque<(EventSeq, Arc<[StoredEvent]>)>>);

impl Batches {
    /// Events after a place; empty when there are none yet.
    async fn after(&self, records: &dyn Records, place: EventSeq) -> RecordsResult<Arc<[StoredEvent]>> {
        // Held over the read on purpose: the others wait for what they want as well.
        let mut newest = self.0.lock().await;
        if let Some((_, batch)) = newest.iter().find(|(after, _)| *after == place) {
            return Ok(batch.clone());
        }
        let query = EventQuery { after: place, limit: FOLLOW_EVENTS, ..EventQuery::default() };
        let batch: Arc<[StoredEvent]> = records.events(query).await?.into();
        if !batch.is_empty() {
            newest.push_back((place, batch.clone()));
            if newest.len() > FOLLOW_BATCHES {
                newest.pop_front();
            }
        }
        Ok(batch)
    }
}

/// What a follower makes of events.
pub(crate) trait Handler {
    /// Name of the cursor.
    const NAME: &'static str;

    /// The same as a label.
    const KIND: FollowerKind;

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
    pub(crate) async fn new(shared: Shared, handler: H) -> RecordsResult<Self> {
        let cursor = shared.options.records.cursor(H::NAME).await?;
        Ok(Self { shared, handler, cursor })
    }

    /// Deals with one batch; answers how many events there were.
    pub(crate) async fn step(&mut self) -> Result<usize, ConsumerError> {
        let batch = self.shared.batches.after(&*self.shared.options.records, self.cursor).await?;
        if let Some(last) = batch.last() {
            let advance = Advance { consumer: H::NAME, from: self.cursor, to: last.seq };
            self.handler.handle(&batch, advance).await?;
            self.cursor = last.seq;
            self.show_lag(self.shared.lag_after(batch.len() >= FOLLOW_EVENTS, last.event.at).await?);
        } else {
            self.show_lag(Duration::ZERO);
        }
        Ok(batch.len())
    }

    fn show_lag(&self, lag: Duration) {
        self.shared.options.metrics.consumer_lag.of(H::KIND).set(lag.as_secs_f64());
    }

    /// Deals with batches until told to stop.
    pub(crate) async fn run(mut self, view: &ViewCell) -> Result<(), ConsumerError> {
        let (mut projected, mut turn) = (self.shared.projected.subscribe(), self.shared.turn.subscribe());
        view.moved(self.cursor.0, 0);
        while *turn.borrow() == Turn::Ours {
            // Seen before the step, so that what comes during it is not slept through.
            projected.mark_unchanged();
            let handled = self.step().await?;
            view.moved(self.cursor.0, handled);
            tokio::select! {
                // Ends only with the process: the sender is part of `shared`.
                _ = projected.changed(), if handled == 0 => {}
                // Another process may project as well.
                () = tokio::time::sleep(FOLLOW_POLL), if handled == 0 => {}
                // A full batch means that more is waiting.
                () = tokio::time::sleep(FOLLOW_SPACING), if handled > 0 && handled < FOLLOW_EVENTS => {}
                () = std::future::ready(()), if handled >= FOLLOW_EVENTS => {}
                _ = turn.changed() => {}
            }
        }
        // Whoever has the turn shows it.
        self.show_lag(Duration::ZERO);
        Ok(())
    }
}
