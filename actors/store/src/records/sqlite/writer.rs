//! The one connection that writes, on a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::super::limits::{WRITER_NICENESS, WRITER_QUEUE};
use super::super::{RecordsError, RecordsResult};

/// What a finished transaction survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// The end of the process.
    Process,
    /// A power failure; costs an fsync.
    Disk,
}

impl Durability {
    const fn pragma(self) -> &'static str {
        match self {
            Self::Process => "NORMAL",
            Self::Disk => "FULL",
        }
    }
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The writer's queue and thread.
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(mut connection: Connection) -> RecordsResult<Self> {
        let (queue, mut jobs) = mpsc::channel::<Job>(WRITER_QUEUE);
        let work = move || {
            // The least urgent work of the process: when processors are short the inbox waits, not conversations.
            // Where the system refuses, nothing but that order is lost.
            let _ = rustix::process::nice(WRITER_NICENESS);
            while let Some(job) = jobs.blocking_recv() {
                job(&mut connection);
            }
        };
        let thread = std::thread::Builder::new().name("records-writer".into()).spawn(work);
        let thread = thread.map_err(|error| RecordsError::Failed(error.into()))?;
        Ok(Self { queue: Mutex::new(Some(queue)), thread: Mutex::new(Some(thread)) })
    }

    /// Runs a transaction: committed if the job succeeds, undone if it fails or panics.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        durability: Durability,
        job: impl FnOnce(&Transaction<'_>) -> RecordsResult<T> + Send + 'static,
    ) -> RecordsResult<T> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let run = AssertUnwindSafe(|| transaction(connection, durability, job));
            let result =
                catch_unwind(run).unwrap_or_else(|_| Err(RecordsError::Failed("the writer panicked".into())));
            answer.send(result).ok(); // the caller may have gone; its transaction stands all the same
        });
        let queue = self.queue.lock().clone().ok_or(RecordsError::Closed)?;
        queue.send(job).await.map_err(|_| RecordsError::Closed)?;
        drop(queue);
        answered.await.map_err(|_| RecordsError::Closed)?
    }

    /// Lets queued work finish, then ends the thread and closes the database.
    pub(super) async fn close(&self) -> RecordsResult<()> {
        drop(self.queue.lock().take());
        let Some(thread) = self.thread.lock().take() else { return Ok(()) };
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        match joined {
            Ok(Ok(())) => Ok(()),
            _ => Err(RecordsError::Failed("the writer ended abnormally".into())),
        }
    }
}

fn transaction<T>(
    connection: &mut Connection,
    durability: Durability,
    job: impl FnOnce(&Transaction<'_>) -> RecordsResult<T>,
) -> RecordsResult<T> {
    connection.pragma_update(None, "synchronous", durability.pragma())?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let answer = job(&transaction)?;
    transaction.commit()?;
    Ok(answer)
}
