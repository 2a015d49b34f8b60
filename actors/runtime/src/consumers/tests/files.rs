//! Files: fetched, scanned, removed.

use std::collections::HashMap;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use protocol::api::file::Scan;
use protocol::content::{Content, Media, MediaKind, MediaSource, ProviderError};
use protocol::id::{FileId, MediaId, ProviderId};
use protocol::outbound::Outcome;
use store::records::{Attachment, Files as _, Inbox as _};

use super::*;
use crate::consumers::files::{FileWork, step};
use crate::files::{FileShelf, Uploads};
use crate::limits::{FETCH_GIVES_UP_AFTER, SCAN_GIVES_UP_AFTER, UPLOAD_USED_FOR};
use crate::provider::{FetchError, MediaProvider, Scanner};

const PDF: &[u8] = b"%PDF-1.7 curriculum";

/// A provider that has files, or not.
#[derive(Default)]
pub(super) struct Shelves {
    held: Mutex<HashMap<MediaId, Bytes>>,
    uploads: Mutex<u32>,
}

#[async_trait]
impl MediaProvider for Shelves {
    async fn upload(&self, _: &Number, _: &str, content: Bytes) -> Result<MediaId, ProviderError> {
        let mut uploads = self.uploads.lock();
        *uploads += 1;
        let media = MediaId::new(format!("upload.{uploads}"));
        self.held.lock().insert(media.clone(), content);
        Ok(media)
    }

    async fn fetch(&self, _: &Number, media: &MediaId, max_bytes: u64) -> Result<Bytes, FetchError> {
        let held = self.held.lock().get(media).cloned();
        let content = held.ok_or_else(|| FetchError::Failed("HTTP 404".to_owned()))?;
        if content.len() as u64 > max_bytes { Err(FetchError::TooLarge { max_bytes }) } else { Ok(content) }
    }
}

/// A scanner with one opinion, or none.
struct Opinion(Mutex<Result<bool, String>>);

#[async_trait]
impl Scanner for Opinion {
    async fn scan(&self, _: &str, _: Bytes) -> Result<bool, String> {
        self.0.lock().clone()
    }
}

/// Somewhere to keep files, without a scanner.
pub(super) fn work(
    folder: &std::path::Path,
    records: &Arc<SqliteRecords>,
    provider: &Arc<Shelves>,
) -> FileWork {
    let place = store::blobs::BlobPlace::Folder(folder.join("files"));
    let blobs = store::blobs::Blobs::open(&place).unwrap();
    let shelf = FileShelf { records: records.clone(), blobs, scans: false, max_bytes: 1_000 };
    FileWork { shelf, provider: provider.clone(), scanner: None }
}

fn received(message: u128, media: &str) -> Fact {
    let content = Content::Media(Media {
        kind: MediaKind::Document,
        source: MediaSource::Provider(MediaId::new(media)),
        mime_type: Some("image/png".into()),
        sha256: None,
        filename: Some("cv.png".into()),
        caption: None,
        voice: false,
    });
    Fact::MessageReceived {
        message: MessageId(message),
        provider_id: ProviderId::new(format!("wamid.{message}")),
        sent_at: NOON,
        content,
        reply_to: None,
        referral: None,
        window_expires_at: NOON + SpanMs::hours(24),
        blocked: false,
        for_inbox: true,
    }
}

impl World {
    async fn says_with_file(&mut self, message: u128, media: &str) {
        self.commit(CHAT, vec![started(), received(message, media)]).await;
        self.project().await;
    }

    async fn attachment(&self, message: u128) -> Attachment {
        let row = self.records.message(ACME, MessageId(message)).await.unwrap().unwrap();
        row.attachment.unwrap()
    }

    async fn file_step(&self) -> usize {
        step(&self.shared).await.unwrap()
    }
}

#[tokio::test]
async fn d15_what_a_contact_sends_is_fetched_and_typed_by_its_content() {
    let mut world = World::new().await;
    world.provider.held.lock().insert(MediaId::new("m.1"), PDF.into());
    world.says_with_file(1, "m.1").await;
    assert_eq!(world.attachment(1).await.file, None, "the message does not wait for its file");
    assert_eq!(world.file_step().await, 1);
    let file = world.attachment(1).await.file.unwrap();
    assert_eq!(
        (file.mime.as_str(), file.kind, file.bytes),
        ("application/pdf", Some(MediaKind::Document), 19)
    );
    assert_eq!(world.shared.options.files.shelf.blobs.get(&file.blob).await.unwrap(), PDF);
    assert_eq!(world.file_step().await, 0);
}

#[tokio::test]
async fn d15_a_fetch_that_fails_is_tried_again_until_the_provider_forgets() {
    let mut world = World::new().await;
    world.says_with_file(1, "m.1").await;
    assert_eq!(world.file_step().await, 1);
    let waiting = world.attachment(1).await;
    assert_eq!((waiting.file, waiting.error.as_deref()), (None, Some("HTTP 404")));
    assert_eq!(world.file_step().await, 0, "not at once");
    world.provider.held.lock().insert(MediaId::new("m.1"), PDF.into());
    world.clock.advance(SpanMs::seconds(5));
    assert_eq!(world.file_step().await, 1);
    assert!(world.attachment(1).await.file.is_some());

    world.commit(CHAT, vec![received(2, "m.2")]).await;
    world.project().await;
    world.clock.advance(FETCH_GIVES_UP_AFTER);
    assert_eq!(world.file_step().await, 1);
    let lost = world.attachment(2).await;
    assert_eq!((lost.next_at, lost.error.as_deref()), (None, Some("HTTP 404")));
}

#[tokio::test]
async fn d15_a_file_that_is_too_large_is_not_asked_for_again() {
    let mut world = World::new().await;
    world.provider.held.lock().insert(MediaId::new("m.1"), vec![0; 1_001].into());
    world.says_with_file(1, "m.1").await;
    assert_eq!(world.file_step().await, 1);
    let lost = world.attachment(1).await;
    assert_eq!(lost.next_at, None);
    assert!(lost.error.unwrap().contains("files.max_bytes"));
}

#[tokio::test]
async fn d15_a_file_is_scanned_before_anybody_gets_it() {
    let mut world = World::new().await;
    let opinion = Arc::new(Opinion(Mutex::new(Err("away".into()))));
    world.shared.options.files.shelf.scans = true;
    world.shared.options.files.scanner = Some(opinion.clone());
    let shelf = world.shared.options.files.shelf.clone();
    let (stored, is_new) = shelf.store(ACME, PDF.into(), NOON).await.unwrap();
    assert_eq!((stored.scan, is_new), (Scan::Waiting, true));
    let scan = async || world.records.file(ACME, stored.id).await.unwrap().unwrap().scan;
    assert_eq!(world.file_step().await, 1);
    assert_eq!((scan().await, world.file_step().await), (Scan::Waiting, 0), "asked again later");
    *opinion.0.lock() = Ok(false);
    world.clock.advance(SpanMs::seconds(2));
    assert_eq!((world.file_step().await, scan().await), (1, Scan::Infected));

    *opinion.0.lock() = Err("away".into());
    let (other, _) = shelf.store(ACME, b"%PDF-1.4"[..].into(), NOON).await.unwrap();
    world.clock.advance(SCAN_GIVES_UP_AFTER);
    assert_eq!(world.file_step().await, 1);
    let other = world.records.file(ACME, other.id).await.unwrap().unwrap();
    assert_eq!(other.scan, Scan::GivenUp);
}

#[tokio::test]
async fn d15_a_content_that_no_file_took_is_removed_after_a_day() {
    let world = World::new().await;
    let shelf = world.shared.options.files.shelf.clone();
    let (first, _) = shelf.store(ACME, PDF.into(), NOON).await.unwrap();
    // A node that ended between storing a content and saying so.
    let left_behind = shelf.shelve(ACME, PDF.into(), NOON).await.unwrap();
    assert_eq!(world.file_step().await, 0);
    world.clock.advance(SpanMs::hours(24));
    assert_eq!(world.file_step().await, 1);
    assert!(shelf.blobs.get(&left_behind.blob).await.is_err());
    assert_eq!(shelf.blobs.get(&first.blob).await.unwrap(), PDF);
}

#[tokio::test]
async fn d15_a_file_is_uploaded_once_per_number_and_again_before_the_provider_forgets() {
    let world = World::new().await;
    let shelf = world.shared.options.files.shelf.clone();
    let (stored, _) = shelf.store(ACME, PDF.into(), NOON).await.unwrap();
    let uploads = Uploads::new(shelf, world.provider.clone());
    let number = number();
    let content = |file| {
        Content::Media(Media {
            kind: MediaKind::Document,
            source: MediaSource::File(file),
            mime_type: None,
            sha256: None,
            filename: None,
            caption: None,
            voice: false,
        })
    };
    let named = async |now| match uploads.usable(&number, content(stored.id), now).await {
        Ok(usable) => match usable.content {
            Content::Media(Media { source: MediaSource::Provider(id), .. }) => {
                (id.to_string(), usable.reused)
            }
            other => panic!("{other:?}"),
        },
        Err(outcome) => panic!("{outcome:?}"),
    };
    let (first, second) = tokio::join!(named(NOON), named(NOON));
    let mut both = [first, second];
    both.sort_by_key(|(_, reused)| reused.is_some());
    assert_eq!(both, [("upload.1".into(), None), ("upload.1".into(), Some(stored.id))]);
    assert_eq!(named(NOON + UPLOAD_USED_FOR).await, ("upload.2".into(), None));

    let lost = Outcome::Rejected {
        error: ProviderError { code: 100, title: "unknown id".into(), detail: None },
        retry_after_ms: None,
    };
    let judged = uploads.judge(&number, stored.id, lost).await;
    assert!(matches!(judged, Outcome::NotSent { .. }), "sent again with a new id: {judged:?}");
    assert_eq!(named(NOON + UPLOAD_USED_FOR).await, ("upload.3".into(), None));

    let erased = uploads.usable(&number, content(FileId(7)), NOON).await.err().unwrap();
    assert!(matches!(erased, Outcome::Rejected { .. }), "{erased:?}");
}
