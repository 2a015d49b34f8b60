//! What came of a crash run.

use std::collections::BTreeMap;

use serde::Serialize;

use super::fault::{Fault, Incident};
use crate::verify::Damage;

/// The outcome of a crash run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdict {
    /// Promises and what became of them.
    #[serde(flatten)]
    pub damage: Damage,
    /// Sends that the API refused, by code.
    pub sends_refused: BTreeMap<String, u64>,
    /// Requests that were never answered, however often they were repeated.
    pub abandoned: usize,
    /// Faults after which shards were without an owner for longer than promised: 6 s, of a node that stops 1 s.
    pub late: usize,
    /// Webhooks that nodes took and refused while one stopped as it should.
    pub refused_while_stopping: u64,
    /// Every fault and what came of it.
    pub incidents: Vec<Incident>,
}

impl Verdict {
    /// Nothing lost, doubled, out of order, sent twice, left without an answer, late, or refused by a node that stops.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.damage.is_none() && self.abandoned + self.late == 0 && self.refused_while_stopping == 0
    }

    /// Adds what was done, to so many nodes. The only node cannot stop without refusing.
    pub(crate) fn with(mut self, incidents: Vec<Incident>, nodes: usize) -> Self {
        self.late = incidents.iter().filter(|incident| incident.is_late(nodes)).count();
        let stops = incidents.iter().filter(|incident| incident.fault == Fault::StopNode && nodes > 1);
        self.refused_while_stopping = stops.map(|incident| incident.requests.webhooks.refused()).sum();
        self.incidents = incidents;
        self
    }
}
