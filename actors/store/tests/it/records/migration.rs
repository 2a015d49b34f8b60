//! Records that an older version wrote.

use std::fmt::Write as _;

use protocol::fact::{Event, MessageStatus};
use rusqlite::Connection;
use store::records::*;

use super::facts::{ACME, ANNA, Chat, minute, project, user};
use super::postgres::Postgres;
use super::{Backend, Sqlite};

/// A back end that runs plain SQL before it is opened for the first time.
pub(super) trait Old: Backend {
    /// Tables of version 1, and how the database knows their version.
    const VERSION_1: &str;
    /// How bytes are written: before and after their digits.
    const BYTES: (&str, &str);

    async fn run(&self, sql: &str);
}

impl Old for Sqlite {
    const VERSION_1: &str = concat!(
        include_str!("../../../src/records/sqlite/schema_1.sql"),
        include_str!("../../../src/records/sqlite/plans_1.sql"),
        "PRAGMA user_version = 1;"
    );
    const BYTES: (&str, &str) = ("X'", "'");

    async fn run(&self, sql: &str) {
        Connection::open(self.path().join("records.sqlite")).unwrap().execute_batch(sql).unwrap();
    }
}

impl Old for Postgres {
    const VERSION_1: &str = concat!(
        include_str!("../../../src/records/postgres/schema_1.sql"),
        "CREATE TABLE schema_version (version BIGINT NOT NULL); INSERT INTO schema_version VALUES (1);"
    );
    const BYTES: (&str, &str) = ("'\\x", "'");

    async fn run(&self, sql: &str) {
        self.client().await.batch_execute(sql).await.unwrap();
    }
}

fn id<B: Old>(id: u128) -> String {
    format!("{}{id:032x}{}", B::BYTES.0, B::BYTES.1)
}

/// What version 1 made of the events of a chat whose first message came and whose second one was sent.
fn rows<B: Old>(chat: &Chat, events: &[Event]) -> String {
    let (tenant, conversation) = (id::<B>(chat.tenant.0), id::<B>(chat.id().0));
    let mut sql = String::new();
    for (seq, event) in (1..).zip(events) {
        let body = serde_json::to_string(event).unwrap();
        writeln!(sql, "INSERT INTO events VALUES ({seq}, {tenant}, {conversation}, '{body}');").unwrap();
    }
    let key = serde_json::to_string(&chat.key()).unwrap();
    let (number, contact, at) =
        (id::<B>(chat.number.0), id::<B>(chat.key().contact_id(chat.tenant).0), minute(3).0);
    writeln!(
        sql,
        "INSERT INTO contacts (id, tenant, key, created_at) VALUES ({contact}, {tenant}, '{key}', {at}); \
         INSERT INTO conversations (id, tenant, number, channel, contact, created_at, mode, unread, blocked, left_chat, \
         paused, sort_at) VALUES \
         ({conversation}, {tenant}, {number}, 'whatsapp', {contact}, {at}, 'bot', 1, 0, 0, 0, {at});"
    )
    .unwrap();
    let columns = "seq, id, tenant, conversation, direction, sender, content, attachment, at, blocked, status, \
        status_rank, status_at, provider_id";
    let (received, sent) = (id::<B>(chat.message(1).0), id::<B>(chat.message(2).0));
    let content = r#"{"type":"text","body":"twice"}"#;
    writeln!(
        sql,
        "INSERT INTO messages ({columns}) VALUES \
         (2, {received}, {tenant}, {conversation}, 'inbound', 'contact', '{content}', 0, {at}, 0, NULL, -1, NULL, 'wamid.1'), \
         (3, {sent}, {tenant}, {conversation}, 'outbound', '{}', '{content}', 0, {at}, 0, 'delivered', 7, {at}, 'wamid.out2');",
        format_args!("user:{ANNA}")
    )
    .unwrap();
    sql
}

async fn messages(records: &impl Records, chat: &Chat) -> Vec<MessageRecord> {
    let (order, page) = (Order::OldestFirst, PageRequest::first(9));
    let query = MessageQuery { tenant: ACME, conversation: chat.id(), attachments_only: false, order, page };
    records.messages(query).await.unwrap().data
}

pub(super) async fn version_1_is_read<B: Old>() {
    let (backend, chat) = (B::new().await, Chat::with(ACME, 1));
    let mut events = vec![
        chat.started(minute(0)),
        chat.received(minute(1), 1, "ciao"),
        chat.queued(minute(2), 2, user(ANNA), "salve"),
        chat.status(minute(3), 2, MessageStatus::Delivered),
    ];
    backend.run(B::VERSION_1).await;
    backend.run(&rows::<B>(&chat, &events)).await;
    let records = backend.open().await;
    let old = messages(&records, &chat).await;
    assert_eq!(old.iter().map(|row| row.id).collect::<Vec<_>>(), [chat.message(1), chat.message(2)]);
    assert_eq!((old[1].status, old[1].status_at), (Some(MessageStatus::Delivered), Some(minute(3))));
    let of_number = Filter::Numbers(vec![chat.number]);
    let found = records.conversations(ACME, of_number, PageRequest::first(9)).await.unwrap().data;
    assert_eq!(found.into_iter().map(|row| row.id).collect::<Vec<_>>(), [chat.id()]);
    events.push(chat.received(minute(4), 3, "ancora"));
    project(&records, events[4..].to_vec()).await;
    let mut history = records.history(ACME, chat.id(), None, 9).await.unwrap();
    history.reverse();
    assert_eq!(history.into_iter().map(|stored| stored.event).collect::<Vec<_>>(), events);
    let known = messages(&records, &chat).await;
    assert_eq!(known[..2], old);
    records.rebuild().await.unwrap();
    assert_eq!(messages(&records, &chat).await, known, "what was migrated is what the events say");
}
