//! Apply files against real records.

use std::path::Path;

use gateway::apply;
use protocol::time::TimestampMs;
use store::records::SqliteRecords;
use store::records::{DocumentKind, Documents as _};

use crate::harness::TENANT;

fn resolved(text: &str) -> apply::Resolved {
    apply::parse(Path::new("tenant.yaml"), &text.replace("{provider}", "http://127.0.0.1:9")).unwrap()
}

#[actix_web::test]
async fn applying_twice_changes_nothing_and_a_changed_flow_becomes_its_next_version() {
    let folder = tempfile::tempdir().unwrap();
    let records = SqliteRecords::open(folder.path()).unwrap();
    let now = TimestampMs(1_790_000_000_000);
    let first = apply::write(&records, resolved(TENANT), now).await.unwrap();
    assert_eq!((first.changed, first.unchanged), (0, 0));
    let (revision, directory) = records.load_directory().await.unwrap();
    assert_eq!(directory.phone_numbers.len(), 1);
    assert_eq!(directory.keys.len(), 4);

    let second = apply::write(&records, resolved(TENANT), now).await.unwrap();
    assert_eq!((second.created, second.changed, second.unchanged), (0, 0, first.created));
    assert_eq!(records.revision().await.unwrap(), revision);

    let asked_otherwise = TENANT.replace("Come ti chiami?", "Il tuo nome?");
    let third = apply::write(&records, resolved(&asked_otherwise), now).await.unwrap();
    assert_eq!((third.created, third.changed), (1, 0), "a version of its own beside the old one");
    let tenant = gateway::ids::tenant("tests");
    let flows = records.documents(DocumentKind::Flow, Some(tenant)).await.unwrap();
    let ids: Vec<_> = flows.iter().map(|flow| flow.id.as_str()).collect();
    assert_eq!(ids, ["TEST0001@1", "TEST0001@2"]);
    assert_eq!(apply::write(&records, resolved(&asked_otherwise), now).await.unwrap().created, 0);
}
