//! Files of messages.

use async_trait::async_trait;
use compact_str::CompactString;
use futures_util::FutureExt as _;
use protocol::api::file::Scan;
use protocol::content::{Content, MediaSource};
use protocol::id::{ContactId, ConversationId, FileId, MediaId, MessageId, NumberId, TenantId};
use protocol::time::TimestampMs;

use super::super::fold::Batch;
use super::super::limits::{FETCHES_PER_NUMBER, MAX_PAGE};
use super::super::text::{damaged, from_name, name};
use super::super::{
    Attachment, Direction, FetchTask, Fetched, FileRecord, Files, MessageRecord, Page, PageRequest,
    RecordsError, RecordsResult, Removal, ScanTask, Scanned, Upload,
};
use super::cells::Cells;
use super::inbox;
use super::statement::Kind::{Bytes, Int, Text};
use super::statement::{Database, Durability, Insert, Lock, Sql, one};
use super::value::{Values, values};

/// Columns read by [`file()`].
const FILE: &str = "f.id, f.tenant, f.sha256, f.mime, f.kind, f.bytes, f.blob, f.created_at, f.scan";

const FILES: Insert = Insert {
    table: "files",
    columns: &[
        ("id", Bytes),
        ("tenant", Bytes),
        ("sha256", Bytes),
        ("mime", Text),
        ("kind", Text),
        ("bytes", Int),
        ("blob", Text),
        ("created_at", Int),
        ("scan", Text),
        ("scan_attempts", Int),
        ("scan_at", Int),
    ],
    conflict: "ON CONFLICT (id) DO NOTHING",
};

/// A rebuild meets those that are there already.
const ATTACHMENTS: Insert = Insert {
    table: "attachments",
    columns: &[
        ("message", Bytes),
        ("tenant", Bytes),
        ("conversation", Bytes),
        ("number", Bytes),
        ("at", Int),
        ("media", Text),
        ("file", Bytes),
        ("attempts", Int),
        ("next_at", Int),
    ],
    conflict: "ON CONFLICT (message) DO NOTHING",
};

#[async_trait]
impl<D: Database> Files for D {
    async fn reserve_blob(&self, blob: CompactString, until: TimestampMs) -> RecordsResult<()> {
        let sql = "INSERT INTO spare_blobs (blob, at) VALUES (?1, ?2)";
        let values = values![blob.to_string(), until.0];
        self.write(Durability::Disk, move |db| db.run(sql, values).boxed()).await.map(drop)
    }

    async fn add_file(&self, file: FileRecord) -> RecordsResult<FileRecord> {
        self.write(Durability::Disk, move |db| add(db, file).boxed()).await
    }

    async fn file(&self, tenant: TenantId, id: FileId) -> RecordsResult<Option<FileRecord>> {
        let sql = format!("SELECT {FILE} FROM files f WHERE f.tenant = ?1 AND f.id = ?2");
        let values = values![tenant.0, id.0];
        self.read(move |db| async move { one(db, &sql, values, file).await }.boxed()).await
    }

    async fn remove_file(&self, tenant: TenantId, id: FileId) -> RecordsResult<Removal> {
        self.write(Durability::Disk, move |db| remove(db, tenant, id).boxed()).await
    }

    async fn upload(&self, file: FileId, number: NumberId) -> RecordsResult<Option<Upload>> {
        let sql = "SELECT media, at FROM file_uploads WHERE file = ?1 AND number = ?2";
        let decode = |cells: &mut Cells<'_>| Ok(Upload { media: media(cells)?, at: cells.time()? });
        let values = values![file.0, number.0];
        self.read(move |db| one(db, sql, values, decode).boxed()).await
    }

    async fn set_upload(&self, file: FileId, number: NumberId, upload: Option<Upload>) -> RecordsResult<()> {
        let key = values![file.0, number.0];
        let (sql, values) = match upload {
            None => ("DELETE FROM file_uploads WHERE file = ?1 AND number = ?2", key),
            Some(Upload { media, at }) => (
                "INSERT INTO file_uploads (file, number, media, at) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (file, number) DO UPDATE SET media = excluded.media, at = excluded.at",
                [key, values![media.to_string(), at.0]].concat(),
            ),
        };
        self.write(Durability::Process, move |db| db.run(sql, values).boxed()).await.map(drop)
    }

    async fn message_with(&self, tenant: TenantId, media: MediaId) -> RecordsResult<Option<MessageId>> {
        let sql = "SELECT message FROM attachments WHERE media = ?1 AND tenant = ?2 ORDER BY at DESC LIMIT 1";
        let values = values![media.to_string(), tenant.0];
        self.read(move |db| one(db, sql, values, |cells| cells.id(MessageId)).boxed()).await
    }

    async fn fetches_due(&self, now: TimestampMs, limit: usize) -> RecordsResult<Vec<FetchTask>> {
        let sql = "SELECT message, tenant, number, media, attempts, at FROM (SELECT message, tenant, number, media, \
                   attempts, at, next_at, row_number() OVER (PARTITION BY number ORDER BY next_at) AS place \
                   FROM attachments WHERE next_at <= ?1) AS due WHERE place <= ?3 ORDER BY next_at LIMIT ?2";
        let values = values![now.0, limit.clamp(1, MAX_PAGE), FETCHES_PER_NUMBER];
        let decode = |cells: &mut Cells<'_>| {
            Ok(FetchTask {
                message: cells.id(MessageId)?,
                tenant: cells.id(TenantId)?,
                number: cells.id(NumberId)?,
                media: media(cells)?,
                attempts: cells.take()?,
                at: cells.time()?,
            })
        };
        self.read(move |db| db.all(sql, values, decode).boxed()).await
    }

    async fn finish_fetch(&self, message: MessageId, end: Fetched) -> RecordsResult<()> {
        self.write(Durability::Process, move |db| finish_fetch(db, message, end).boxed()).await
    }

    async fn scans_due(&self, now: TimestampMs, limit: usize) -> RecordsResult<Vec<ScanTask>> {
        let sql = format!(
            "SELECT {FILE}, f.scan_attempts FROM files f WHERE f.scan_at <= ?1 ORDER BY f.scan_at LIMIT ?2"
        );
        let values = values![now.0, limit.clamp(1, MAX_PAGE)];
        let decode = |cells: &mut Cells<'_>| Ok(ScanTask { file: file(cells)?, attempts: cells.take()? });
        self.read(move |db| async move { db.all(&sql, values, decode).await }.boxed()).await
    }

    async fn finish_scan(&self, file: FileId, end: Scanned) -> RecordsResult<()> {
        let (sql, values) = match end {
            Scanned::Decided(scan) => {
                ("UPDATE files SET scan = ?2, scan_at = NULL WHERE id = ?1", values![file.0, name(&scan)?])
            }
            Scanned::Again(at) => (
                "UPDATE files SET scan_attempts = scan_attempts + 1, scan_at = ?2 WHERE id = ?1",
                values![file.0, at.0],
            ),
        };
        self.write(Durability::Process, move |db| db.run(sql, values).boxed()).await.map(drop)
    }

    async fn spare_blobs(&self, now: TimestampMs, limit: usize) -> RecordsResult<Vec<CompactString>> {
        let sql = "SELECT blob FROM spare_blobs WHERE at <= ?1 ORDER BY at LIMIT ?2";
        let values = values![now.0, limit.clamp(1, MAX_PAGE)];
        self.read(move |db| db.all(sql, values, |cells| cells.text(|text| Ok(text.into()))).boxed()).await
    }

    async fn forget_blobs(&self, blobs: Vec<CompactString>) -> RecordsResult<()> {
        let rows: Vec<_> = blobs.into_iter().map(|blob| values![blob.to_string()]).collect();
        let sql = "DELETE FROM spare_blobs WHERE blob = ?1";
        self.write(Durability::Process, move |db| db.run_each(sql, rows).boxed()).await
    }

    async fn attachments(
        &self,
        tenant: TenantId,
        contact: ContactId,
        page: PageRequest,
    ) -> RecordsResult<Page<MessageRecord>> {
        self.read(move |db| inbox::attachments(db, (tenant, contact), page).boxed()).await
    }
}

/// The files of new messages: those of contacts are fetched, those that we send are known.
pub(super) async fn of_messages<S: Sql>(db: &mut S, batch: &Batch) -> RecordsResult<()> {
    let mut rows = Vec::new();
    for (_, message) in &batch.messages {
        let Content::Media(content) = &message.content else { continue };
        let Some(conversation) = batch.conversations.get(&message.conversation) else { continue };
        let inbound = message.direction == Direction::Inbound;
        let (media, file) = match &content.source {
            MediaSource::Provider(id) if inbound => (Some(id.as_str()), None),
            MediaSource::File(file) if !inbound => (None, Some(file.0)),
            _ => continue,
        };
        let next_at = media.map(|_| message.at.0);
        let (id, tenant, number) = (message.id.0, message.tenant.0, conversation.row.number.0);
        let conversation = message.conversation.0;
        rows.push(values![id, tenant, conversation, number, message.at.0, media, file, 0u32, next_at]);
    }
    db.insert(&ATTACHMENTS, rows).await
}

/// Fills in the files of messages.
pub(super) async fn fill<'a, S: Sql>(
    db: &mut S,
    messages: impl Iterator<Item = &'a mut MessageRecord>,
) -> RecordsResult<()> {
    let mut messages: Vec<_> =
        messages.filter(|message| matches!(message.content, Content::Media(_))).collect();
    if messages.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "SELECT a.message, a.next_at, a.error, {FILE} FROM attachments a LEFT JOIN files f ON f.id = a.file \
         WHERE a.message IN (?1)"
    );
    let keys = messages.iter().map(|message| message.id.0.into()).collect();
    let found = db.of_keys(&sql, keys, |cells| {
        let (message, next_at) = (cells.id(MessageId)?, cells.maybe_time()?);
        Ok((message, Attachment { next_at, error: cells.take()?, file: maybe_file(cells)? }))
    });
    for (id, attachment) in found.await? {
        if let Some(message) = messages.iter_mut().find(|message| message.id == id) {
            message.attachment = Some(attachment);
        }
    }
    Ok(())
}

/// Forgets the files of a conversation. Those that no other conversation has are removed.
pub(super) async fn erase<S: Sql>(db: &mut S, conversation: ConversationId) -> RecordsResult<()> {
    db.lock(vec![Lock::Files]).await?;
    let sql = "SELECT DISTINCT f.id, f.blob FROM attachments a JOIN files f ON f.id = a.file \
               WHERE a.conversation = ?1 AND NOT EXISTS \
               (SELECT 1 FROM attachments o WHERE o.file = a.file AND o.conversation <> ?1)";
    let decode = |cells: &mut Cells<'_>| Ok((cells.id(FileId)?, cells.take::<String>()?));
    let gone = db.all(sql, values![conversation.0], decode).await?;
    forget(db, &gone, Some(conversation)).await?;
    db.run("DELETE FROM attachments WHERE conversation = ?1", values![conversation.0]).await.map(drop)
}

/// Takes files out of the tables; their contents are removed soon after.
async fn forget<S: Sql>(
    db: &mut S,
    gone: &[(FileId, String)],
    erased: Option<ConversationId>,
) -> RecordsResult<()> {
    let erased = erased.map(|conversation| conversation.0);
    let spare = gone.iter().map(|(_, blob)| values![blob.as_str(), erased]).collect();
    let sql = "INSERT INTO spare_blobs (blob, at, conversation) VALUES (?1, 0, ?2)";
    db.run_each(sql, spare).await?;
    let files: Vec<Values<'_>> = gone.iter().map(|(file, _)| values![file.0]).collect();
    db.run_each("DELETE FROM file_uploads WHERE file = ?1", files.clone()).await?;
    db.run_each("DELETE FROM files WHERE id = ?1", files).await
}

async fn remove<S: Sql>(db: &mut S, tenant: TenantId, id: FileId) -> RecordsResult<Removal> {
    db.lock(vec![Lock::Files]).await?;
    let sql = "SELECT f.blob, (SELECT count(*) FROM attachments a WHERE a.file = f.id) FROM files f \
               WHERE f.tenant = ?1 AND f.id = ?2";
    let decode = |cells: &mut Cells<'_>| Ok((cells.take::<String>()?, cells.take::<u64>()?));
    match one(db, sql, values![tenant.0, id.0], decode).await? {
        None => Ok(Removal::Unknown),
        Some((blob, 0)) => forget(db, &[(id, blob)], None).await.map(|()| Removal::Removed),
        Some(_) => Ok(Removal::InUse),
    }
}

/// Files from before a time that are still known, and contents that still have to be removed.
pub(super) async fn left<S: Sql>(
    db: &mut S,
    conversation: ConversationId,
    before: TimestampMs,
) -> RecordsResult<u64> {
    let sql = "SELECT (SELECT count(*) FROM attachments WHERE conversation = ?1 AND at < ?2) \
               + (SELECT count(*) FROM spare_blobs WHERE conversation = ?1)";
    let left = one(db, sql, values![conversation.0, before.0], |cells| cells.take::<u64>()).await?;
    Ok(left.unwrap_or(0))
}

async fn add<S: Sql>(db: &mut S, new: FileRecord) -> RecordsResult<FileRecord> {
    db.lock(vec![Lock::Files]).await?;
    db.insert(&FILES, vec![columns(&new)?]).await?;
    let sql = format!("SELECT {FILE} FROM files f WHERE f.id = ?1");
    let stored = one(db, &sql, values![new.id.0], file).await?;
    let stored = stored.ok_or_else(|| RecordsError::Failed("a file that was added is not there".into()))?;
    let sql = if stored.blob == new.blob {
        "DELETE FROM spare_blobs WHERE blob = ?1"
    } else {
        "UPDATE spare_blobs SET at = 0 WHERE blob = ?1"
    };
    db.run(sql, values![new.blob.as_str()]).await?;
    Ok(stored)
}

async fn finish_fetch<S: Sql>(db: &mut S, message: MessageId, end: Fetched) -> RecordsResult<()> {
    let (sql, values) = match end {
        Fetched::Stored(new) => {
            db.lock(vec![Lock::Files]).await?;
            let sql = "UPDATE attachments SET file = ?2, next_at = NULL, error = NULL \
                       WHERE message = ?1 AND file IS NULL";
            if db.run(sql, values![message.0, new.id.0]).await? > 0 {
                return add(db, new).await.map(drop);
            }
            // Erased meanwhile, or fetched by another node.
            ("UPDATE spare_blobs SET at = 0 WHERE blob = ?1", values![new.blob.to_string()])
        }
        Fetched::Again { at, error } => (
            "UPDATE attachments SET attempts = attempts + 1, next_at = ?2, error = ?3 \
             WHERE message = ?1 AND next_at IS NOT NULL",
            values![message.0, at.0, error],
        ),
        Fetched::Lost { error } => (
            "UPDATE attachments SET attempts = attempts + 1, next_at = NULL, error = ?2 \
             WHERE message = ?1 AND next_at IS NOT NULL",
            values![message.0, error],
        ),
    };
    db.run(sql, values).await.map(drop)
}

fn columns(file: &FileRecord) -> RecordsResult<Values<'_>> {
    let scan_at = (file.scan == Scan::Waiting).then_some(file.created_at.0);
    Ok(values![
        file.id.0,
        file.tenant.0,
        &file.sha256[..],
        file.mime.as_str(),
        file.kind.as_ref().map(name).transpose()?,
        file.bytes,
        file.blob.as_str(),
        file.created_at.0,
        name(&file.scan)?,
        0u32,
        scan_at,
    ])
}

fn file(cells: &mut Cells<'_>) -> RecordsResult<FileRecord> {
    maybe_file(cells)?.ok_or_else(|| damaged("file")("null where a file must be"))
}

/// Reads [`FILE`], all of it null where there is none.
fn maybe_file(cells: &mut Cells<'_>) -> RecordsResult<Option<FileRecord>> {
    let Some(id) = cells.maybe_id(FileId)? else { return Ok(None) };
    Ok(Some(FileRecord {
        id,
        tenant: cells.id(TenantId)?,
        sha256: cells.bytes(|bytes| bytes.try_into().map_err(damaged("hash of a file")))?,
        mime: cells.text(|text| Ok(text.into()))?,
        kind: cells.parsed(|text| from_name("kind of file", text))?,
        bytes: cells.take()?,
        blob: cells.text(|text| Ok(text.into()))?,
        created_at: cells.time()?,
        scan: cells.text(|text| from_name("scan", text))?,
    }))
}

fn media(cells: &mut Cells<'_>) -> RecordsResult<MediaId> {
    cells.text(|text| Ok(MediaId::new(text)))
}
