//! Pages of lists.

use protocol::api::Page;
use serde::Deserialize;
use store::records::{Cursor, EventSeq, Page as Rows, PageRequest};
use utoipa::IntoParams;

use super::problem::{ApiError, ApiResult};

/// Entries of a page unless the caller wishes otherwise.
const DEFAULT_LIMIT: usize = 50;
/// Entries of a page at most.
const MAX_LIMIT: usize = 200;

/// `limit` and `cursor` of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    /// Entries at most, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub(crate) limit: Option<usize>,
    /// `next` of the page before.
    pub(crate) cursor: Option<String>,
}

impl Paging {
    /// The limit, checked.
    pub(crate) fn limit(&self) -> ApiResult<usize> {
        match self.limit.unwrap_or(DEFAULT_LIMIT) {
            limit @ 1..=MAX_LIMIT => Ok(limit),
            _ => Err(ApiError::malformed("?limit", format!("must be 1 to {MAX_LIMIT}"))),
        }
    }

    /// What the records store is asked for.
    pub(crate) fn request(&self) -> ApiResult<PageRequest> {
        let cursor = self.cursor.as_deref().filter(|text| !text.is_empty()).map(|text| Cursor(text.into()));
        Ok(PageRequest { limit: self.limit()?, cursor })
    }
}

/// A place among the events. Beyond what a signed number holds there is none in any store.
pub(crate) fn sequence(number: u64) -> Option<EventSeq> {
    i64::try_from(number).ok().map(|_| EventSeq(number))
}

/// A page of rows as a page of views.
pub(crate) fn page<R, V>(rows: Rows<R>, view: impl FnMut(R) -> V) -> Page<V> {
    Page {
        data: rows.data.into_iter().map(view).collect(),
        next: rows.next.map(|cursor| cursor.0.to_string()),
    }
}
