//! `/v1/messages`: send, look at, and what channels cannot do.

pub(crate) mod change;
pub(crate) mod get;
mod media;
pub(crate) mod recipient;
pub(crate) mod send;
mod templates;
pub(crate) mod wish;

pub(crate) use templates::given;
