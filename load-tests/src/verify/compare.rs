//! The comparison.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use super::{ByStatus, Found, Promises, Span, UNIQUE_TEXT, rank};
use crate::simulator::LedgerEntry;

/// Promises and what became of them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Damage {
    /// Inbound messages whose webhook was answered with 200.
    pub acknowledged: usize,
    /// Inbound messages read back.
    pub found: usize,
    /// Acknowledged, but not there.
    pub lost: usize,
    /// There more than once.
    pub doubled: usize,
    /// Messages that were acknowledged before one was sent that stands before them in their conversation.
    pub out_of_order: usize,
    /// Messages of ours with acknowledged statuses that stand at an earlier one.
    pub statuses_lost: usize,
    /// Sends that the API acknowledged.
    pub sends_acknowledged: usize,
    /// Of these, not there.
    pub sends_lost: usize,
    /// Outbound messages by status.
    pub outbound: ByStatus,
    /// POSTs that the provider accepted.
    pub provider_accepted: usize,
    /// Messages that the provider got more than once.
    pub double_sends: usize,
}

impl Damage {
    /// Nothing lost, doubled, out of order or sent twice.
    #[must_use]
    pub fn is_none(&self) -> bool {
        let inbound = self.lost + self.doubled + self.out_of_order + self.statuses_lost;
        inbound + self.sends_lost + self.double_sends == 0
    }
}

/// Compares promises with the messages of every conversation, oldest first, and with the provider's ledger.
pub(crate) fn compare(promises: &Promises, conversations: &[Vec<Found>], ledger: &[LedgerEntry]) -> Damage {
    let all = || conversations.iter().flatten();
    let mut times: HashMap<&str, usize> = HashMap::new();
    for id in all().filter(|message| message.inbound).filter_map(|message| message.provider_id.as_deref()) {
        *times.entry(id).or_default() += 1;
    }
    let mut outbound = ByStatus::new();
    for message in all().filter(|message| !message.inbound) {
        *outbound.entry(message.status.clone()).or_default() += 1;
    }
    let ids: HashSet<&str> = all().map(|message| message.id.as_str()).collect();
    Damage {
        acknowledged: promises.inbound.len(),
        found: times.values().sum(),
        lost: promises.inbound.keys().filter(|id| !times.contains_key(id.as_str())).count(),
        doubled: times.values().filter(|count| **count > 1).count(),
        out_of_order: conversations.iter().map(|messages| disorder(promises, messages)).sum(),
        statuses_lost: statuses_lost(promises, conversations),
        sends_acknowledged: promises.sends.len(),
        sends_lost: promises.sends.iter().filter(|id| !ids.contains(id.as_str())).count(),
        outbound,
        provider_accepted: ledger.len(),
        double_sends: double_sends(ledger),
    }
}

fn disorder(promises: &Promises, messages: &[Found]) -> usize {
    let promised = |message: &Found| promises.inbound.get(message.provider_id.as_deref()?).copied();
    let mut last_sent = 0;
    let mut is_late = |span: &Span| {
        let is_late = span.acknowledged < last_sent;
        last_sent = last_sent.max(span.sent);
        is_late
    };
    messages.iter().filter_map(promised).filter(|span| is_late(span)).count()
}

fn statuses_lost(promises: &Promises, conversations: &[Vec<Found>]) -> usize {
    let ours = conversations.iter().flatten().filter(|message| !message.inbound);
    let reached: HashMap<&str, u8> =
        ours.filter_map(|message| Some((message.provider_id.as_deref()?, rank(&message.status)))).collect();
    let is_behind =
        |(id, promised): &(&String, &u8)| reached.get(id.as_str()).is_none_or(|reached| reached < promised);
    promises.statuses.iter().filter(is_behind).count()
}

/// One opaque id is one message, and so is one unique text.
fn double_sends(ledger: &[LedgerEntry]) -> usize {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in ledger {
        let text = entry.body["text"]["body"].as_str().filter(|text| text.starts_with(UNIQUE_TEXT));
        for key in [entry.opaque_id.as_deref(), text].into_iter().flatten() {
            *times.entry(key).or_default() += 1;
        }
    }
    times.values().filter(|count| **count > 1).count()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn inbound(id: &str) -> Found {
        Found {
            id: format!("msg_{id}"),
            provider_id: Some(id.into()),
            inbound: true,
            status: "delivered".into(),
        }
    }

    fn outbound(id: &str, status: &str) -> Found {
        Found { inbound: false, status: status.into(), ..inbound(id) }
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

    /// Each is sent when the one before is acknowledged.
    fn promised(ids: &[&str]) -> Promises {
        let span = |sent: u64| Span { sent, acknowledged: sent + 1 };
        let inbound = ids.iter().zip(0..).map(|(id, at)| ((*id).to_owned(), span(2 * at))).collect();
        Promises { inbound, ..Promises::default() }
    }

    #[test]
    fn kept_promises_are_no_damage() {
        let found = [vec![inbound("a"), inbound("b")]];
        let damage = compare(&promised(&["a", "b"]), &found, &[accepted("x"), accepted("y")]);
        assert!(damage.is_none(), "{damage:?}");
        assert_eq!((damage.acknowledged, damage.found, damage.provider_accepted), (2, 2, 2));
    }

    #[test]
    fn every_kind_of_damage_is_seen() {
        let found = [vec![inbound("b"), inbound("a"), inbound("a"), outbound("s", "sent")]];
        let mut promises = promised(&["a", "b", "c"]);
        promises.sends.push("msg_gone".into());
        promises.statuses.insert("s".into(), rank("read"));
        let damage = compare(&promises, &found, &[accepted("x"), accepted("x")]);
        assert_eq!((damage.lost, damage.doubled, damage.out_of_order), (1, 1, 2));
        assert_eq!((damage.sends_lost, damage.double_sends, damage.statuses_lost), (1, 1, 1));
    }

    #[test]
    fn requests_under_way_together_may_overtake_each_other() {
        let mut promises = promised(&["a"]);
        promises.inbound.insert("b".into(), Span { sent: 1, acknowledged: 3 });
        assert_eq!(compare(&promises, &[vec![inbound("b"), inbound("a")]], &[]).out_of_order, 0);
    }
}
