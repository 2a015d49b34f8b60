//! What must hold at the end of every run.

use std::collections::BTreeMap;

use protocol::fact::{Fact, MessageStatus};
use protocol::id::MessageId;
use protocol::time::SpanMs;

use super::cluster::Cluster;
use super::people::Person;
use super::provider::Taken;

/// How long after an opt-out is durable a message may still leave: it was under way, or the log was not applied yet
/// because no node lived.
const OPT_OUT_GRACE: SpanMs = SpanMs::seconds(60);

pub(super) async fn everything(seed: u64, cluster: &Cluster, people: &[std::sync::Arc<Person>]) {
    let ledger = cluster.provider.ledger();
    let mut posts: BTreeMap<MessageId, Vec<&Taken>> = BTreeMap::new();
    for taken in &ledger {
        posts.entry(taken.id.message).or_default().push(taken);
    }
    for (message, taken) in &posts {
        let history = history(cluster, *message).await;
        assert_eq!(taken.len(), 1, "seed {seed}: {message} was sent twice: {taken:#?}\n{history}");
    }
    for person in people {
        let facts = cluster.world.facts(person.address.conversation).await;
        received_once(seed, person, &facts);
        let last = statuses(seed, &facts);
        accounted_for(seed, person, &posts, &last);
        in_order(seed, person, &ledger);
        opt_out_held(seed, person, &ledger);
    }
    owned_once(seed, cluster);
    assert!(
        cluster.world.engine.dead_letters(None, 10).await.unwrap().is_empty(),
        "seed {seed}: dead letters"
    );
    assert_eq!(
        cluster.world.engine.stats().backlog_entries,
        0,
        "seed {seed}: the log was applied to its end"
    );
}

/// What the facts say about a message, for whoever has to find out what went wrong.
async fn history(cluster: &Cluster, message: MessageId) -> String {
    let about = |event: &protocol::fact::Event| match &event.fact {
        Fact::MessageQueued { message: of, .. }
        | Fact::StatusChanged { message: of, .. }
        | Fact::AttemptFailed { message: of, .. } => *of == message,
        _ => false,
    };
    let events = cluster.world.all_facts().await.into_iter().filter(about);
    events.map(|event| format!("{} {:?}\n", event.at, event.fact)).collect()
}

/// In the end every shard is with one node.
fn owned_once(seed: u64, cluster: &Cluster) {
    let views = cluster.nodes().into_iter().flat_map(|node| node.shards());
    let mut owned: Vec<_> = views.filter(|view| view.owned).map(|view| view.shard).collect();
    owned.sort_unstable();
    assert_eq!(owned, (0..super::SHARDS).collect::<Vec<_>>(), "seed {seed}: who owns what");
}

/// Every webhook that was accepted was applied, once.
fn received_once(seed: u64, person: &Person, facts: &[Fact]) {
    for id in person.received() {
        let ours =
            |fact: &&Fact| matches!(fact, Fact::MessageReceived { provider_id, .. } if *provider_id == id);
        assert_eq!(facts.iter().filter(ours).count(), 1, "seed {seed}: {id}");
    }
}

/// The last status of every message; none of them ever went back.
fn statuses(seed: u64, facts: &[Fact]) -> BTreeMap<MessageId, MessageStatus> {
    let mut last = BTreeMap::new();
    for fact in facts {
        let Fact::StatusChanged { message, status, .. } = fact else { continue };
        let before = last.insert(*message, *status);
        // A message that provably never left is claimed again; everything else moves up.
        let again = before == Some(MessageStatus::Claimed) && *status == MessageStatus::Claimed;
        let forward = before.is_none_or(|before: MessageStatus| before.may_become(*status));
        assert!(again || forward, "seed {seed}: {message} went from {before:?} to {status:?}");
    }
    last
}

/// A message of which the service was told that it is on its way left, or people are told why not.
fn accounted_for(
    seed: u64,
    person: &Person,
    posts: &BTreeMap<MessageId, Vec<&Taken>>,
    last: &BTreeMap<MessageId, MessageStatus>,
) {
    use MessageStatus::{Delivered, Failed, Read, Refused, Sent, Unknown};
    for (text, message) in person.sent() {
        let status = last.get(&message).copied();
        let posted = posts.get(&message).map(|taken| taken[0]);
        let fits = match posted {
            Some(taken) if taken.reported => matches!(status, Some(Sent | Delivered | Read)),
            Some(_) => matches!(status, Some(Sent | Delivered | Read | Unknown)),
            None => matches!(status, Some(Unknown | Failed | Refused)),
        };
        assert!(fits, "seed {seed}: `{text}` {message} is {status:?}, posted: {posted:?}");
    }
}

/// What the service sent to one contact reached the provider in the order of sending.
fn in_order(seed: u64, person: &Person, ledger: &[Taken]) {
    let theirs = ledger.iter().filter(|taken| taken.id.conversation == person.address.conversation);
    let numbers: Vec<_> =
        theirs.filter(|taken| taken.text.parse::<u32>().is_ok()).map(|taken| &taken.text).collect();
    assert!(numbers.is_sorted(), "seed {seed}: {numbers:?}");
}

/// After an opt-out only its confirmation leaves.
fn opt_out_held(seed: u64, person: &Person, ledger: &[Taken]) {
    let Some(since) = person.opted_out_at() else { return };
    let theirs = ledger.iter().filter(|taken| taken.id.conversation == person.address.conversation);
    for taken in theirs.filter(|taken| taken.text.parse::<u32>().is_ok()) {
        assert!(taken.at <= since + OPT_OUT_GRACE, "seed {seed}: `{}` left after the opt-out", taken.text);
    }
}
