//! `/v1/messages`: send, look at, and what channels cannot do.

pub(crate) mod change;
pub(crate) mod get;
pub(crate) mod recipient;
pub(crate) mod send;
pub(crate) mod wish;
