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

mod audit;
mod contacts;
mod deliveries;
mod documents;
mod events;
mod filter;
mod inbox;
mod keys;
mod ledger;
mod load;
mod money;
mod notifications;
mod project;
mod readers;
mod rows;
mod save;
mod schema;
mod sql;
mod usage;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, Transaction};

use super::{RecordsError, RecordsResult};
use readers::Readers;
use writer::{Durability, Writer};

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
        let mut connection = connect(&path)?;
        schema::migrate(&mut connection)?;
        project::finish_rebuild(&mut connection)?;
        Ok(Self { writer: Writer::start(connection)?, readers: Arc::new(Readers::new(path)) })
    }

    /// Runs a transaction on the writer, with the durability of a projection.
    async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> RecordsResult<T> + Send + 'static,
    ) -> RecordsResult<T> {
        self.writer.run(Durability::Process, job).await
    }

    /// Runs a transaction on the writer that is on disk when this returns.
    async fn write_durably<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> RecordsResult<T> + Send + 'static,
    ) -> RecordsResult<T> {
        self.writer.run(Durability::Disk, job).await
    }

    /// Runs a query on one of the readers.
    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> RecordsResult<T> + Send + 'static,
    ) -> RecordsResult<T> {
        Arc::clone(&self.readers).run(query).await
    }
}

fn connect(path: &PathBuf) -> RecordsResult<Connection> {
    let connection = Connection::open(path)?;
    schema::tune(&connection)?;
    Ok(connection)
}
