//! `/v1/contacts`.

mod card;
pub(crate) mod consent;
pub(crate) mod get;
pub(crate) mod save;
