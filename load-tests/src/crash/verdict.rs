//! Compares what was acknowledged with what is there and with what the provider got.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::fault::{Fault, Incident};
use super::readback::Found;
use super::traffic::Acknowledged;
use crate::simulator::LedgerEntry;

/// The outcome of a crash run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdict {
    /// Webhooks answered with 200.
    pub acknowledged: usize,
    /// Inbound messages read back.
    pub found: usize,
    /// Acknowledged, but not there.
    pub lost: usize,
    /// There more than once.
    pub doubled: usize,
    /// Neighbours of one conversation in another order than they were acknowledged.
    pub out_of_order: usize,
    /// Sends that the API acknowledged.
    pub sends_acknowledged: usize,
    /// Of these, not there.
    pub sends_lost: usize,
    /// Sends that the API refused, by code.
    pub sends_refused: BTreeMap<String, u64>,
    /// Requests that were never answered, however often they were repeated.
    pub abandoned: usize,
    /// Outbound messages by status.
    pub outbound: BTreeMap<String, usize>,
    /// POSTs that the provider accepted.
    pub provider_accepted: usize,
    /// Messages that the provider got more than once.
    pub double_sends: usize,
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
        let damage = self.lost + self.doubled + self.out_of_order + self.sends_lost + self.double_sends;
        damage + self.abandoned + self.late == 0 && self.refused_while_stopping == 0
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

/// Compares.
pub(crate) fn compare(
    acknowledged: &Acknowledged,
    conversations: &[Vec<Found>],
    ledger: &[LedgerEntry],
) -> Verdict {
    let all = || conversations.iter().flatten();
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for id in all().filter(|message| message.inbound).filter_map(|message| message.provider_id.as_deref()) {
        *times.entry(id).or_default() += 1;
    }
    let mut outbound: BTreeMap<String, usize> = BTreeMap::new();
    for message in all().filter(|message| !message.inbound) {
        *outbound.entry(message.status.clone()).or_default() += 1;
    }
    let ids: BTreeSet<&str> = all().map(|message| message.id.as_str()).collect();
    let expected = || acknowledged.inbound.values().flatten();
    Verdict {
        acknowledged: expected().count(),
        found: times.values().sum(),
        lost: expected().filter(|id| !times.contains_key(id.as_str())).count(),
        doubled: times.values().filter(|count| **count > 1).count(),
        out_of_order: out_of_order(acknowledged, conversations),
        sends_acknowledged: acknowledged.sends.len(),
        sends_lost: acknowledged.sends.keys().filter(|id| !ids.contains(id.as_str())).count(),
        sends_refused: acknowledged.refused.clone(),
        abandoned: acknowledged.abandoned,
        outbound,
        provider_accepted: ledger.len(),
        double_sends: double_sends(ledger),
        ..Verdict::default()
    }
}

fn out_of_order(acknowledged: &Acknowledged, conversations: &[Vec<Found>]) -> usize {
    let positions: BTreeMap<&str, usize> = acknowledged
        .inbound
        .values()
        .flat_map(|ids| ids.iter().enumerate().map(|(position, id)| (id.as_str(), position)))
        .collect();
    let disorder = |messages: &Vec<Found>| {
        let order: Vec<usize> = messages
            .iter()
            .filter_map(|message| positions.get(message.provider_id.as_deref()?).copied())
            .collect();
        order.windows(2).filter(|pair| pair[0] > pair[1]).count()
    };
    conversations.iter().map(disorder).sum()
}

/// One opaque id is one message; a POST without it is told by its text, which no service of the load sends twice.
fn double_sends(ledger: &[LedgerEntry]) -> usize {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for entry in ledger {
        let text = entry.body["text"]["body"].as_str().filter(|text| text.starts_with("crash send"));
        for key in [entry.opaque_id.as_deref(), text].into_iter().flatten() {
            *times.entry(key.to_owned()).or_default() += 1;
        }
    }
    times.values().filter(|count| **count > 1).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn inbound(id: &str) -> Found {
        Found {
            id: format!("msg_{id}"),
            provider_id: Some(id.into()),
            inbound: true,
            status: "delivered".into(),
        }
    }

    fn accepted(opaque_id: &str) -> LedgerEntry {
        LedgerEntry {
            position: 1,
            at_ms: 0,
            phone_number_id: "1".into(),
            to: "2".into(),
            message_type: "text".into(),
            opaque_id: Some(opaque_id.into()),
            wamid: "w".into(),
            body_sha256: String::new(),
            body: json!({}),
        }
    }

    fn acknowledged(ids: &[&str]) -> Acknowledged {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        Acknowledged { inbound: BTreeMap::from([("39".to_owned(), ids)]), ..Acknowledged::default() }
    }

    #[test]
    fn a_clean_run_is_clean() {
        let found = [vec![inbound("a"), inbound("b")]];
        let verdict = compare(&acknowledged(&["a", "b"]), &found, &[accepted("x"), accepted("y")]);
        assert!(verdict.is_clean(), "{verdict:?}");
        assert_eq!((verdict.acknowledged, verdict.found, verdict.provider_accepted), (2, 2, 2));
    }

    #[test]
    fn every_kind_of_damage_is_seen() {
        let found = [vec![inbound("b"), inbound("a"), inbound("a")]];
        let mut promised = acknowledged(&["a", "b", "c"]);
        promised.sends.insert("msg_gone".into(), "crash send".into());
        let verdict = compare(&promised, &found, &[accepted("x"), accepted("x")]);
        assert_eq!((verdict.lost, verdict.doubled, verdict.out_of_order), (1, 1, 1));
        assert_eq!((verdict.sends_lost, verdict.double_sends), (1, 1));
    }
}
