//! How calls of the engine fail.

use protocol::shard::ShardId;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The token is not the shard's current one: somebody else owns it. Drop everything about the shard.
    #[error("the shard has another owner")]
    Fenced,
    /// The log was applied further, or less far, than the caller believes.
    #[error("the position of the shard is not the expected one")]
    Position,
    /// The store takes no more: too much waits to be applied, or memory or disk is short. Try again later.
    #[error("the store is full: {0}")]
    Full(String),
    /// The call may or may not have had its effect.
    #[error("the answer of the store was lost: {0}")]
    Unknown(String),
    /// The store was made by something incompatible.
    #[error("{0}")]
    Incompatible(String),
    /// The store was closed; the call had no effect.
    #[error("the store is closed")]
    Closed,
    /// The store failed; the call had no effect.
    #[error("the store failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl EngineError {
    /// An engine that answers less than it was asked: a bug of the engine.
    pub(super) fn no_answer() -> Self {
        Self::Unknown("the engine left a question unanswered".to_owned())
    }

    /// A call that names a shard outside the store: a bug of the caller.
    pub(crate) fn no_shard(shard: ShardId) -> Self {
        Self::Failed(format!("shard {} does not exist in this store", shard.0).into())
    }
}

/// Shorthand for answers of the engine.
pub type EngineResult<T> = Result<T, EngineError>;
