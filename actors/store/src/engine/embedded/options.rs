//! What the owner of a store chooses.

use std::path::PathBuf;

use protocol::shard::ShardCount;

/// When an answer is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// After the journal was synced to the disk: what was answered survives the loss of power.
    #[default]
    Fsync,
    /// After the operating system has it; synced every second. What was answered survives the death of the
    /// process; about a second is lost when the host dies.
    EverySecond,
}

/// How to open an embedded store.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// The folder, created if missing.
    pub folder: PathBuf,
    /// Number of shards; must be the one that the store was created with.
    pub shards: ShardCount,
    /// When an answer is given.
    pub durability: Durability,
    /// Appends are refused while this much was appended and not yet applied.
    pub backlog_max_bytes: u64,
    /// Appends are refused while the disk has less room than this.
    pub disk_free_min_bytes: u64,
}

impl EmbeddedOptions {
    /// The defaults, in a folder.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            shards: ShardCount::default(),
            durability: Durability::default(),
            backlog_max_bytes: crate::engine::limits::BACKLOG_MAX_BYTES,
            disk_free_min_bytes: crate::engine::limits::DISK_FREE_MIN_BYTES,
        }
    }
}
