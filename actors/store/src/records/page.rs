//! Pages of lists: a position in the order of the list, never an offset, so that new rows shift nothing.

use compact_str::CompactString;

/// Where the next page begins. Opaque to callers; valid for the list and order that issued it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub CompactString);

/// Which page is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Rows, at most; the store caps it at [`crate::records::limits::MAX_PAGE`].
    pub limit: usize,
    /// `next` of the page before; `None` for the first.
    pub cursor: Option<Cursor>,
}

impl PageRequest {
    /// The first page.
    #[must_use]
    pub const fn first(limit: usize) -> Self {
        Self { limit, cursor: None }
    }
}

/// Part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Where to go on; `None` at the end. A short page is not the end: of the inbox a page looks through
    /// [`crate::records::limits::WALK`] conversations at most.
    pub next: Option<Cursor>,
}

/// Which end of a list comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// What people want to see.
    #[default]
    NewestFirst,
    /// What exports want.
    OldestFirst,
}
