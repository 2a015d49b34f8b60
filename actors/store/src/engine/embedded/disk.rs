//! Room on the disk: the store stops taking appends before the disk is full, so that commits (which make room)
//! can always be written.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How long an answer of the file system is believed: at full load some 50 MB are written in between, far less
/// than the room that is kept free.
const BELIEVED: Duration = Duration::from_secs(1);

/// Asks the file system now and then.
pub(super) struct Disk {
    folder: PathBuf,
    free_min_bytes: u64,
    latest: Mutex<Option<(Instant, u64)>>,
}

impl Disk {
    pub(super) fn new(folder: PathBuf, free_min_bytes: u64) -> Self {
        Self { folder, free_min_bytes, latest: Mutex::new(None) }
    }

    /// `None` when there is room, else what to tell the caller. A file system that does not answer is no
    /// reason to refuse: the write itself will tell.
    pub(super) fn shortage(&self) -> Option<String> {
        let mut latest = self.latest.lock();
        let free_bytes = match *latest {
            Some((at, free_bytes)) if at.elapsed() < BELIEVED => free_bytes,
            _ => {
                let free_bytes = self.free_bytes()?;
                *latest = Some((Instant::now(), free_bytes));
                free_bytes
            }
        };
        (free_bytes < self.free_min_bytes).then(|| {
            format!(
                "{free_bytes} bytes are free in `{}`, {} must stay free",
                self.folder.display(),
                self.free_min_bytes
            )
        })
    }

    fn free_bytes(&self) -> Option<u64> {
        let stat = rustix::fs::statvfs(&self.folder).ok()?;
        Some(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}
