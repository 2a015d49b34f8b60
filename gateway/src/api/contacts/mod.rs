//! `/v1/contacts`.

pub(crate) mod consent;
pub(crate) mod get;
