use futures_util::future::{join_all, try_join_all};
use protocol::entry::Identity;
use protocol::fact::{Event, Fact};
use protocol::id::NumberId;
use store::engine::FactLane;
use store::records::*;

use super::super::facts::{ACME, Chat, batch, minute, project};
use super::super::{Backend as _, fresh};
use super::Postgres;

/// Lanes that are projected at once, each by a node of its own.
const NODES: u16 = 6;
/// Batches of each.
const BATCHES: u64 = 25;

fn chat(lane: u16) -> Chat {
    Chat { number: NumberId(20 + u128::from(lane)), ..Chat::with(ACME, 1) }
}

async fn project_lane(records: &PostgresRecords, lane: u16) {
    let chat = chat(lane);
    for n in 0..BATCHES {
        let mut events = vec![chat.received(minute(n as i64), u128::from(n), "ciao")];
        if n == 0 {
            events.insert(0, chat.started(minute(0)));
        }
        let after = if n == 0 { 0 } else { n + 1 };
        records.project(batch(FactLane(lane), after, events)).await.unwrap();
    }
}

/// Follows the events as a consumer does, until all have come.
async fn follow(records: &PostgresRecords) -> Vec<Event> {
    let (mut found, mut after) = (Vec::new(), EventSeq(0));
    while found.len() < usize::from(NODES) * (BATCHES as usize + 1) {
        let query = EventQuery { after, limit: 7, ..EventQuery::default() };
        for stored in records.events(query).await.unwrap() {
            assert!(stored.seq > after);
            after = stored.seq;
            found.push(stored.event);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_reader_skips_an_event_of_nodes_that_project_at_once() {
    let database = Postgres::new().await;
    let nodes = join_all((0..=NODES).map(|_| database.open())).await;
    let projecting = join_all((0..NODES).zip(&nodes).map(|(lane, node)| project_lane(node, lane)));
    let (_, found) = tokio::join!(projecting, follow(&nodes[usize::from(NODES)]));
    for lane in 0..NODES {
        let mine: Vec<_> = found.iter().filter(|event| event.conversation == Some(chat(lane).id())).collect();
        assert_eq!(mine.len() as u64, BATCHES + 1);
        assert!(mine.is_sorted_by_key(|event| event.at), "in the order of the lane");
        let row = nodes[0].conversation(ACME, chat(lane).id()).await.unwrap().unwrap();
        assert_eq!(u64::from(row.unread), BATCHES);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f6_nodes_that_learn_about_one_person_at_once_lose_nothing() {
    let database = Postgres::new().await;
    let nodes = join_all((0..4).map(|_| database.open())).await;
    // One contact on four numbers; each node learns something else about the person.
    let learned = [
        Identity { profile_name: Some("Anna Rossi".into()), ..Identity::default() },
        Identity { username: Some("annar".into()), ..Identity::default() },
        Identity { bsuid: Some(protocol::id::Bsuid("IT.123".into())), ..Identity::default() },
        Identity::default(),
    ];
    let tell = (0..4).zip(&nodes).zip(learned).map(|((lane, node), identity)| {
        let events = vec![
            chat(lane).started(minute(4 - i64::from(lane))),
            chat(lane).event(minute(5), Fact::ContactIdentified(identity)),
        ];
        node.project(batch(FactLane(lane), 0, events))
    });
    try_join_all(tell).await.unwrap();
    let found = nodes[0].contacts(ACME, Some("anna ross".into()), PageRequest::first(9)).await.unwrap().data;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].username.as_deref(), Some("annar"));
    assert_eq!(found[0].bsuid.as_ref().map(|bsuid| bsuid.as_str()), Some("IT.123"));
    assert_eq!(found[0].created_at, minute(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_lane_projected_twice_counts_once() {
    let database = Postgres::new().await;
    let nodes = join_all((0..4).map(|_| database.open())).await;
    let events: Vec<_> = (0..50).map(|n| chat(0).received(minute(n), n as u128, "ciao")).collect();
    let events = [vec![chat(0).started(minute(0))], events].concat();
    let same = nodes.iter().map(|node| node.project(batch(FactLane(0), 0, events.clone())));
    let new: usize = try_join_all(same).await.unwrap().into_iter().sum();
    assert_eq!(new, 51);
    assert_eq!(nodes[0].last_event().await.unwrap(), EventSeq(51));
    assert_eq!(nodes[1].conversation(ACME, chat(0).id()).await.unwrap().unwrap().unread, 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_several_consumers_moves_the_cursor() {
    let database = Postgres::new().await;
    let nodes = join_all((0..4).map(|_| database.open())).await;
    for from in 0..20 {
        let advance = Advance { consumer: "meter", from: EventSeq(from), to: EventSeq(from + 1) };
        let commit = |n: i64| MeterCommit { counters: vec![("last".into(), n)], ..MeterCommit::of(advance) };
        let tried = join_all((0..).zip(&nodes).map(|(n, node)| node.meter_commit(commit(n)))).await;
        let done: Vec<_> = (0..).zip(&tried).filter(|(_, answer)| answer.is_ok()).map(|(n, _)| n).collect();
        assert_eq!(done.len(), 1, "{tried:?}");
        assert!(
            tried
                .iter()
                .flat_map(|answer| answer.as_ref().err())
                .all(|error| { matches!(error, RecordsError::CursorMoved("meter")) })
        );
        assert_eq!(nodes[0].meter_load(vec![], vec!["last".into()]).await.unwrap().counters, done);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_several_callers_gets_a_key() {
    let database = Postgres::new().await;
    let nodes = join_all((0..4).map(|_| database.open())).await;
    for key in 0..10 {
        let tried = nodes.iter().map(|node| node.claim_key(ACME, format!("k{key}"), 7, minute(0)));
        let claims = try_join_all(tried).await.unwrap();
        assert_eq!(claims.iter().filter(|claim| **claim == Claim::Fresh).count(), 1, "{claims:?}");
    }
}

#[tokio::test]
async fn what_has_no_place_in_text_does_not_stop_the_projection() {
    let (_database, records) = fresh::<Postgres>().await;
    let named = chat(0).named(minute(0), "An\0na");
    project(&records, vec![chat(0).started(minute(0)), named, chat(0).received(minute(1), 1, "a\0b")]).await;
    let row = records.conversation(ACME, chat(0).id()).await.unwrap().unwrap();
    assert_eq!(row.contact.profile_name.as_deref(), Some("An\u{fffd}na"));
    assert_eq!(row.unread, 1);
}
