//! A connection to PostgreSQL as the query layer sees it.

use std::panic::AssertUnwindSafe;

use deadpool_postgres::Object;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, try_join_all};
use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

use super::super::limits::{CONTACT_LOCKS, STATEMENT_CACHE};
use super::super::sql::{Cells, Insert, Kind, Lock, Sql, Value, Values};
use super::super::{RecordsError, RecordsResult};

/// Takes the lock of migrations until the end of the transaction.
pub(super) const SCHEMA_LOCK: &str = "SELECT pg_advisory_xact_lock(0, 0)";

impl From<tokio_postgres::Error> for RecordsError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// A connection out of the pool.
pub(crate) struct Session(Object);

impl Session {
    pub(super) const fn new(connection: Object) -> Self {
        Self(connection)
    }

    /// Runs statements without parameters.
    pub(super) async fn batch(&mut self, sql: &str) -> RecordsResult<()> {
        Ok(self.0.batch_execute(sql).await?)
    }

    /// The version of the tables; zero when there are none.
    pub(super) async fn version(&mut self) -> RecordsResult<i64> {
        let row = self.0.query_opt("SELECT version FROM schema_version", &[]).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0))
    }

    /// Runs a job between `begin` and a commit, which it does not reach if it fails or panics.
    pub(super) async fn between<T>(
        mut self,
        begin: &str,
        job: impl for<'a> FnOnce(&'a mut Self) -> BoxFuture<'a, RecordsResult<T>>,
    ) -> RecordsResult<T> {
        self.batch(begin).await?;
        let panicked = |_| Err(RecordsError::Failed("a job of the records store panicked".into()));
        let run = AssertUnwindSafe(async { job(&mut self).await });
        let answer = match run.catch_unwind().await.unwrap_or_else(panicked) {
            Ok(answer) => self.batch("COMMIT").await.map(|()| answer),
            Err(error) => Err(error),
        };
        if answer.is_err() && self.batch("ROLLBACK").await.is_err() {
            // Whatever state it is in, nobody shall get it again.
            drop(Object::take(self.0));
        }
        answer
    }

    /// The text as PostgreSQL writes it, prepared once per connection.
    async fn prepare(&self, sql: &str) -> RecordsResult<Statement> {
        if self.0.statement_cache.size() >= STATEMENT_CACHE {
            self.0.statement_cache.clear(); // filters make ever new texts, and the server keeps each one
        }
        Ok(self.0.prepare_cached(&sql.replace('?', "$")).await?)
    }

    async fn query<T>(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
        decode: impl Fn(&mut Cells<'_>) -> RecordsResult<T>,
    ) -> RecordsResult<Vec<T>> {
        let statement = self.prepare(sql).await?;
        let rows = self.0.query(&statement, values).await?;
        rows.iter().map(|row| decode(&mut Cells::new(row))).collect()
    }
}

fn parameters<'a>(values: &'a Values<'a>) -> Vec<&'a (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl Sql for Session {
    async fn all<T: Send>(
        &mut self,
        sql: &str,
        values: Values<'_>,
        decode: impl Fn(&mut Cells<'_>) -> RecordsResult<T> + Send,
    ) -> RecordsResult<Vec<T>> {
        self.query(sql, &parameters(&values), decode).await
    }

    async fn of_keys<T: Send>(
        &mut self,
        sql: &str,
        keys: Values<'_>,
        decode: impl Fn(&mut Cells<'_>) -> RecordsResult<T> + Send,
    ) -> RecordsResult<Vec<T>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.query(&sql.replace("IN (?1)", "= ANY (?1)"), &[&keys], decode).await
    }

    async fn run(&mut self, sql: &str, values: Values<'_>) -> RecordsResult<u64> {
        let statement = self.prepare(sql).await?;
        Ok(self.0.execute(&statement, &parameters(&values)).await?)
    }

    async fn run_each(&mut self, sql: &str, rows: Vec<Values<'_>>) -> RecordsResult<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let statement = self.prepare(sql).await?;
        let sets: Vec<_> = rows.iter().map(parameters).collect();
        // All are sent before the first answer is awaited: one round trip.
        try_join_all(sets.iter().map(|set| self.0.execute(&statement, set))).await?;
        Ok(())
    }

    async fn insert(&mut self, insert: &Insert, rows: Vec<Values<'_>>) -> RecordsResult<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut columns: Vec<Values<'_>> =
            insert.columns.iter().map(|_| Vec::with_capacity(rows.len())).collect();
        for row in rows {
            columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
        // Side by side they are read row by row; behind `FROM` each would be stored apart first.
        let arrays: Vec<_> = (1..)
            .zip(insert.columns)
            .map(|(n, (_, kind))| format!("unnest(?{n}::{}[])", name(*kind)))
            .collect();
        let sql = format!("{} SELECT {} {}", insert.head(), arrays.join(", "), insert.conflict);
        let statement = self.prepare(&sql).await?;
        let arrays: Vec<_> = columns.iter().map(|column| column as &(dyn ToSql + Sync)).collect();
        self.0.execute(&statement, &arrays).await?;
        Ok(())
    }

    async fn lock(&mut self, locks: Vec<Lock>) -> RecordsResult<()> {
        let mut keys: Vec<_> = locks.into_iter().map(key).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return Ok(());
        }
        let column = |part: fn(&(i64, i64)) -> i64| -> Values<'static> {
            keys.iter().map(|key| Value::Int(part(key))).collect()
        };
        let (kinds, numbers) = (column(|key| key.0), column(|key| key.1));
        let sql = "SELECT pg_advisory_xact_lock(kind, number) FROM unnest(?1::int[], ?2::int[]) AS l (kind, number)";
        let statement = self.prepare(sql).await?;
        self.0.execute(&statement, &[&kinds, &numbers]).await?;
        Ok(())
    }
}

const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Int => "bigint",
        Kind::Text => "text",
        Kind::Bytes => "bytea",
    }
}

/// A lock as PostgreSQL names it: a kind and a number, in the order in which locks are taken. Contacts share
/// [`CONTACT_LOCKS`] numbers, since the server has room for a bounded number of locks.
fn key(lock: Lock) -> (i64, i64) {
    match lock {
        Lock::Rebuild => (1, 0),
        Lock::Lane(lane) => (2, lane.0.into()),
        Lock::Documents => (3, 0),
        Lock::Contact(id) => (4, (id.0 % CONTACT_LOCKS) as i64),
        Lock::Events => (5, 0),
        Lock::Files => (6, 0),
    }
}
