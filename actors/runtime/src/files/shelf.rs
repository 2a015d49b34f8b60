//! Stores files: the content in the blob store, what it is in the records.

use bytes::Bytes;
use compact_str::{CompactString, format_compact};
use protocol::api::file::Scan;
use protocol::id::{FileId, TenantId};
use protocol::time::TimestampMs;
use sha2::{Digest as _, Sha256};
use store::blobs::{BlobError, Blobs};
use store::records::{FileRecord, RecordsError, SharedRecords};

use crate::limits::BLOB_ADOPTED_WITHIN;

/// Where files are kept.
#[derive(Clone)]
pub struct FileShelf {
    /// What they are.
    pub records: SharedRecords,
    /// What is in them.
    pub blobs: Blobs,
    /// Files are scanned before anybody gets them.
    pub scans: bool,
    /// The largest file that is taken.
    pub max_bytes: u64,
}

/// Why a file could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The records store did not answer well.
    #[error("the records store failed")]
    Records(#[from] RecordsError),
    /// The blob store did not answer well.
    #[error("the store of files failed")]
    Blobs(#[from] BlobError),
}

impl FileShelf {
    /// Stores a file unless the tenant has one with the same content; answers it, and whether it is new.
    ///
    /// # Errors
    /// When a store fails; nothing is left behind for longer than a day.
    pub async fn store(
        &self,
        tenant: TenantId,
        content: Bytes,
        now: TimestampMs,
    ) -> Result<(FileRecord, bool), ShelfError> {
        let new = self.describe(tenant, &content, now);
        if let Some(known) = self.records.file(tenant, new.id).await? {
            return Ok((known, false));
        }
        self.place(&new, content, now).await?;
        let stored = self.records.add_file(new.clone()).await?;
        let is_new = stored.blob == new.blob;
        Ok((stored, is_new))
    }

    /// Puts a content into the blob store for a file that is added to the records later, within a day.
    pub(crate) async fn shelve(
        &self,
        tenant: TenantId,
        content: Bytes,
        now: TimestampMs,
    ) -> Result<FileRecord, ShelfError> {
        let new = self.describe(tenant, &content, now);
        self.place(&new, content, now).await?;
        Ok(new)
    }

    async fn place(&self, new: &FileRecord, content: Bytes, now: TimestampMs) -> Result<(), ShelfError> {
        self.records.reserve_blob(new.blob.clone(), now + BLOB_ADOPTED_WITHIN).await?;
        Ok(self.blobs.put(&new.blob, content).await?)
    }

    fn describe(&self, tenant: TenantId, content: &Bytes, now: TimestampMs) -> FileRecord {
        let sha256: [u8; 32] = Sha256::digest(content).into();
        let id = FileId::derive(&[&tenant.0.to_le_bytes(), &sha256]);
        let found = domain::file::detect(content);
        FileRecord {
            id,
            tenant,
            sha256,
            mime: found.mime,
            kind: found.kind,
            bytes: content.len() as u64,
            blob: blob_name(tenant, id),
            created_at: now,
            scan: if self.scans { Scan::Waiting } else { Scan::Unchecked },
        }
    }
}

/// Never the same twice: whoever removes a content removes nobody else's.
fn blob_name(tenant: TenantId, file: FileId) -> CompactString {
    format_compact!("{tenant}/{file}-{:016x}", rand::random::<u64>())
}
