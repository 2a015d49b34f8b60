//! The default engine: an LSM tree (fjall) in this process, one writer, group commit, no server to install.
//!
//! Everything that changes goes through one writer thread. Whatever queues while it writes a group and syncs
//! the journal becomes the next group, so a busy store syncs rarely and an idle one answers at once. A group is
//! one atomic batch: one row for all appended entries of all shards and for what was committed (the *log row*),
//! one row for all its facts, one row per changed conversation. Nobody is answered before it is durable.
//!
//! Reading does not pass the writer: entries that wait to be applied are indexed in memory per shard
//! (`tail`), snapshots and timers are read from the tree.

mod checkpoint;
mod disk;
mod engine;
mod expiry;
mod facts;
mod head;
mod identity;
mod keys;
mod letters;
mod log_row;
mod open;
mod options;
mod shared;
mod tables;
mod tail;
mod writer;

use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

pub use self::options::{Durability, EmbeddedOptions};
use self::shared::Shared;
use self::writer::Request;
use super::{Clock, EngineError, EngineResult, StoreIdentity};

/// An engine that keeps everything in one folder. See the [module](self).
pub struct EmbeddedEngine {
    identity: StoreIdentity,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    /// `None` only while it is dropped: the writer ends when nobody can ask any more.
    requests: Option<mpsc::Sender<Request>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl EmbeddedEngine {
    /// Opens the store of a folder, or creates it. Reads what was not applied yet, so it may take seconds.
    ///
    /// # Errors
    /// [`EngineError::Incompatible`] when the store was made with other settings or by another version, or is
    /// in use; [`EngineError::Failed`] when the folder cannot be read or written.
    pub fn open(options: &EmbeddedOptions, clock: Arc<dyn Clock>) -> EngineResult<Self> {
        open::open(options, clock)
    }

    /// Hands a request to the writer and waits for its answer.
    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<EngineResult<T>>) -> Request,
    ) -> EngineResult<T> {
        let sender = self.requests.as_ref().ok_or(EngineError::Closed)?;
        let (answer, answered) = oneshot::channel();
        if sender.send(request(answer)).await.is_err() {
            return Err(self.shared.gone());
        }
        answered
            .await
            .unwrap_or_else(|_| Err(EngineError::Unknown("the writer stopped before it answered".into())))
    }

    /// Waits until the writer and its helpers have let go of the files.
    fn join(&self) {
        for thread in self.threads.lock().drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the embedded store panicked");
            }
        }
    }
}

impl Drop for EmbeddedEngine {
    /// Without `close` nothing is lost either: what was answered is durable. The folder must be free afterwards.
    fn drop(&mut self) {
        self.requests = None;
        self.shared.close();
        self.join();
    }
}
