//! The state of one conversation, and its stored form.

use protocol::entry::Address;
use protocol::time::TimestampMs;
use serde::{Deserialize, Serialize};

/// Everything that a conversation needs to decide. Bounded: see `limits`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    /// Who talks with whom.
    pub address: Address,
}

/// A stored state that this version cannot read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Written by a version that is newer than the next one.
    #[error("snapshot version {0} is not known")]
    Version(u8),
    /// Damaged.
    #[error("snapshot is damaged: {0}")]
    Damaged(String),
}

impl Conversation {
    /// A conversation before its first input.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Self { address }
    }

    /// The next time at which a [`super::Input::Tick`] would do something.
    #[must_use]
    pub fn next_deadline(&self) -> Option<TimestampMs> {
        None
    }
}
