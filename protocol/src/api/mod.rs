//! The shapes of the internal HTTP API `/v1`. JSON only; stored types live elsewhere, so that what callers see
//! and what stores hold can change apart from each other.

pub mod account;
pub mod billing;
pub mod contact;
pub mod conversation;
pub mod event;
pub mod file;
pub mod message;
pub mod problem;
pub mod show;
pub mod template;
pub mod view;
pub mod watch;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The entries.
    pub data: Vec<T>,
    /// Give it back as `cursor` for the next page; `null` on the last one.
    pub next: Option<String>,
}
