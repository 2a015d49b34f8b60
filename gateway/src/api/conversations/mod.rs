//! `/v1/conversations`.

pub(crate) mod change;
mod condition;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod messages;
pub(crate) mod views;
