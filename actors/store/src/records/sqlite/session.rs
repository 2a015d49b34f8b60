//! A connection to SQLite as the query layer sees it. Its statements never wait: every future is ready at once.

use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, params_from_iter};

use super::super::sql::{Cell, Cells, Durability, Insert, Lock, Row, Sql, Value, Values};
use super::super::text::damaged;
use super::super::{RecordsError, RecordsResult};

impl From<rusqlite::Error> for RecordsError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// A connection.
pub(crate) struct Session(pub(super) Connection);

impl Session {
    /// Runs queries outside of a transaction.
    pub(super) fn run_job<T>(
        &mut self,
        job: impl for<'a> FnOnce(&'a mut Self) -> BoxFuture<'a, RecordsResult<T>>,
    ) -> RecordsResult<T> {
        let waited = || Err(RecordsError::Failed("a statement of SQLite had to wait".into()));
        job(self).now_or_never().unwrap_or_else(waited)
    }

    /// Runs queries that all see the same moment.
    pub(super) fn snapshot<T>(
        &mut self,
        job: impl for<'a> FnOnce(&'a mut Self) -> BoxFuture<'a, RecordsResult<T>>,
    ) -> RecordsResult<T> {
        self.between("BEGIN", job)
    }

    /// Runs a transaction: committed if the job succeeds, undone if it fails or panics.
    pub(super) fn transaction<T>(
        &mut self,
        durability: Durability,
        job: impl for<'a> FnOnce(&'a mut Self) -> BoxFuture<'a, RecordsResult<T>>,
    ) -> RecordsResult<T> {
        let synchronous = match durability {
            Durability::Process => "NORMAL",
            Durability::Disk => "FULL",
        };
        self.0.pragma_update(None, "synchronous", synchronous)?;
        self.between("BEGIN IMMEDIATE", job)
    }

    fn between<T>(
        &mut self,
        begin: &str,
        job: impl for<'a> FnOnce(&'a mut Self) -> BoxFuture<'a, RecordsResult<T>>,
    ) -> RecordsResult<T> {
        self.0.execute_batch(begin)?;
        let panicked = |_| Err(RecordsError::Failed("a job of the records store panicked".into()));
        let answer = catch_unwind(AssertUnwindSafe(|| self.run_job(job))).unwrap_or_else(panicked);
        let answer = answer.and_then(|answer| Ok(self.0.execute_batch("COMMIT").map(|()| answer)?));
        if answer.is_err() && !self.0.is_autocommit() {
            self.0.execute_batch("ROLLBACK")?;
        }
        answer
    }

    fn query<T>(
        &self,
        sql: &str,
        sets: &[Values<'_>],
        decode: impl Fn(&mut Cells<'_>) -> RecordsResult<T>,
    ) -> RecordsResult<Vec<T>> {
        let mut statement = self.0.prepare_cached(sql)?;
        let mut found = Vec::new();
        for values in sets {
            let mut rows = statement.query(params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                found.push(decode(&mut Cells::new(row))?);
            }
        }
        Ok(found)
    }

    fn execute(&self, sql: &str, sets: &[Values<'_>]) -> RecordsResult<u64> {
        if sets.is_empty() {
            return Ok(0);
        }
        let mut statement: CachedStatement<'_> = self.0.prepare_cached(sql)?;
        let mut changed = 0;
        for values in sets {
            changed += statement.execute(params_from_iter(values))?;
        }
        Ok(changed as u64)
    }
}

impl Sql for Session {
    fn all<T: Send>(
        &mut self,
        sql: &str,
        values: Values<'_>,
        decode: impl Fn(&mut Cells<'_>) -> RecordsResult<T> + Send,
    ) -> impl Future<Output = RecordsResult<Vec<T>>> + Send {
        ready(self.query(sql, &[values], decode))
    }

    fn of_keys<T: Send>(
        &mut self,
        sql: &str,
        keys: Values<'_>,
        decode: impl Fn(&mut Cells<'_>) -> RecordsResult<T> + Send,
    ) -> impl Future<Output = RecordsResult<Vec<T>>> + Send {
        let sets: Vec<_> = keys.into_iter().map(|key| vec![key]).collect();
        ready(self.query(sql, &sets, decode))
    }

    fn run(&mut self, sql: &str, values: Values<'_>) -> impl Future<Output = RecordsResult<u64>> + Send {
        ready(self.execute(sql, &[values]))
    }

    fn run_each(
        &mut self,
        sql: &str,
        rows: Vec<Values<'_>>,
    ) -> impl Future<Output = RecordsResult<()>> + Send {
        ready(self.execute(sql, &rows).map(drop))
    }

    fn insert(
        &mut self,
        insert: &Insert,
        rows: Vec<Values<'_>>,
    ) -> impl Future<Output = RecordsResult<()>> + Send {
        let places: Vec<_> = (1..=insert.columns.len()).map(|place| format!("?{place}")).collect();
        let sql = format!("{} VALUES ({}) {}", insert.head(), places.join(", "), insert.conflict);
        ready(self.execute(&sql, &rows).map(drop))
    }

    fn lock(&mut self, _: Vec<Lock>) -> impl Future<Output = RecordsResult<()>> + Send {
        ready(Ok(()))
    }
}

impl Row for rusqlite::Row<'_> {
    fn cell(&self, index: usize) -> RecordsResult<Cell<'_>> {
        Ok(match self.get_ref(index)? {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(number) => Cell::Int(number),
            ValueRef::Text(text) => Cell::Text(std::str::from_utf8(text).map_err(damaged("text"))?),
            ValueRef::Blob(bytes) => Cell::Bytes(bytes),
            ValueRef::Real(_) => return Err(damaged("column")("no column holds such numbers")),
        })
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Id(id) => ValueRef::Blob(id.bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
