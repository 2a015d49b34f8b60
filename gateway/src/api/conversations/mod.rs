//! `/v1/conversations`.

pub(crate) mod change;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod messages;
