//! What tenants configure.

use async_trait::async_trait;
use compact_str::CompactString;
use domain::directory::{Directory, DirectoryDocuments};
use protocol::id::TenantId;
use rusqlite::{Connection, Transaction};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::super::text::from_json;
use super::super::{
    AuditEntry, Change, Document, DocumentKind, DocumentWrite, Documents, Expect, RecordsError, RecordsResult,
};
use super::sql::{Id, all, number, one, run, set_number};
use super::{SqliteRecords, contacts, save};

/// Counts every write of a document: the source of versions.
const WRITES: &str = "document_writes";
/// The version of the newest write that concerns the directory.
const REVISION: &str = "directory_revision";

#[async_trait]
impl Documents for SqliteRecords {
    async fn write_documents(
        &self,
        change: Change,
        writes: Vec<DocumentWrite>,
    ) -> RecordsResult<Vec<Document>> {
        self.write_durably(move |transaction| write(transaction, change, &writes)).await
    }

    async fn document(
        &self,
        kind: DocumentKind,
        tenant: Option<TenantId>,
        id: CompactString,
    ) -> RecordsResult<Option<Document>> {
        self.read(move |connection| find(connection, kind, tenant, &id)).await
    }

    async fn documents(&self, kind: DocumentKind, tenant: Option<TenantId>) -> RecordsResult<Vec<Document>> {
        let sql =
            "SELECT id, version, updated_at, body FROM documents WHERE kind = ?1 AND tenant = ?2 ORDER BY id";
        self.read(move |connection| {
            all(connection, sql, (kind.name(), owner(tenant)), |cells| {
                Ok(Document {
                    kind,
                    tenant,
                    id: cells.text(|text| Ok(text.into()))?,
                    version: cells.take()?,
                    updated_at: cells.time()?,
                    body: cells.text(|text| from_json("document", text))?,
                })
            })
        })
        .await
    }

    async fn revision(&self) -> RecordsResult<u64> {
        self.read(|connection| number(connection, REVISION)).await
    }

    async fn load_directory(&self) -> RecordsResult<(u64, Directory)> {
        self.read(load_directory).await
    }
}

/// One document.
pub(super) fn find(
    connection: &Connection,
    kind: DocumentKind,
    tenant: Option<TenantId>,
    id: &str,
) -> RecordsResult<Option<Document>> {
    let sql = "SELECT version, updated_at, body FROM documents WHERE kind = ?1 AND tenant = ?2 AND id = ?3";
    one(connection, sql, (kind.name(), owner(tenant), id), |cells| {
        Ok(Document {
            kind,
            tenant,
            id: id.into(),
            version: cells.take()?,
            updated_at: cells.time()?,
            body: cells.text(|text| from_json("document", text))?,
        })
    })
}

/// Writes all documents or, with an error, none.
pub(super) fn write(
    transaction: &Transaction<'_>,
    change: Change,
    writes: &[DocumentWrite],
) -> RecordsResult<Vec<Document>> {
    let mut written = Vec::with_capacity(writes.len());
    for wanted in writes {
        written.extend(write_one(transaction, change, wanted)?);
    }
    Ok(written)
}

fn write_one(
    transaction: &Transaction<'_>,
    change: Change,
    wanted: &DocumentWrite,
) -> RecordsResult<Option<Document>> {
    let known = find(transaction, wanted.kind, wanted.tenant, &wanted.id)?;
    let expected = match wanted.expect {
        Expect::Any => true,
        Expect::Absent => known.is_none(),
        Expect::Version(version) => known.as_ref().is_some_and(|known| known.version == version),
    };
    if !expected {
        return Err(RecordsError::Conflict { kind: wanted.kind.name(), id: wanted.id.to_string() });
    }
    if known.as_ref().map(|known| &known.body) == wanted.body.as_ref() {
        return Ok(known);
    }
    let version = number(transaction, WRITES)? + 1;
    set_number(transaction, WRITES, version)?;
    if wanted.kind.in_directory() {
        set_number(transaction, REVISION, version)?;
    }
    store(transaction, change, wanted, version)?;
    audit(transaction, change, wanted, version)?;
    if let (DocumentKind::Contact, Some(tenant)) = (wanted.kind, wanted.tenant) {
        contacts::apply_card(transaction, (tenant, &wanted.id), wanted.body.clone(), change.at)?;
    }
    Ok(wanted.body.clone().map(|body| Document {
        kind: wanted.kind,
        tenant: wanted.tenant,
        id: wanted.id.clone(),
        version,
        body,
        updated_at: change.at,
    }))
}

fn store(
    transaction: &Transaction<'_>,
    change: Change,
    wanted: &DocumentWrite,
    version: u64,
) -> RecordsResult<()> {
    let (kind, tenant, id) = (wanted.kind.name(), owner(wanted.tenant), wanted.id.as_str());
    match &wanted.body {
        Some(body) => {
            let sql = "INSERT INTO documents (kind, tenant, id, version, updated_at, body) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (kind, tenant, id) \
                       DO UPDATE SET version = ?4, updated_at = ?5, body = ?6";
            run(transaction, sql, (kind, tenant, id, version, change.at.0, body.to_string()))
        }
        None => {
            let sql = "DELETE FROM documents WHERE kind = ?1 AND tenant = ?2 AND id = ?3";
            run(transaction, sql, (kind, tenant, id))
        }
    }
    .map(drop)
}

/// Bodies stay out of the audit: they hold secrets.
fn audit(
    transaction: &Transaction<'_>,
    change: Change,
    wanted: &DocumentWrite,
    version: u64,
) -> RecordsResult<()> {
    let kind = wanted.kind.name();
    let verb = if wanted.body.is_some() { "put" } else { "deleted" };
    let line = AuditEntry {
        tenant: wanted.tenant.unwrap_or(INSTALLATION),
        at: change.at,
        by: change.by,
        action: format!("{kind}.{verb}").into(),
        conversation: None,
        subject: Some(format!("{kind}/{}", wanted.id).into()),
        detail: json!({ "version": version }),
    };
    save::audit(transaction, None, &line)
}

fn load_directory(connection: &Connection) -> RecordsResult<(u64, Directory)> {
    // One snapshot: the revision must be that of the documents.
    let snapshot = connection.unchecked_transaction()?;
    let documents = DirectoryDocuments {
        tenants: bodies(&snapshot, DocumentKind::Tenant)?,
        numbers: bodies(&snapshot, DocumentKind::Number)?,
        users: bodies(&snapshot, DocumentKind::User)?,
        groups: bodies(&snapshot, DocumentKind::Group)?,
        keys: bodies(&snapshot, DocumentKind::Key)?,
        templates: bodies(&snapshot, DocumentKind::Template)?,
        flows: bodies(&snapshot, DocumentKind::Flow)?,
        endpoints: bodies(&snapshot, DocumentKind::Endpoint)?,
        pauses: bodies(&snapshot, DocumentKind::Pause)?,
        rate_cards: bodies(&snapshot, DocumentKind::RateCard)?,
    };
    Ok((number(&snapshot, REVISION)?, Directory::build(documents)))
}

fn bodies<T: DeserializeOwned>(connection: &Connection, kind: DocumentKind) -> RecordsResult<Vec<T>> {
    let sql = "SELECT body FROM documents WHERE kind = ?1 ORDER BY tenant, id";
    all(connection, sql, [kind.name()], |cells| cells.text(|text| from_json(kind.name(), text)))
}

/// Stands for the installation where a tenant is expected.
const INSTALLATION: TenantId = TenantId(0);

fn owner(tenant: Option<TenantId>) -> Id {
    Id::new(tenant.unwrap_or(INSTALLATION).0)
}
