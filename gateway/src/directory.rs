//! Keeps the directory in memory equal to the documents in the records store.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use domain::directory::Directory;
use store::records::{RecordsError, SharedRecords};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// How often another process's changes are looked for. One small query; a second is what people accept after
/// `gateway apply`.
pub(crate) const FOLLOW_EVERY: Duration = Duration::from_secs(1);

/// The directory of this node, and how it becomes new.
pub struct DirectoryKeeper {
    records: SharedRecords,
    current: Arc<ArcSwap<Directory>>,
    /// What `current` stands for. Held over a load, so that an older directory never replaces a newer one.
    revision: Mutex<u64>,
}

impl DirectoryKeeper {
    /// Loads the directory for the first time.
    ///
    /// # Errors
    /// When the records store fails.
    pub async fn load(records: SharedRecords) -> Result<Self, RecordsError> {
        let (revision, directory) = records.load_directory().await?;
        let current = Arc::new(ArcSwap::from_pointee(directory));
        Ok(Self { records, current, revision: Mutex::new(revision) })
    }

    /// What everybody reads.
    #[must_use]
    pub fn current(&self) -> Arc<ArcSwap<Directory>> {
        self.current.clone()
    }

    /// Loads again if a document changed. Whoever wrote one calls this before answering.
    ///
    /// # Errors
    /// When the records store fails; the directory stays as it was.
    pub async fn refresh(&self) -> Result<(), RecordsError> {
        let mut revision = self.revision.lock().await;
        if self.records.revision().await? == *revision {
            return Ok(());
        }
        let (loaded, directory) = self.records.load_directory().await?;
        self.current.store(Arc::new(directory));
        *revision = loaded;
        tracing::info!(revision = loaded, "directory loaded");
        Ok(())
    }

    /// Follows changes of other processes until told to stop.
    pub async fn follow(self: Arc<Self>, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(FOLLOW_EVERY)).await.is_some() {
            if let Err(error) = self.refresh().await {
                tracing::warn!(%error, "directory cannot be read; the old one stays in force");
            }
        }
    }
}
