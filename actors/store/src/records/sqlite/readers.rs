//! A few connections that read, lent to blocking tasks.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::super::limits::READERS;
use super::super::{RecordsError, RecordsResult};
use super::session::Session;

/// The pool. Connections are opened when first needed, at most [`READERS`].
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Session>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::new(Vec::new()), permits: Arc::new(Semaphore::new(READERS)) }
    }

    /// Waits for a connection and runs a query on it.
    pub(super) async fn run<T: Send + 'static>(
        self: Arc<Self>,
        query: impl FnOnce(&mut Session) -> RecordsResult<T> + Send + 'static,
    ) -> RecordsResult<T> {
        let permits = Arc::clone(&self.permits);
        let permit = permits.acquire_owned().await.map_err(|_| RecordsError::Closed)?;
        let task = tokio::task::spawn_blocking(move || {
            let mut session = self.take()?;
            let answer = query(&mut session);
            self.idle.lock().push(session); // a query that panics costs its connection: another is opened
            drop(permit);
            answer
        });
        task.await.map_err(|error| RecordsError::Failed(error.into()))?
    }

    /// Refuses further queries and closes what is idle.
    pub(super) fn close(&self) {
        self.permits.close();
        self.idle.lock().clear();
    }

    fn take(&self) -> RecordsResult<Session> {
        if let Some(session) = self.idle.lock().pop() {
            return Ok(session);
        }
        let session = super::connect(&self.path)?;
        session.0.pragma_update(None, "query_only", true)?;
        Ok(session)
    }
}
