use store::engine::FactLane;
use store::records::*;

use super::super::facts::{ACME, Chat, batch, minute};
use super::super::server::Server;

#[tokio::test]
async fn what_was_answered_survives_a_crash_of_the_server() {
    let mut server = Server::start();
    let records = PostgresRecords::connect(&server.url("postgres")).await.unwrap();
    let (lane, chat) = (FactLane(0), Chat::with(ACME, 1));
    let first = batch(lane, 0, vec![chat.started(minute(0)), chat.received(minute(0), 1, "a")]);
    let second = batch(lane, 2, vec![chat.received(minute(1), 2, "b")]);
    assert_eq!(records.project(first.clone()).await.unwrap(), 2);
    server.kill();
    assert!(matches!(records.project(second.clone()).await, Err(RecordsError::Failed(_))));
    assert!(matches!(records.revision().await, Err(RecordsError::Failed(_))));
    server.restart();
    assert_eq!(records.project(first).await.unwrap(), 0);
    assert_eq!(records.project(second).await.unwrap(), 1);
    let row = records.conversation(ACME, chat.id()).await.unwrap().unwrap();
    assert_eq!((row.unread, records.last_event().await.unwrap()), (2, EventSeq(3)));
}
