//! Small bridges between our types and columns.

use compact_str::CompactString;
use protocol::time::TimestampMs;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{OptionalExtension, Row, Transaction};

use super::super::limits::MAX_PAGE;
use super::super::{Cursor, EventSeq, Page, RecordsError, RecordsResult};

impl From<rusqlite::Error> for RecordsError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// A 128-bit id as 16 bytes, big-endian: half the size of its text form, in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id([u8; 16]);

impl Id {
    pub(super) const fn new(id: u128) -> Self {
        Self(id.to_be_bytes())
    }

    pub(super) const fn get(self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

impl ToSql for Id {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(Self)
    }
}

/// Reads the columns of a row from left to right, as the select names them.
pub(super) struct Cells<'a> {
    row: &'a Row<'a>,
    next: usize,
}

impl<'a> Cells<'a> {
    pub(super) const fn new(row: &'a Row<'a>) -> Self {
        Self { row, next: 0 }
    }

    /// The next column.
    pub(super) fn take<T: FromSql>(&mut self) -> RecordsResult<T> {
        let value = self.row.get(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// The next column, an id.
    pub(super) fn id<T>(&mut self, wrap: impl FnOnce(u128) -> T) -> RecordsResult<T> {
        Ok(wrap(self.take::<Id>()?.get()))
    }

    /// The next column, an id or null.
    pub(super) fn maybe_id<T>(&mut self, wrap: impl FnOnce(u128) -> T) -> RecordsResult<Option<T>> {
        Ok(self.take::<Option<Id>>()?.map(|id| wrap(id.get())))
    }

    /// The next column, a time.
    pub(super) fn time(&mut self) -> RecordsResult<TimestampMs> {
        Ok(TimestampMs(self.take()?))
    }

    /// The next column, a time or null.
    pub(super) fn maybe_time(&mut self) -> RecordsResult<Option<TimestampMs>> {
        Ok(self.take::<Option<i64>>()?.map(TimestampMs))
    }

    /// The next column, text that is parsed unless it is null.
    pub(super) fn parsed<T>(
        &mut self,
        parse: impl FnOnce(&str) -> RecordsResult<T>,
    ) -> RecordsResult<Option<T>> {
        let value = self.row.get_ref(self.next)?;
        self.next += 1;
        match value {
            ValueRef::Null => Ok(None),
            value => parse(value.as_str().map_err(|error| RecordsError::Failed(error.into()))?).map(Some),
        }
    }

    /// The next column, text that is parsed.
    pub(super) fn text<T>(&mut self, parse: impl FnOnce(&str) -> RecordsResult<T>) -> RecordsResult<T> {
        let column = self.next;
        self.parsed(parse)?.ok_or_else(|| {
            RecordsError::from(rusqlite::Error::InvalidColumnType(
                column,
                "text".into(),
                rusqlite::types::Type::Null,
            ))
        })
    }

    /// The next column, short text or null.
    pub(super) fn short(&mut self) -> RecordsResult<Option<CompactString>> {
        self.parsed(|text| Ok(CompactString::from(text)))
    }
}

/// A place among the events as a column; one beyond all columns can hold is beyond all events.
pub(super) fn place(seq: EventSeq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

/// The first row of a cached statement, if there is one.
pub(super) fn one<T>(
    connection: &rusqlite::Connection,
    sql: &str,
    params: impl rusqlite::Params,
    decode: impl Fn(&mut Cells<'_>) -> RecordsResult<T>,
) -> RecordsResult<Option<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(|row| decode(&mut Cells::new(row))).transpose()
}

/// All rows of a cached statement.
pub(super) fn all<T>(
    connection: &rusqlite::Connection,
    sql: &str,
    params: impl rusqlite::Params,
    decode: impl Fn(&mut Cells<'_>) -> RecordsResult<T>,
) -> RecordsResult<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(decode(&mut Cells::new(row))?);
    }
    Ok(found)
}

/// Runs a cached statement that changes rows; answers how many.
pub(super) fn run(
    connection: &rusqlite::Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> RecordsResult<usize> {
    Ok(connection.prepare_cached(sql)?.execute(params)?)
}

/// A number of the store as a whole, such as a revision; zero when never set.
pub(super) fn number(connection: &rusqlite::Connection, name: &str) -> RecordsResult<u64> {
    let mut statement = connection.prepare_cached("SELECT value FROM numbers WHERE name = ?1")?;
    let value: Option<u64> = statement.query_row([name], |row| row.get(0)).optional()?;
    Ok(value.unwrap_or(0))
}

/// Sets a number of the store as a whole.
pub(super) fn set_number(transaction: &Transaction<'_>, name: &str, value: u64) -> RecordsResult<()> {
    let sql = "INSERT INTO numbers (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2";
    run(transaction, sql, (name, value)).map(drop)
}

/// Rows of a page as SQL wants them: one more than asked, to see whether there is a next page.
pub(super) fn page_limit(limit: usize) -> usize {
    limit.clamp(1, MAX_PAGE)
}

/// Cuts the row that shows that there is a next page, and points at the last row that stays.
pub(super) fn page<T>(mut data: Vec<T>, limit: usize, cursor: impl FnOnce(&T) -> String) -> Page<T> {
    let more = data.len() > limit;
    data.truncate(limit);
    let next = if more { data.last().map(|last| Cursor(cursor(last).into())) } else { None };
    Page { data, next }
}

/// Reads a cursor made of two numbers.
pub(super) fn cursor_pair(cursor: &Cursor) -> RecordsResult<(i64, u128)> {
    let (at, id) = cursor.0.split_once('-').ok_or(RecordsError::PageCursor)?;
    let at = at.parse().map_err(|_| RecordsError::PageCursor)?;
    let id = u128::from_str_radix(id, 16).map_err(|_| RecordsError::PageCursor)?;
    Ok((at, id))
}

/// Writes a cursor made of two numbers.
pub(super) fn pair_cursor(at: i64, id: u128) -> String {
    format!("{at}-{id:x}")
}
