//! The stored form of a command's result.

use bytes::Bytes;
use protocol::command::{CommandResult, Refusal};
use serde::{Deserialize, Serialize};

/// Version of the stored form.
const VERSION: u8 = 1;

/// A result with what was asked, so that a key that is used for something else is noticed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredResult {
    /// Of the command that was applied.
    pub(crate) fingerprint: u64,
    /// What became of it.
    pub(crate) result: CommandResult,
}

impl StoredResult {
    pub(crate) fn encode(&self) -> Result<Bytes, postcard::Error> {
        postcard::to_extend(self, vec![VERSION]).map(Bytes::from)
    }

    /// `None` when it is damaged or of another version: the caller is then told to look for itself.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first() {
            Some((&VERSION, body)) => postcard::from_bytes(body).ok(),
            _ => None,
        }
    }

    /// What a caller with this fingerprint is told.
    pub(crate) fn answer(&self, fingerprint: u64) -> CommandResult {
        if self.fingerprint == fingerprint {
            self.result.clone()
        } else {
            CommandResult::Refused(Refusal::KeyReused)
        }
    }
}
