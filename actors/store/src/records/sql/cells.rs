//! Rows that databases answer with.

use compact_str::CompactString;
use protocol::time::TimestampMs;

use super::super::text::damaged;
use super::super::{EventSeq, RecordsResult};
use super::value::Id;

/// A column of a row, as databases give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    /// Nothing.
    Null,
    /// A number.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// A row of a database.
pub(crate) trait Row {
    /// A column by its place.
    fn cell(&self, index: usize) -> RecordsResult<Cell<'_>>;
}

/// Reads the columns of a row from left to right, as the select names them.
pub(crate) struct Cells<'a> {
    row: &'a dyn Row,
    next: usize,
}

impl<'a> Cells<'a> {
    pub(crate) const fn new(row: &'a dyn Row) -> Self {
        Self { row, next: 0 }
    }

    fn cell(&mut self) -> RecordsResult<Cell<'a>> {
        let cell = self.row.cell(self.next)?;
        self.next += 1;
        Ok(cell)
    }

    /// The next column.
    pub(super) fn take<T: FromCell>(&mut self) -> RecordsResult<T> {
        let cell = self.cell()?;
        T::from_cell(cell).ok_or_else(|| damaged("column")(format!("unexpected {cell:?}")))
    }

    /// The next column, an id.
    pub(super) fn id<T>(&mut self, wrap: impl FnOnce(u128) -> T) -> RecordsResult<T> {
        Ok(wrap(self.take::<Id>()?.get()))
    }

    /// The next column, an id or null.
    pub(super) fn maybe_id<T>(&mut self, wrap: impl FnOnce(u128) -> T) -> RecordsResult<Option<T>> {
        Ok(self.take::<Option<Id>>()?.map(|id| wrap(id.get())))
    }

    /// The next column, a place among the events.
    pub(super) fn seq(&mut self) -> RecordsResult<EventSeq> {
        Ok(EventSeq(self.take()?))
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
        match self.cell()? {
            Cell::Null => Ok(None),
            Cell::Text(text) => parse(text).map(Some),
            other => Err(damaged("column")(format!("{other:?} is no text"))),
        }
    }

    /// The next column, text that is parsed.
    pub(super) fn text<T>(&mut self, parse: impl FnOnce(&str) -> RecordsResult<T>) -> RecordsResult<T> {
        self.parsed(parse)?.ok_or_else(|| damaged("column")("null where text must be"))
    }

    /// The next column, bytes that are parsed.
    pub(super) fn bytes<T>(&mut self, parse: impl FnOnce(&[u8]) -> RecordsResult<T>) -> RecordsResult<T> {
        match self.cell()? {
            Cell::Bytes(bytes) => parse(bytes),
            other => Err(damaged("column")(format!("{other:?} is no sequence of bytes"))),
        }
    }

    /// The next column, short text or null.
    pub(super) fn short(&mut self) -> RecordsResult<Option<CompactString>> {
        self.parsed(|text| Ok(CompactString::from(text)))
    }
}

/// What a column can be read as; `None` when it holds something else.
pub(super) trait FromCell: Sized {
    fn from_cell(cell: Cell<'_>) -> Option<Self>;
}

/// Numbers are checked: a column that cannot be counted with is damaged.
macro_rules! numbers {
    ($($type:ty),+) => {$(
        impl FromCell for $type {
            fn from_cell(cell: Cell<'_>) -> Option<Self> {
                if let Cell::Int(number) = cell { Self::try_from(number).ok() } else { None }
            }
        }
    )+};
}
numbers!(i64, u64, u32, u16);

impl FromCell for bool {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        i64::from_cell(cell).map(|number| number != 0)
    }
}

impl FromCell for String {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Text(text) = cell { Some(text.to_owned()) } else { None }
    }
}

impl FromCell for Vec<u8> {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Bytes(bytes) = cell { Some(bytes.to_vec()) } else { None }
    }
}

impl FromCell for Id {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Bytes(bytes) = cell { bytes.try_into().ok().map(Self::from_bytes) } else { None }
    }
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if cell == Cell::Null { Some(None) } else { T::from_cell(cell).map(Some) }
    }
}
