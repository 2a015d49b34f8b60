use protocol::fact::{Fact, MessageStatus};
use store::engine::{FactLane, FactPosition};
use store::records::*;

use super::facts::{ACME, Chat, OTHER, batch, minute, project};
use super::{Backend, fresh};

pub(super) async fn projects_once<B: Backend>() {
    let backend = B::new().await;
    let records = backend.open().await;
    let chat = Chat::with(ACME, 1);
    let events = [chat.started(minute(0)), chat.received(minute(0), 1, "ciao")];
    let facts = batch(FactLane(0), 0, events.to_vec());
    assert_eq!(records.project(facts.clone()).await.unwrap(), 2);
    assert_eq!(records.project(facts).await.unwrap(), 0, "the same positions");
    let elsewhere = batch(FactLane(7), 0, vec![Chat::with(OTHER, 1).started(minute(1))]);
    assert_eq!(records.project(elsewhere).await.unwrap(), 1, "each lane counts for itself");
    assert_eq!(
        records.projected().await.unwrap(),
        [(FactLane(0), FactPosition(2)), (FactLane(7), FactPosition(1))]
    );
    let row = records.conversation(ACME, chat.id()).await.unwrap().unwrap();
    assert_eq!(row.unread, 1);
}

pub(super) async fn records_belong_to_one_engine<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    records.bind(7).await.unwrap();
    records.bind(7).await.unwrap();
    assert!(matches!(records.bind(8).await, Err(RecordsError::Incompatible(_))));
}

pub(super) async fn facts_behind_a_gap_are_refused<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let behind = batch(FactLane(0), 3, vec![Chat::with(ACME, 1).started(minute(0))]);
    assert!(matches!(records.project(behind).await, Err(RecordsError::CursorMoved("projector"))));
    assert_eq!(records.last_event().await.unwrap(), EventSeq(0));
    let (lane, after, through) = (FactLane(0), FactPosition(0), FactPosition(3));
    let unreadable = FactBatch { lanes: vec![LaneStep { lane, after, through }], events: vec![] };
    assert_eq!(records.project(unreadable).await.unwrap(), 0);
    assert_eq!(records.projected().await.unwrap(), [(lane, through)], "what cannot be read is passed");
}

pub(super) async fn survives_reopening<B: Backend>() {
    let backend = B::new().await;
    let records = backend.open().await;
    let chat = Chat::with(ACME, 1);
    project(&records, vec![chat.started(minute(0)), chat.received(minute(0), 1, "ciao")]).await;
    records.close().await.unwrap();
    assert!(matches!(records.projected().await, Err(RecordsError::Closed)));
    let records = backend.open().await;
    assert_eq!(records.projected().await.unwrap(), [(FactLane(0), FactPosition(2))]);
    assert_eq!(records.last_event().await.unwrap(), EventSeq(2));
    assert!(records.conversation(ACME, chat.id()).await.unwrap().is_some());
}

pub(super) async fn rebuilds_what_is_derived<B: Backend>() {
    let backend = B::new().await;
    let records = backend.open().await;
    for person in 0..30 {
        let chat = Chat::with(ACME, person);
        let events = vec![
            chat.started(minute(0)),
            chat.named(minute(0), "Anna Rossi"),
            chat.received(minute(1), 1, "ciao"),
            chat.queued(minute(2), 2, protocol::command::Party::Bot, "salve"),
            chat.status(minute(3), 2, MessageStatus::Delivered),
            chat.event(minute(4), Fact::DeadLettered { reason: "test".into() }),
        ];
        project(&records, events).await;
    }
    let before = everything(&records).await;
    assert_eq!(before.0.len(), 30);
    assert_eq!(records.rebuild().await.unwrap(), 180);
    assert_eq!(everything(&records).await, before);
    let again = project(&records, vec![Chat::with(ACME, 0).received(minute(9), 9, "still here")]).await;
    assert_eq!(again, 1);
}

async fn everything(
    records: &impl Records,
) -> (Vec<ConversationRecord>, Vec<MessageRecord>, Vec<AuditEntry>, Vec<ContactRecord>) {
    let page = PageRequest::first(200);
    let conversations = records.conversations(ACME, Filter::All(vec![]), page.clone()).await.unwrap().data;
    let mut messages = Vec::new();
    for row in &conversations {
        let query = MessageQuery {
            tenant: ACME,
            conversation: row.id,
            attachments_only: false,
            order: Order::OldestFirst,
            page: page.clone(),
        };
        messages.extend(records.messages(query).await.unwrap().data);
    }
    let audit = records.audit(ACME, AuditQuery::default(), page.clone()).await.unwrap().data;
    let contacts = records.contacts(ACME, Some("ros anna".into()), page).await.unwrap().data;
    (conversations, messages, audit, contacts)
}

pub(super) async fn a_failed_batch_changes_nothing<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chat = Chat::with(ACME, 1);
    project(&records, vec![chat.started(minute(0))]).await;
    let advance = Advance { consumer: "meter", from: EventSeq(7), to: EventSeq(8) };
    let counters = vec![("free".into(), 1)];
    let commit = MeterCommit { counters, ..MeterCommit::of(advance) };
    assert!(records.meter_commit(commit).await.is_err());
    let load = records.meter_load(vec![], vec!["free".into()]).await.unwrap();
    assert_eq!(load.counters, [0]);
}

pub(super) async fn events_are_read_in_order<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let (mine, theirs) = (Chat::with(ACME, 1), Chat::with(OTHER, 1));
    let events = vec![
        mine.started(minute(0)),
        theirs.started(minute(0)),
        mine.received(minute(1), 1, "a"),
        mine.received(minute(2), 2, "b"),
    ];
    project(&records, events.clone()).await;
    let read = |tenant, after, limit| records.events(EventQuery { tenant, after: EventSeq(after), limit });
    let all = read(None, 0, 100).await.unwrap();
    assert_eq!(all.iter().map(|stored| stored.event.clone()).collect::<Vec<_>>(), events);
    assert_eq!(all.iter().map(|stored| stored.seq.0).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let places = |found: Vec<StoredEvent>| found.iter().map(|stored| stored.seq.0).collect::<Vec<_>>();
    assert_eq!(places(read(Some(ACME), 1, 1).await.unwrap()), [3]);
    assert_eq!(places(read(None, u64::MAX, 9).await.unwrap()), [0; 0]);
    project(&records, vec![mine.received(minute(3), 3, "c"), theirs.received(minute(3), 3, "c")]).await;
    let history =
        |tenant, before: Option<u64>, limit| records.history(tenant, mine.id(), before.map(EventSeq), limit);
    assert_eq!(places(history(ACME, None, 9).await.unwrap()), [5, 4, 3, 1]);
    assert_eq!(places(history(ACME, Some(4), 1).await.unwrap()), [3]);
    assert_eq!(places(history(ACME, Some(1), 9).await.unwrap()), [0; 0]);
    assert_eq!(places(history(OTHER, None, 9).await.unwrap()), [0; 0]);
}

pub(super) async fn a_cursor_moves_only_from_where_it_stood<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let step = |from, to| Advance { consumer: "meter", from: EventSeq(from), to: EventSeq(to) };
    records.advance(step(0, 5)).await.unwrap();
    assert!(matches!(records.advance(step(0, 6)).await, Err(RecordsError::CursorMoved("meter"))));
    records.advance(step(5, 6)).await.unwrap();
    assert_eq!(records.cursor("meter").await.unwrap(), EventSeq(6));
    assert_eq!(records.cursor("notifier").await.unwrap(), EventSeq(0));
}

pub(super) async fn sync_answers_what_is_durable<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    assert_eq!(records.sync().await.unwrap(), []);
    project(&records, vec![Chat::with(ACME, 1).started(minute(0))]).await;
    assert_eq!(records.sync().await.unwrap(), [(FactLane(0), FactPosition(1))]);
}
