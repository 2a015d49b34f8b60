//! The one connection that writes, on a thread of its own.

use std::thread::JoinHandle;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::super::limits::{WRITER_NICENESS, WRITER_QUEUE};
use super::super::sql::Durability;
use super::super::{RecordsError, RecordsResult};
use super::session::Session;

type Job = Box<dyn FnOnce(&mut Session) + Send>;

/// The writer's queue and thread.
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(mut session: Session) -> RecordsResult<Self> {
        let (queue, mut jobs) = mpsc::channel::<Job>(WRITER_QUEUE);
        let work = move || {
            // The least urgent work of the process: when processors are short the inbox waits, not conversations.
            // Where the system refuses, nothing but that order is lost.
            let _ = rustix::process::nice(WRITER_NICENESS);
            while let Some(job) = jobs.blocking_recv() {
                job(&mut session);
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
        job: impl for<'a> FnOnce(&'a mut Session) -> BoxFuture<'a, RecordsResult<T>> + Send + 'static,
    ) -> RecordsResult<T> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |session| {
            // The caller may have gone; its transaction stands all the same.
            answer.send(session.transaction(durability, job)).ok();
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
