//! Files of messages: what contacts sent is fetched, what is new is scanned, what nobody has any more is removed. Each
//! step may be repeated, so two nodes that take it at the same time harm nobody.

mod fetch;
mod scan;

use std::sync::Arc;

use futures_util::future::join_all;
use protocol::api::file::Scan;
use protocol::time::{SpanMs, TimestampMs};
use store::records::{Fetched, Scanned};

use self::fetch::fetch;
use self::scan::scan;
use super::Shared;
use super::supervised::{ConsumerError, ViewCell};
use super::turn::Turn;
use crate::files::FileShelf;
use crate::limits::{FILE_POLL, FILES_AT_ONCE, SPARE_BLOBS_AT_ONCE};
use crate::metrics::FileOutcome;
use crate::provider::{MediaProvider, Scanner};

/// Its name.
pub(in crate::consumers) const NAME: &str = "files";

/// What is done about files.
#[derive(Clone)]
pub struct FileWork {
    /// Where they are kept.
    pub shelf: FileShelf,
    /// Has what contacts sent.
    pub provider: Arc<dyn MediaProvider>,
    /// Looks into new ones.
    pub scanner: Option<Arc<dyn Scanner>>,
}

/// Works until told to stop.
pub(in crate::consumers) async fn run(shared: Shared, view: ViewCell) -> Result<(), ConsumerError> {
    let mut turn = shared.turn.subscribe();
    let mut done = 0;
    while *turn.borrow() == Turn::Ours {
        let handled = tokio::select! {
            handled = step(&shared) => handled?,
            // What was under way is taken up again by whoever is next.
            () = shared.stopped() => return Ok(()),
        };
        done += handled as u64;
        view.moved(done, handled);
        tokio::select! {
            () = tokio::time::sleep(FILE_POLL), if handled == 0 => {}
            () = tokio::task::yield_now(), if handled > 0 => {}
            _ = turn.changed() => {}
        }
    }
    Ok(())
}

/// Does what is due; answers how much that was.
pub(in crate::consumers) async fn step(shared: &Shared) -> Result<usize, ConsumerError> {
    let now = shared.options.engine.now().await?;
    let fetched = fetches(shared, now).await?;
    let scanned = scans(shared, now).await?;
    Ok(fetched + scanned + sweep(shared, now).await?)
}

async fn fetches(shared: &Shared, now: TimestampMs) -> Result<usize, ConsumerError> {
    let records = &shared.options.records;
    let due = records.fetches_due(now, FILES_AT_ONCE).await?;
    let ends = join_all(due.iter().map(|task| fetch(shared, task, now))).await;
    for (task, end) in due.iter().zip(ends) {
        shared.options.metrics.files.of(fetched(&end)).inc();
        records.finish_fetch(task.message, end).await?;
    }
    Ok(due.len())
}

async fn scans(shared: &Shared, now: TimestampMs) -> Result<usize, ConsumerError> {
    let records = &shared.options.records;
    let due = records.scans_due(now, FILES_AT_ONCE).await?;
    let ends = join_all(due.iter().map(|task| scan(&shared.options.files, task, now))).await;
    for (task, end) in due.iter().zip(ends) {
        if let Some(outcome) = scanned(end) {
            shared.options.metrics.files.of(outcome).inc();
        }
        records.finish_scan(task.file.id, end).await?;
    }
    Ok(due.len())
}

const fn fetched(end: &Fetched) -> FileOutcome {
    match end {
        Fetched::Stored(_) => FileOutcome::Fetched,
        Fetched::Again { .. } => FileOutcome::FetchRetried,
        Fetched::Lost { .. } => FileOutcome::FetchGivenUp,
    }
}

const fn scanned(end: Scanned) -> Option<FileOutcome> {
    match end {
        Scanned::Again(_) => Some(FileOutcome::ScanRetried),
        Scanned::Decided(Scan::Clean) => Some(FileOutcome::Clean),
        Scanned::Decided(Scan::Infected) => Some(FileOutcome::Infected),
        Scanned::Decided(Scan::GivenUp) => Some(FileOutcome::ScanGivenUp),
        Scanned::Decided(Scan::Unchecked | Scan::Waiting) => None,
    }
}

/// A pause that grew by a factor, as far as it may.
fn pause(shortest: SpanMs, factor: i64, longest: SpanMs) -> SpanMs {
    SpanMs(shortest.0.saturating_mul(factor).min(longest.0))
}

/// Removes contents that no file has.
async fn sweep(shared: &Shared, now: TimestampMs) -> Result<usize, ConsumerError> {
    let records = &shared.options.records;
    let spare = records.spare_blobs(now, SPARE_BLOBS_AT_ONCE).await?;
    let mut gone = Vec::new();
    for name in spare {
        match shared.options.files.shelf.blobs.remove(&name).await {
            Ok(()) => gone.push(name),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a content is not removed yet");
            }
        }
    }
    let count = gone.len();
    if count > 0 {
        records.forget_blobs(gone).await?;
    }
    Ok(count)
}
