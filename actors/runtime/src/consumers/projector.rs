//! Facts become records.

use protocol::codec;
use protocol::fact::Event;
use store::engine::FactPosition;
use tokio::time::MissedTickBehavior;

use super::Shared;
use super::supervised::{ConsumerError, ViewCell};
use crate::limits::{FORGET_EVERY, PROJECT_FACTS, PROJECT_SPACING, SYNC_EVERY};

/// Its name.
pub(super) const NAME: &str = "projector";

/// Projects until told to stop.
pub(super) async fn run(shared: Shared, view: ViewCell) -> Result<(), ConsumerError> {
    let mut projector = Projector::new(shared.clone()).await?;
    let mut sync = tokio::time::interval(SYNC_EVERY);
    sync.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut forget = tokio::time::interval(FORGET_EVERY);
    let mut stop = shared.stop.subscribe();
    while !*stop.borrow() {
        tokio::select! {
            // Reading may be given up at any time; storing may not, so only the read is raced.
            facts = shared.options.engine.facts(projector.position, PROJECT_FACTS) => {
                let handled = projector.project(facts?).await?;
                view.moved(projector.position.0, handled);
                if handled < PROJECT_FACTS {
                    tokio::time::sleep(PROJECT_SPACING).await;
                }
            }
            _ = sync.tick() => projector.sync().await?,
            _ = forget.tick() => {
                let now = shared.options.engine.now().await?;
                shared.options.records.forget(now).await?;
            }
            _ = stop.changed() => {}
        }
    }
    projector.sync().await
}

/// The projector with its place.
pub(super) struct Projector {
    shared: Shared,
    pub(super) position: FactPosition,
    /// The engine has forgotten facts up to here.
    trimmed: FactPosition,
}

impl Projector {
    pub(super) async fn new(shared: Shared) -> Result<Self, ConsumerError> {
        let position = shared.options.records.projected().await?;
        Ok(Self { shared, position, trimmed: FactPosition(0) })
    }

    /// Stores a batch; answers how many facts there were.
    pub(super) async fn project(
        &mut self,
        facts: Vec<(FactPosition, bytes::Bytes)>,
    ) -> Result<usize, ConsumerError> {
        let Some((last, _)) = facts.last() else { return Ok(0) };
        let (last, count) = (*last, facts.len());
        let events: Vec<_> =
            facts.into_iter().filter_map(|(at, bytes)| Some((at, decode(at, &bytes)?))).collect();
        let newest = events.last().map(|(_, event)| event.at);
        self.shared.options.records.project(events).await?;
        self.position = last;
        self.shared.projected.send_modify(|count| *count += 1);
        if let Some(newest) = newest {
            // After a full batch more is waiting: then the age of what was just stored is the lag.
            let now = self.shared.options.engine.now().await?;
            let lag_ms = if count < PROJECT_FACTS { 0 } else { (now - newest).0.max(0) };
            self.shared.options.metrics.projection_lag.set(lag_ms as f64 / 1_000.0);
        }
        Ok(count)
    }

    /// Makes what was stored durable and lets the engine forget it.
    pub(super) async fn sync(&mut self) -> Result<(), ConsumerError> {
        if self.position <= self.trimmed {
            return Ok(());
        }
        let durable = self.shared.options.records.sync().await?;
        self.shared.options.engine.trim_facts(durable).await?;
        self.trimmed = durable;
        Ok(())
    }
}

fn decode(at: FactPosition, bytes: &[u8]) -> Option<Event> {
    match codec::decode(bytes) {
        Ok(event) => Some(event),
        Err(error) => {
            // It will not become readable by waiting, and everything behind it would wait too.
            tracing::error!(position = at.0, %error, "a stored fact cannot be read and is left out");
            None
        }
    }
}
