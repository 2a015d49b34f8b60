//! Facts become records.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use protocol::codec;
use protocol::fact::Event;
use store::engine::{FactLane, FactPosition};
use store::records::{FactBatch, LaneStep};
use tokio::time::{Instant, MissedTickBehavior};

use super::Shared;
use super::supervised::{ConsumerError, ViewCell};
use super::turn::Turn;
use crate::limits::{
    FORGET_EVERY, PROJECT_FACTS, PROJECT_LAG_MAX, PROJECT_REST_MAX, PROJECT_REST_MIN, PROJECT_REST_PER_FACT,
    PROJECT_RESTS_PER_WORK, SYNC_EVERY,
};

/// Its name.
pub(super) const NAME: &str = "projector";

/// Projects until told to stop.
pub(super) async fn run(shared: Shared, view: ViewCell) -> Result<(), ConsumerError> {
    let mut projector = Projector::new(shared.clone()).await?;
    let mut sync = tokio::time::interval(SYNC_EVERY);
    sync.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut forget = tokio::time::interval(FORGET_EVERY);
    let mut turn = shared.turn.subscribe();
    while *turn.borrow() == Turn::Ours {
        let reached = projector.reached();
        tokio::select! {
            // Reading may be given up at any time; storing may not, so only the read is raced.
            facts = shared.options.engine.facts_any(&reached, PROJECT_FACTS) => {
                let began_at = Instant::now();
                let handled = projector.project(facts?).await?;
                view.moved(projector.handled, handled);
                tokio::select! {
                    () = tokio::time::sleep(rest(handled, began_at.elapsed(), projector.lag)) => {}
                    () = shared.hurry.notified() => {}
                }
            }
            _ = sync.tick() => projector.sync().await?,
            _ = forget.tick() => {
                let now = shared.options.engine.now().await?;
                shared.options.records.forget(now).await?;
            }
            _ = turn.changed() => {}
        }
    }
    projector.sync().await
}

/// How long to rest after a batch that took so long. A transaction costs by the pages that it touches, and many facts
/// touch the same ones: the busier the node, the more facts go into one transaction. And what is done now takes
/// processors from conversations, while the inbox may wait, though not for ever.
fn rest(facts: usize, took: Duration, lag: Duration) -> Duration {
    if lag >= PROJECT_LAG_MAX {
        return Duration::ZERO;
    }
    let gathers = (PROJECT_REST_PER_FACT * u32::try_from(facts).unwrap_or(u32::MAX))
        .clamp(PROJECT_REST_MIN, PROJECT_REST_MAX);
    gathers.max(took * PROJECT_RESTS_PER_WORK).min(PROJECT_LAG_MAX)
}

/// The projector with its place.
pub(super) struct Projector {
    shared: Shared,
    /// Of every lane.
    lanes: BTreeMap<FactLane, Lane>,
    /// Facts since the start.
    pub(super) handled: u64,
    /// How far the records were behind after the last batch.
    lag: Duration,
}

#[derive(Default)]
struct Lane {
    projected: FactPosition,
    /// The engine has forgotten facts up to here.
    trimmed: FactPosition,
}

impl Projector {
    pub(super) async fn new(shared: Shared) -> Result<Self, ConsumerError> {
        let engine = &shared.options.engine;
        let shards = engine.identity().shards.all();
        let mut lanes: BTreeMap<_, Lane> =
            shards.map(|shard| (engine.fact_lane(shard), Lane::default())).collect();
        for (lane, projected) in shared.options.records.projected().await? {
            lanes.entry(lane).or_default().projected = projected;
        }
        // Until a batch says otherwise; what a run that failed showed is over.
        shared.options.metrics.projection_lag.set(0.0);
        Ok(Self { shared, lanes, handled: 0, lag: Duration::ZERO })
    }

    /// Where each lane stands.
    pub(super) fn reached(&self) -> Vec<(FactLane, FactPosition)> {
        self.lanes.iter().map(|(lane, state)| (*lane, state.projected)).collect()
    }

    /// Stores a batch; answers how many facts there were.
    pub(super) async fn project(
        &mut self,
        facts: Vec<(FactLane, FactPosition, Bytes)>,
    ) -> Result<usize, ConsumerError> {
        let count = facts.len();
        let lanes = self.steps(&facts);
        if lanes.is_empty() {
            return Ok(0);
        }
        let events: Vec<_> =
            facts.into_iter().filter_map(|(lane, at, bytes)| Some((lane, at, decode(at, &bytes)?))).collect();
        let newest = events.last().map(|(_, _, event)| event.at);
        self.shared.options.records.project(FactBatch { lanes: lanes.clone(), events }).await?;
        for step in lanes {
            self.lanes.entry(step.lane).or_default().projected = step.through;
        }
        self.handled += count as u64;
        self.shared.projected.send_modify(|count| *count += 1);
        if let Some(newest) = newest {
            self.lag = self.shared.lag_after(count >= PROJECT_FACTS, newest).await?;
            self.shared.options.metrics.projection_lag.set(self.lag.as_secs_f64());
        }
        Ok(count)
    }

    /// How far facts lead in each of their lanes.
    fn steps(&self, facts: &[(FactLane, FactPosition, Bytes)]) -> Vec<LaneStep> {
        let mut through = BTreeMap::new();
        for (lane, position, _) in facts {
            through.insert(*lane, *position);
        }
        let after = |lane: &FactLane| self.lanes.get(lane).map_or(FactPosition(0), |state| state.projected);
        let step = |(lane, through)| LaneStep { lane, after: after(&lane), through };
        through.into_iter().map(step).collect()
    }

    /// Makes what was stored durable and lets the engine forget it.
    pub(super) async fn sync(&mut self) -> Result<(), ConsumerError> {
        if self.lanes.values().all(|lane| lane.projected <= lane.trimmed) {
            return Ok(());
        }
        for (lane, durable) in self.shared.options.records.sync().await? {
            let state = self.lanes.entry(lane).or_default();
            if durable > state.trimmed {
                self.shared.options.engine.trim_facts(lane, durable).await?;
                state.trimmed = durable;
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversations_go_first_until_the_records_are_too_late() {
        let (none, ms) = (Duration::ZERO, Duration::from_millis);
        for (facts, took, lag, rests) in [
            (1, none, none, PROJECT_REST_MIN),
            (500, ms(5), none, ms(50)),
            (2_000, ms(25), none, PROJECT_REST_MAX),
            (PROJECT_FACTS, ms(200), ms(300), ms(200) * PROJECT_RESTS_PER_WORK),
            (PROJECT_FACTS, ms(200), PROJECT_LAG_MAX, none),
            (1, PROJECT_LAG_MAX * 9, none, PROJECT_LAG_MAX),
        ] {
            assert_eq!(rest(facts, took, lag), rests, "{facts} facts in {took:?}, {lag:?} late");
        }
    }
}
