//! What tenants configure: each kind of document in a file of its own, all in the same order: list, get, create,
//! change, delete.

pub(crate) mod document;
pub(crate) mod endpoints;
pub(crate) mod flows;
pub(crate) mod groups;
pub(crate) mod keys;
pub(crate) mod numbers;
pub(crate) mod pauses;
pub(crate) mod templates;
pub(crate) mod users;
