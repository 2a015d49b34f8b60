use futures_util::future::join_all;
use store::records::*;

use super::super::Backend as _;
use super::super::facts::{ACME, Chat, minute, project};
use super::Postgres;

#[tokio::test]
async fn nodes_may_start_at_once() {
    let database = Postgres::new().await;
    let nodes = join_all((0..8).map(|_| database.open())).await;
    for (person, node) in (0..).zip(&nodes) {
        project(node, vec![Chat::with(ACME, person).started(minute(0))]).await;
    }
    assert_eq!(nodes[0].last_event().await.unwrap(), EventSeq(8));
    let rows = database.client().await.query("SELECT version FROM schema_version", &[]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get::<_, i64>(0)).collect::<Vec<_>>(), [13], "migrated once");
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let database = Postgres::new().await;
    database.open().await.close().await.unwrap();
    database.client().await.batch_execute("UPDATE schema_version SET version = 99").await.unwrap();
    let error = PostgresRecords::connect(&database.0).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "the records were written by a newer version (schema 99, this one knows 13): use that version"
    );
}

#[tokio::test]
async fn addresses_that_cannot_be_used_are_explained() {
    for (url, expected) in [
        ("redis://localhost", "must begin with postgres:// or postgresql://"),
        (
            "postgres:///records?user=gateway",
            "names no host: write postgres://HOST/DATABASE, or ?host=/run/postgresql for a socket",
        ),
        ("postgres://u:secret@h/db?sslmode=verify", "invalid value for option `sslmode`"),
    ] {
        let error = PostgresRecords::check_url(url).unwrap_err().to_string();
        assert_eq!(error, expected);
    }
}

#[tokio::test]
async fn a_server_without_tls_is_refused_when_tls_is_required() {
    let database = Postgres::new().await;
    let error = PostgresRecords::connect(&format!("{}&sslmode=require", database.0)).await.err().unwrap();
    let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(source.contains("TLS"), "{source}");
}
