//! `/v1/contacts`.

mod card;
pub(crate) mod consent;
pub(crate) mod consents;
pub(crate) mod erasure;
pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod merge_fields;
pub(crate) mod save;
