//! Records in one SQLite file.
//!
//! **One file, two durabilities.** The database runs in WAL mode with `synchronous=NORMAL`: a killed process loses
//! nothing, a power failure may undo the newest transactions, always a suffix of them. That suits projections and
//! consumers, which do the same again. What exists nowhere else (documents, read marks) is written with
//! `synchronous=FULL` for its own transaction; the fsync of the log makes everything before it durable as well. Two
//! files would lose that order: a consumer's cursor could survive in one while its events are gone from the other.
//!
//! **One writer.** SQLite has one anyway; a thread of its own behind a bounded queue makes callers wait without
//! blocking an executor. Readers are a few connections, lent to blocking tasks.

mod readers;
mod schema;
mod session;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rusqlite::Connection;

use super::sql::{Database, Durability, rebuild_step};
use super::{RecordsError, RecordsResult};
use readers::Readers;
use session::Session;
use writer::Writer;

/// Name of the database within the data folder.
const FILE: &str = "records.sqlite";

/// The records of one process. Cheap to share behind an `Arc`.
pub struct SqliteRecords {
    writer: Writer,
    readers: Arc<Readers>,
}

impl SqliteRecords {
    /// Opens the records under a folder, creating or migrating them as needed. Blocks.
    ///
    /// # Errors
    /// [`RecordsError::Incompatible`] when a newer version wrote them, otherwise what the disk says.
    pub fn open(folder: &Path) -> RecordsResult<Self> {
        std::fs::create_dir_all(folder).map_err(|error| RecordsError::Failed(error.into()))?;
        let path = folder.join(FILE);
        let mut session = connect(&path)?;
        schema::migrate(&mut session.0)?;
        while session.transaction(Durability::Process, |db| rebuild_step(db).boxed())? {}
        Ok(Self { writer: Writer::start(session)?, readers: Arc::new(Readers::new(path)) })
    }
}

impl Database for SqliteRecords {
    type Session = Session;

    async fn read<T: Send + 'static>(
        &self,
        job: impl for<'a> FnOnce(&'a mut Session) -> BoxFuture<'a, RecordsResult<T>> + Send + 'static,
    ) -> RecordsResult<T> {
        Arc::clone(&self.readers).run(move |session| session.run_job(job)).await
    }

    async fn snapshot<T: Send + 'static>(
        &self,
        job: impl for<'a> FnOnce(&'a mut Session) -> BoxFuture<'a, RecordsResult<T>> + Send + 'static,
    ) -> RecordsResult<T> {
        Arc::clone(&self.readers).run(move |session| session.snapshot(job)).await
    }

    async fn write<T: Send + 'static>(
        &self,
        durability: Durability,
        job: impl for<'a> FnOnce(&'a mut Session) -> BoxFuture<'a, RecordsResult<T>> + Send + 'static,
    ) -> RecordsResult<T> {
        self.writer.run(durability, job).await
    }

    async fn close(&self) -> RecordsResult<()> {
        self.readers.close();
        self.writer.close().await
    }
}

fn connect(path: &PathBuf) -> RecordsResult<Session> {
    let connection = Connection::open(path)?;
    schema::tune(&connection)?;
    Ok(Session(connection))
}

#[cfg(test)]
mod tests {
    use protocol::fact::{Event, Fact};
    use protocol::id::{ConversationId, EventId, TenantId};
    use protocol::time::TimestampMs;

    use super::super::sql::begin_rebuild;
    use super::*;
    use crate::engine::{FactLane, FactPosition};
    use crate::records::{Audit, AuditQuery, FactBatch, LaneStep, PageRequest, Projection as _};

    #[tokio::test]
    async fn an_interrupted_rebuild_is_finished_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let records = SqliteRecords::open(folder.path()).unwrap();
        let event = Event {
            id: EventId(1),
            at: TimestampMs(1),
            traceparent: None,
            tenant: Some(TenantId(1)),
            conversation: Some(ConversationId(1)),
            fact: Fact::DeadLettered { reason: "test".into() },
        };
        let (lane, after, through) = (FactLane(0), FactPosition(0), FactPosition(1));
        let batch = FactBatch {
            lanes: vec![LaneStep { lane, after, through }],
            events: vec![(lane, through, event)],
        };
        records.project(batch).await.unwrap();
        records.write(Durability::Process, |db| begin_rebuild(db).boxed()).await.unwrap();
        let lines = async |records: &SqliteRecords| {
            let page = PageRequest::first(9);
            records.audit(TenantId(1), AuditQuery::default(), page).await.unwrap().data.len()
        };
        assert_eq!(lines(&records).await, 0);
        Database::close(&records).await.unwrap();
        let records = SqliteRecords::open(folder.path()).unwrap();
        assert_eq!(lines(&records).await, 1);
    }
}
