//! What the query layer asks of a database.
//!
//! The SQL is what SQLite and PostgreSQL both understand. Parameters are written `?1`, `?2` … and are the only place
//! of values; yes and no are 1 and 0; ids are bytes.

use futures_util::future::BoxFuture;
use protocol::id::ContactId;

use super::super::RecordsResult;
use super::cells::Cells;
use super::value::{Value, Values};
use crate::engine::FactLane;

/// A database with connections of its kind.
pub(crate) trait Database: Send + Sync + 'static {
    /// A connection that statements run on.
    type Session: Sql;

    /// Runs queries, each of which sees what is committed when it begins.
    fn read<T: Send + 'static>(
        &self,
        job: impl for<'a> FnOnce(&'a mut Self::Session) -> BoxFuture<'a, RecordsResult<T>> + Send + 'static,
    ) -> impl Future<Output = RecordsResult<T>> + Send;

    /// Runs queries that all see the same moment.
    fn snapshot<T: Send + 'static>(
        &self,
        job: impl for<'a> FnOnce(&'a mut Self::Session) -> BoxFuture<'a, RecordsResult<T>> + Send + 'static,
    ) -> impl Future<Output = RecordsResult<T>> + Send;

    /// Runs a transaction: committed if the job succeeds, undone if it fails or panics.
    fn write<T: Send + 'static>(
        &self,
        durability: Durability,
        job: impl for<'a> FnOnce(&'a mut Self::Session) -> BoxFuture<'a, RecordsResult<T>> + Send + 'static,
    ) -> impl Future<Output = RecordsResult<T>> + Send;

    /// Finishes what is under way; every later call is answered [`super::super::RecordsError::Closed`].
    fn close(&self) -> impl Future<Output = RecordsResult<()>> + Send;
}

/// What a finished transaction survives, at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The end of the process.
    Process,
    /// A power failure.
    Disk,
}

/// A connection, within a transaction or outside.
pub(crate) trait Sql: Send {
    /// All rows of a query.
    fn all<T: Send>(
        &mut self,
        sql: &str,
        values: Values<'_>,
        decode: impl Fn(&mut Cells<'_>) -> RecordsResult<T> + Send,
    ) -> impl Future<Output = RecordsResult<Vec<T>>> + Send;

    /// The rows of many keys in one call, in any order. The text has one parameter and selects by `IN (?1)`.
    fn of_keys<T: Send>(
        &mut self,
        sql: &str,
        keys: Values<'_>,
        decode: impl Fn(&mut Cells<'_>) -> RecordsResult<T> + Send,
    ) -> impl Future<Output = RecordsResult<Vec<T>>> + Send;

    /// Changes rows; answers how many.
    fn run(&mut self, sql: &str, values: Values<'_>) -> impl Future<Output = RecordsResult<u64>> + Send;

    /// Runs the same statement for each set of values, in order.
    fn run_each(
        &mut self,
        sql: &str,
        rows: Vec<Values<'_>>,
    ) -> impl Future<Output = RecordsResult<()>> + Send;

    /// Inserts rows. No two of them may meet the same row of the table if a conflict updates it.
    fn insert(
        &mut self,
        insert: &Insert,
        rows: Vec<Values<'_>>,
    ) -> impl Future<Output = RecordsResult<()>> + Send;

    /// Waits until nobody else holds these, and holds them until the transaction ends. Nothing to do for a database
    /// that has one writer at a time.
    fn lock(&mut self, locks: Vec<Lock>) -> impl Future<Output = RecordsResult<()>> + Send;
}

/// What one transaction at a time may do. Whoever needs several takes them in the order of this list: then nobody
/// waits for somebody who waits for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lock {
    /// Rebuilding what follows from facts.
    Rebuild,
    /// Projecting the facts of a lane.
    Lane(FactLane),
    /// Writing documents: versions are numbered in the order of commits.
    Documents,
    /// Changing a contact, which may be known on several numbers and thus to several writers.
    Contact(ContactId),
    /// Appending events. Held until the commit, so that places become visible in their order: a reader that has
    /// seen one place never finds a smaller one later.
    Events,
    /// Adding and removing files: a content must not be taken by one message while the erasure of another removes it.
    Files,
}

/// An insert of many rows.
#[derive(Debug)]
pub(crate) struct Insert {
    /// Into this table.
    pub(crate) table: &'static str,
    /// The columns in the order of the values.
    pub(crate) columns: &'static [(&'static str, Kind)],
    /// The `ON CONFLICT` clause, if any; new values are those of the row `excluded`.
    pub(crate) conflict: &'static str,
}

/// What a column takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Numbers, times, yes and no.
    Int,
    /// Text.
    Text,
    /// Ids and other bytes.
    Bytes,
}

impl Insert {
    /// `INSERT INTO table (columns)`.
    pub(crate) fn head(&self) -> String {
        let columns: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
        format!("INSERT INTO {} ({})", self.table, columns.join(", "))
    }
}

/// The first row of a query, if there is one.
pub(super) async fn one<S: Sql, T: Send>(
    db: &mut S,
    sql: &str,
    values: Values<'_>,
    decode: impl Fn(&mut Cells<'_>) -> RecordsResult<T> + Send,
) -> RecordsResult<Option<T>> {
    Ok(db.all(sql, values, decode).await?.into_iter().next())
}

/// A number of the store as a whole, such as a revision; zero when never set.
pub(super) async fn number<S: Sql>(db: &mut S, name: &str) -> RecordsResult<u64> {
    let sql = "SELECT value FROM numbers WHERE name = ?1";
    Ok(one(db, sql, vec![Value::from(name)], |cells| cells.take()).await?.unwrap_or(0))
}

/// Sets a number of the store as a whole.
pub(super) async fn set_number<S: Sql>(db: &mut S, name: &str, value: u64) -> RecordsResult<()> {
    let sql = "INSERT INTO numbers (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2";
    db.run(sql, vec![name.into(), value.into()]).await.map(drop)
}
