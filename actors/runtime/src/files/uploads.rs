//! Gives files to providers: once per number, again when the provider is about to forget.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use protocol::content::{Content, Media, MediaSource, ProviderError};
use protocol::directory::Number;
use protocol::id::{FileId, MediaId, NumberId};
use protocol::outbound::Outcome;
use protocol::time::TimestampMs;
use store::records::{FileRecord, Upload};

use super::{FileShelf, ShelfError};
use crate::limits::UPLOAD_USED_FOR;
use crate::provider::MediaProvider;

/// The provider's code for a file that it cannot take: the message is not tried again.
const CANNOT_UPLOAD: i64 = 131_053;
/// The provider's code for a parameter that it does not know, such as a file that it has forgotten.
const UNKNOWN_PARAMETER: i64 = 100;

/// Held by whoever uploads.
type UploadTurn = Arc<tokio::sync::Mutex<()>>;

/// Files at providers.
pub struct Uploads {
    shelf: FileShelf,
    provider: Arc<dyn MediaProvider>,
    /// Two messages with the same file, at the same time, need one upload. Entries go with the last that waits: as many
    /// as there are POSTs under way.
    under_way: Mutex<HashMap<(NumberId, FileId), UploadTurn>>,
}

/// A content that the provider understands.
pub struct Usable {
    /// With the provider's id of the file.
    pub content: Content,
    /// The file, if the provider had it before.
    pub reused: Option<FileId>,
}

impl Uploads {
    /// Uploads what is on the shelf.
    #[must_use]
    pub fn new(shelf: FileShelf, provider: Arc<dyn MediaProvider>) -> Self {
        Self { shelf, provider, under_way: Mutex::default() }
    }

    /// Replaces a file of ours by the provider's id of it.
    ///
    /// # Errors
    /// Why the message cannot be sent (now).
    pub async fn usable(
        &self,
        number: &Number,
        content: Content,
        now: TimestampMs,
    ) -> Result<Usable, Outcome> {
        let Content::Media(Media { source: MediaSource::File(file), .. }) = &content else {
            return Ok(Usable { content, reused: None });
        };
        let file = *file;
        let place = (number.id, file);
        let turn = Arc::clone(self.under_way.lock().entry(place).or_default());
        let answer = {
            let _turn = turn.lock().await;
            self.upload(number, file, now).await
        };
        drop(turn);
        self.under_way.lock().retain(|key, turn| *key != place || Arc::strong_count(turn) > 1);
        let (media, reused) = answer?;
        let Content::Media(described) = content else { return Err(not_now("the message has no file")) };
        let content = Content::Media(Media { source: MediaSource::Provider(media), ..described });
        Ok(Usable { content, reused: reused.then_some(file) })
    }

    /// What a refusal means for a file that the provider should have had: it is given to it again with the next attempt.
    pub async fn judge(&self, number: &Number, file: FileId, outcome: Outcome) -> Outcome {
        let Outcome::Rejected { error, .. } = &outcome else { return outcome };
        if !matches!(error.code, CANNOT_UPLOAD | UNKNOWN_PARAMETER) {
            return outcome;
        }
        match self.shelf.records.set_upload(file, number.id, None).await {
            Ok(()) => not_now("the provider does not have the file any more"),
            Err(error) => {
                tracing::warn!(%error, "a file that the provider lost is not forgotten");
                outcome
            }
        }
    }

    /// The provider's id, and whether it is from before.
    async fn upload(
        &self,
        number: &Number,
        file: FileId,
        now: TimestampMs,
    ) -> Result<(MediaId, bool), Outcome> {
        let records = &self.shelf.records;
        let known = records.upload(file, number.id).await.map_err(|error| unread(&error.into()))?;
        let stored = records.file(number.tenant, file).await.map_err(|error| unread(&error.into()))?;
        let stored = sendable(stored)?;
        if let Some(known) = known.filter(|known| now < known.at + UPLOAD_USED_FOR) {
            return Ok((known.media, true));
        }
        let content = self.shelf.blobs.get(&stored.blob).await.map_err(|error| unread(&error.into()))?;
        let media = self.give(number, &stored, content).await?;
        let upload = Upload { media: media.clone(), at: now };
        if let Err(error) = records.set_upload(file, number.id, Some(upload)).await {
            // It is uploaded again with the next message.
            tracing::warn!(%error, "where a file is at the provider was not stored");
        }
        Ok((media, false))
    }

    async fn give(&self, number: &Number, file: &FileRecord, content: Bytes) -> Result<MediaId, Outcome> {
        self.provider.upload(number, &file.mime, content).await.map_err(|error| {
            if error.code == 0 {
                not_now(&error.title)
            } else {
                Outcome::Rejected { error, retry_after_ms: None }
            }
        })
    }
}

/// Nobody gets what the scanner has not let through.
fn sendable(file: Option<FileRecord>) -> Result<FileRecord, Outcome> {
    use protocol::api::file::Scan;
    match file {
        None => Err(never("the file was erased")),
        Some(file) => match file.scan {
            Scan::Unchecked | Scan::Clean => Ok(file),
            Scan::Waiting => Err(not_now("the file waits for the virus scanner")),
            Scan::Infected => Err(never("the virus scanner found something in the file")),
            Scan::GivenUp => Err(never("the virus scanner did not answer")),
        },
    }
}

fn unread(error: &ShelfError) -> Outcome {
    tracing::warn!(error = error as &dyn std::error::Error, "a file cannot be read now");
    not_now("the file cannot be read now")
}

fn not_now(detail: &str) -> Outcome {
    Outcome::NotSent { detail: detail.to_owned() }
}

/// The process has no place for files.
pub(crate) fn no_files() -> Outcome {
    never("files are not kept here")
}

fn never(title: &str) -> Outcome {
    let error = ProviderError { code: CANNOT_UPLOAD, title: title.to_owned(), detail: None };
    Outcome::Rejected { error, retry_after_ms: None }
}
