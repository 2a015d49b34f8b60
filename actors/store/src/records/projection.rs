//! How facts come in.

use std::collections::BTreeMap;

use async_trait::async_trait;
use protocol::fact::{Event, Fact};
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

impl FactBatch {
    /// The parts that are projected in a transaction each. All but the last end with an erasure: what was said before it
    /// is forgotten where it is learned, and what comes after it stays.
    pub(super) fn parts(self) -> Vec<Self> {
        let mut reached: BTreeMap<_, _> = self.lanes.iter().map(|step| (step.lane, step.after)).collect();
        let (mut parts, mut after, mut events) = (Vec::new(), reached.clone(), Vec::new());
        for (lane, position, event) in self.events {
            let ends = matches!(event.fact, Fact::ContactErased { .. });
            reached.insert(lane, position);
            events.push((lane, position, event));
            if ends {
                let step = |(lane, after): (&FactLane, &FactPosition)| {
                    let through = reached.get(lane).copied().unwrap_or(*after);
                    LaneStep { lane: *lane, after: *after, through }
                };
                parts.push(Self {
                    lanes: after.iter().map(step).collect(),
                    events: std::mem::take(&mut events),
                });
                after.clone_from(&reached);
            }
        }
        let lanes = self.lanes.into_iter();
        let lanes = lanes
            .map(|step| LaneStep { after: after.get(&step.lane).copied().unwrap_or(step.after), ..step });
        parts.push(Self { lanes: lanes.collect(), events });
        parts
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::command::{Mode, Party};
    use protocol::content::Channel;
    use protocol::id::{ContactId, EventId};

    #[test]
    fn d14_a_batch_is_parted_behind_each_erasure() {
        let event = |fact| Event {
            id: EventId(1),
            at: TimestampMs(1),
            traceparent: None,
            tenant: None,
            conversation: None,
            fact,
        };
        let said = || event(Fact::ModeChanged { mode: Mode::Direct, by: Party::Contact });
        let (contact_id, channel) = (ContactId(1), Channel::Whatsapp);
        let erased = || event(Fact::ContactErased { channel, contact_id, consent: None, by: Party::Gateway });
        let step = |lane, after, through| LaneStep {
            lane: FactLane(lane),
            after: FactPosition(after),
            through: FactPosition(through),
        };
        let at = |lane, position, event| (FactLane(lane), FactPosition(position), event);
        let events = vec![at(0, 6, said()), at(1, 3, said()), at(0, 7, erased()), at(0, 9, said())];
        let batch = FactBatch { lanes: vec![step(0, 5, 10), step(1, 2, 4), step(2, 0, 0)], events };
        let parts = batch.clone().parts();
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0].lanes, [step(0, 5, 7), step(1, 2, 3), step(2, 0, 0)]);
        assert_eq!(parts[1].lanes, [step(0, 7, 10), step(1, 3, 4), step(2, 0, 0)]);
        assert_eq!((parts[0].events.len(), parts[1].events.len()), (3, 1));
        let plain = FactBatch { events: Vec::new(), ..batch };
        assert_eq!(plain.clone().parts()[0].lanes, plain.lanes);
    }
}
