//! Pages: one row more than asked shows whether there is a next one.

use super::super::limits::MAX_PAGE;
use super::super::{Cursor, Page, RecordsError, RecordsResult};
use super::filter::Where;
use super::statement::{Sql, one};
use super::value::Value;

/// Rows of a page.
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

/// Adds the condition that a page of what is newest first begins behind its cursor, by the columns of time and id.
pub(super) fn older(
    conditions: &mut Where,
    columns: &str,
    cursor: Option<&Cursor>,
    id: impl FnOnce(u128) -> Value<'static>,
) -> RecordsResult<()> {
    beyond(conditions, (columns, "<"), cursor, id)
}

/// The same for a page of what is oldest first.
pub(super) fn newer(
    conditions: &mut Where,
    columns: &str,
    cursor: Option<&Cursor>,
    id: impl FnOnce(u128) -> Value<'static>,
) -> RecordsResult<()> {
    beyond(conditions, (columns, ">"), cursor, id)
}

fn beyond(
    conditions: &mut Where,
    (columns, than): (&str, &str),
    cursor: Option<&Cursor>,
    id: impl FnOnce(u128) -> Value<'static>,
) -> RecordsResult<()> {
    let Some(cursor) = cursor else { return Ok(()) };
    let (at, found) = cursor_pair(cursor)?;
    let at = conditions.bind(at);
    conditions.and(&format!("({columns}) {than} ({at}, {{}})"), id(found));
    Ok(())
}

/// Writes a cursor made of two numbers.
pub(super) fn pair_cursor(at: i64, id: u128) -> String {
    format!("{at}-{id:x}")
}

/// Where a walk over so many rows ends, by its columns of time and id; `None` when there are fewer.
pub(super) async fn end_of_walk<S: Sql>(
    db: &mut S,
    way: Where,
    (table, at, id): (&str, &str, &str),
    length: usize,
) -> RecordsResult<Option<Cursor>> {
    let sql = format!(
        "SELECT {at}, {id} FROM {table} WHERE {} ORDER BY {at} DESC, {id} DESC LIMIT 1 OFFSET {}",
        way.sql,
        length - 1
    );
    let end = one(db, &sql, way.values, |cells| Ok(pair_cursor(cells.take()?, cells.id(|id| id)?)));
    Ok(end.await?.map(|end| Cursor(end.into())))
}
