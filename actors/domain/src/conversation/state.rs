//! The state of one conversation, and its stored form.

use protocol::entry::{Address, Happening};
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

    /// The stored form: a version byte and postcard.
    ///
    /// # Errors
    /// Never for a state that this crate made; the serializer's signature asks for it.
    pub fn encode(&self) -> Result<Vec<u8>, DecodeError> {
        postcard::to_extend(self, vec![1]).map_err(|error| DecodeError::Damaged(error.to_string()))
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When it is damaged or of a version that is not known.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match bytes.split_first() {
            Some((1, body)) => {
                postcard::from_bytes(body).map_err(|error| DecodeError::Damaged(error.to_string()))
            }
            Some((&version, _)) => Err(DecodeError::Version(version)),
            None => Err(DecodeError::Damaged("it is empty".into())),
        }
    }

    /// The key to ask the store for before this input is applied: it may be a repetition from before the
    /// conversation's own memory reaches. `None` as a rule.
    #[must_use]
    pub fn seen_lookup(&self, happening: &Happening) -> Option<u64> {
        let _ = happening;
        None
    }
}
