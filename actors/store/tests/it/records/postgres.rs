//! PostgreSQL: the store of the suite, and what only several nodes can do to it.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use store::records::PostgresRecords;
use tokio_postgres::{Client, NoTls};

use super::Backend;
use super::server::Server;

mod away;
mod nodes;
mod schema;

/// One server for all tests, each of which makes a database of its own.
static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

/// A database.
pub(super) struct Postgres(String);

impl Backend for Postgres {
    type Store = PostgresRecords;

    async fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", MADE.fetch_add(1, Ordering::Relaxed));
        client(&SERVER.url("postgres"))
            .await
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        Self(SERVER.url(&name))
    }

    async fn open(&self) -> PostgresRecords {
        PostgresRecords::connect(&self.0).await.unwrap()
    }
}

impl Postgres {
    /// A connection past the store.
    pub(super) async fn client(&self) -> Client {
        client(&self.0).await
    }
}

async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
