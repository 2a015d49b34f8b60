//! However facts are cut into batches, repeated, rebuilt or replayed, the same rows come out.

use proptest::prelude::*;
use protocol::command::Party;
use protocol::fact::{Event, Fact, MessageStatus};
use store::engine::FactLane;
use store::records::*;

use super::facts::{ACME, ANNA, Chat, batch, minute, owned_by, project, user};
use super::postgres::Postgres;
use super::{Backend, Sqlite, fresh};

fn statuses() -> impl Strategy<Value = MessageStatus> {
    prop::sample::select(vec![
        MessageStatus::Claimed,
        MessageStatus::Held,
        MessageStatus::Sent,
        MessageStatus::Delivered,
        MessageStatus::Read,
        MessageStatus::Failed,
        MessageStatus::Unknown,
    ])
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let step = (0u64..3, 0u8..6, any::<prop::sample::Index>(), statuses());
    prop::collection::vec(step, 1..40).prop_map(|steps| {
        let begin = (0..3).map(|person| Chat::with(ACME, person).started(minute(0)));
        let then = (1u128..).zip(steps).map(|(n, (person, kind, earlier, status))| {
            let (chat, at) = (Chat::with(ACME, person), minute(n as i64));
            match kind {
                0 => chat.received(at, n, "ciao"),
                1 => chat.queued(at, n, user(ANNA), "salve"),
                2 => chat.queued(at, n, Party::Bot, "salve"),
                3 => chat.event(at, Fact::OwnerChanged { owner: owned_by(ANNA), by: Party::Gateway }),
                4 => chat.event(at, Fact::ConversationRead { by: user(ANNA) }),
                _ => chat.status(at, earlier.index(n as usize) as u128, status),
            }
        });
        begin.chain(then).collect()
    })
}

async fn rows(records: &impl Records) -> (Vec<ConversationRecord>, Vec<MessageRecord>) {
    let page = PageRequest::first(100);
    let conversations = records.conversations(ACME, Filter::All(vec![]), page.clone()).await.unwrap().data;
    let mut messages = Vec::new();
    for row in &conversations {
        let query = MessageQuery {
            tenant: ACME,
            conversation: row.id,
            attachments_only: false,
            order: Order::NewestFirst,
            page: page.clone(),
        };
        messages.extend(records.messages(query).await.unwrap().data);
    }
    (conversations, messages)
}

async fn both_come_to_the_same<B: Backend>(events: Vec<Event>, cut: usize) {
    let ((_a, whole), (_b, pieces)) = (fresh::<B>().await, fresh::<B>().await);
    project(&whole, events.clone()).await;
    for (n, facts) in (0u64..).zip(events.chunks(cut)) {
        let facts = batch(FactLane(0), n * cut as u64, facts.to_vec());
        assert_eq!(pieces.project(facts.clone()).await.unwrap(), facts.events.len());
        assert_eq!(pieces.project(facts).await.unwrap(), 0);
    }
    let expected = rows(&whole).await;
    assert_eq!(rows(&pieces).await, expected);
    for row in expected.0.iter().cloned() {
        let replay = pieces.replay(ACME, row.id).await.unwrap().unwrap();
        assert_eq!((replay.replayed.as_ref(), &replay.differing), (Some(&row), &vec![]), "F3");
        assert_eq!(replay.stored, row);
    }
    pieces.rebuild().await.unwrap();
    assert_eq!(rows(&pieces).await, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn p3_batches_and_repetitions_change_nothing(events in events(), cut in 1usize..7) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(both_come_to_the_same::<Sqlite>(events, cut));
    }
}

proptest! {
    // A database takes longer to make than a file, and the fold is the same.
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn p3_batches_and_repetitions_change_nothing_in_postgres(events in events(), cut in 1usize..7) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(both_come_to_the_same::<Postgres>(events, cut));
    }
}
