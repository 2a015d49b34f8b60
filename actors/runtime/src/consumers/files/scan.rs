//! One attempt to have a file scanned.

use protocol::api::file::Scan;
use protocol::time::TimestampMs;
use store::blobs::BlobError;
use store::records::{ScanTask, Scanned};

use super::{FileWork, pause};
use crate::limits::{SCAN_GIVES_UP_AFTER, SCAN_RETRY_MAX, SCAN_RETRY_MIN};

pub(super) async fn scan(files: &FileWork, task: &ScanTask, now: TimestampMs) -> Scanned {
    let file = &task.file;
    // The scanner was switched off while the file waited.
    let Some(scanner) = &files.scanner else { return Scanned::Decided(Scan::Unchecked) };
    let content = match files.shelf.blobs.get(&file.blob).await {
        Ok(content) => content,
        Err(BlobError::NotFound) => return Scanned::Decided(Scan::GivenUp),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "a file cannot be read for its scan");
            return later(task, now);
        }
    };
    match scanner.scan(&file.mime, content).await {
        Ok(true) => Scanned::Decided(Scan::Clean),
        Ok(false) => {
            tracing::warn!(file = %file.id, tenant = %file.tenant, "the virus scanner found something");
            Scanned::Decided(Scan::Infected)
        }
        Err(error) => {
            tracing::warn!(file = %file.id, %error, "the virus scanner did not answer");
            later(task, now)
        }
    }
}

fn later(task: &ScanTask, now: TimestampMs) -> Scanned {
    let at = now + pause(SCAN_RETRY_MIN, 2i64.saturating_pow(task.attempts), SCAN_RETRY_MAX);
    if at < task.file.created_at + SCAN_GIVES_UP_AFTER {
        Scanned::Again(at)
    } else {
        Scanned::Decided(Scan::GivenUp)
    }
}
