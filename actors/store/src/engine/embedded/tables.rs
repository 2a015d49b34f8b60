//! The trees of a store and how each is tuned. Why each number is what it is stands in [`crate::engine::limits`]. fjall
//! keeps the options of a tree in the store: one that exists goes on with those it was made with.

use std::path::Path;
use std::sync::Arc;

use fjall::compaction::Leveled;
use fjall::config::{BlockSizePolicy, CompressionPolicy};
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions};

use super::expiry::DropExpired;
use crate::engine::limits::{
    BLOCK_CACHE_BYTES, BUSY_MEMTABLE_BYTES, JOURNAL_MAX_BYTES, PASSING_MEMTABLE_BYTES, QUIET_MEMTABLE_BYTES,
    SNAPSHOT_MEMTABLE_BYTES, TABLE_MIN_BYTES, WORKER_NICENESS, WORKER_THREADS,
};
use crate::engine::{Clock, EngineError, EngineResult};

const RESULTS: &str = "results";
const SEEN: &str = "seen";

/// All trees. Cloning shares them.
#[derive(Clone)]
pub(super) struct Tables {
    pub(super) db: Database,
    /// Identity, format, checkpoint.
    pub(super) meta: Keyspace,
    /// Group number → log row.
    pub(super) log: Keyspace,
    /// First fact of a group → facts.
    pub(super) facts: Keyspace,
    /// Shard, conversation → timer, snapshot.
    pub(super) conversations: Keyspace,
    /// Shard, due time, conversation → nothing.
    pub(super) timers: Keyspace,
    /// Command → result, expiring.
    pub(super) results: Keyspace,
    /// Dedup key → nothing, expiring.
    pub(super) seen: Keyspace,
    /// Name → contact key.
    pub(super) aliases: Keyspace,
    /// Number → dead letter.
    pub(super) letters: Keyspace,
    /// Dead letter id → number.
    pub(super) letter_ids: Keyspace,
}

impl Tables {
    pub(super) fn open(folder: &Path, clock: Arc<dyn Clock>) -> EngineResult<Self> {
        let expire = move |name: &str| -> Option<Arc<dyn fjall::compaction::filter::Factory>> {
            [RESULTS, SEEN].contains(&name).then(|| Arc::new(DropExpired::new(clock.clone())) as _)
        };
        let builder = Database::builder(folder)
            .cache_size(BLOCK_CACHE_BYTES)
            .max_journaling_size(JOURNAL_MAX_BYTES)
            .worker_threads(WORKER_THREADS)
            // Everything is written in batches that name their own durability.
            .manual_journal_persist(true)
            // The journal is read once, after a crash: not worth the writer's time.
            .journal_compression(CompressionType::None)
            .with_compaction_filter_factories(Arc::new(expire));
        let db = with_nice_workers(|| builder.open())?.map_err(|error| open_error(folder, error))?;
        let tree =
            |name: &str, options: fn() -> KeyspaceCreateOptions| db.keyspace(name, options).map_err(failed);
        Ok(Self {
            meta: tree("meta", quiet)?,
            log: tree("log", passing)?,
            facts: tree("facts", passing)?,
            conversations: tree("conversations", snapshots)?,
            timers: tree("timers", busy)?,
            results: tree(RESULTS, busy)?,
            seen: tree(SEEN, busy)?,
            aliases: tree("aliases", quiet)?,
            letters: tree("letters", quiet)?,
            letter_ids: tree("letter_ids", quiet)?,
            db,
        })
    }
}

/// Threads that `make` starts inherit the niceness of the thread that starts them.
fn with_nice_workers<T: Send>(make: impl FnOnce() -> T + Send) -> EngineResult<T> {
    let made = std::thread::scope(|scope| {
        let nicely = || {
            // Where the system refuses, nothing but the order of work is lost.
            let _ = rustix::process::nice(WORKER_NICENESS);
            make()
        };
        scope.spawn(nicely).join()
    });
    made.map_err(|_| EngineError::Failed("opening the store panicked".into()))
}

/// The first level holds as much as four tables, and is rewritten with every four memtables whatever they change of it.
/// With fjall's own 256 MB a few busy conversations among a million cost twice as many written bytes.
fn base(memtable_bytes: u64) -> KeyspaceCreateOptions {
    let levels = Leveled::default().with_table_target_size((memtable_bytes / 4).max(TABLE_MIN_BYTES));
    KeyspaceCreateOptions::default()
        .max_memtable_size(memtable_bytes)
        .manual_journal_persist(true)
        .compaction_strategy(Arc::new(levels))
}

/// Rarely written.
fn quiet() -> KeyspaceCreateOptions {
    base(QUIET_MEMTABLE_BYTES)
}

/// Small rows, written all the time.
fn busy() -> KeyspaceCreateOptions {
    base(BUSY_MEMTABLE_BYTES)
}

/// Large rows that are written once and removed soon: most never reach the disk outside the journal.
fn passing() -> KeyspaceCreateOptions {
    base(PASSING_MEMTABLE_BYTES).data_block_compression_policy(CompressionPolicy::disabled())
}

/// Rows of some hundred bytes under random keys, read one by one.
fn snapshots() -> KeyspaceCreateOptions {
    base(SNAPSHOT_MEMTABLE_BYTES).data_block_size_policy(BlockSizePolicy::all(4 * 1024))
}

fn open_error(folder: &Path, error: fjall::Error) -> EngineError {
    match error {
        fjall::Error::Locked => EngineError::Incompatible(format!(
            "the store in `{}` is in use by another process; stop it, or give this one a folder of its own",
            folder.display()
        )),
        error => failed(error),
    }
}

/// An error of the tree, for calls that had no effect.
pub(super) fn failed(error: impl std::error::Error + Send + Sync + 'static) -> EngineError {
    EngineError::Failed(Box::new(error))
}

/// A row that cannot be read.
pub(super) fn damaged(what: &str) -> EngineError {
    EngineError::Failed(format!("a damaged row in the store: {what}").into())
}
