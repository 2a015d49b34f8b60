//! What tenants configure.

use async_trait::async_trait;
use compact_str::CompactString;
use domain::directory::{Directory, DirectoryDocuments};
use futures_util::FutureExt as _;
use protocol::id::TenantId;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::super::text::from_json;
use super::super::{
    AuditEntry, Change, Document, DocumentKind, DocumentWrite, Documents, Expect, RecordsError, RecordsResult,
};
use super::statement::{Database, Durability, Lock, Sql, number, one, set_number};
use super::value::values;
use super::{contacts, save};

/// Counts every write of a document: the source of versions.
const WRITES: &str = "document_writes";
/// The version of the newest write that concerns the directory.
const REVISION: &str = "directory_revision";

#[async_trait]
impl<D: Database> Documents for D {
    async fn write_documents(
        &self,
        change: Change,
        writes: Vec<DocumentWrite>,
    ) -> RecordsResult<Vec<Document>> {
        self.write(Durability::Disk, move |db| write(db, change, writes).boxed()).await
    }

    async fn document(
        &self,
        kind: DocumentKind,
        tenant: Option<TenantId>,
        id: CompactString,
    ) -> RecordsResult<Option<Document>> {
        self.read(move |db| async move { find(db, kind, tenant, &id).await }.boxed()).await
    }

    async fn documents(&self, kind: DocumentKind, tenant: Option<TenantId>) -> RecordsResult<Vec<Document>> {
        self.read(move |db| list(db, kind, tenant).boxed()).await
    }

    async fn revision(&self) -> RecordsResult<u64> {
        self.read(|db| number(db, REVISION).boxed()).await
    }

    async fn load_directory(&self) -> RecordsResult<(u64, Directory)> {
        // One moment: the revision must be that of the documents.
        self.snapshot(|db| load_directory(db).boxed()).await
    }
}

/// One document.
pub(super) async fn find<S: Sql>(
    db: &mut S,
    kind: DocumentKind,
    tenant: Option<TenantId>,
    id: &str,
) -> RecordsResult<Option<Document>> {
    let sql = "SELECT version, updated_at, body FROM documents WHERE kind = ?1 AND tenant = ?2 AND id = ?3";
    let found = one(db, sql, values![kind.name(), owner(tenant).0, id], |cells| {
        Ok(Document {
            kind,
            tenant,
            id: id.into(),
            version: cells.take()?,
            updated_at: cells.time()?,
            body: cells.text(|text| from_json("document", text))?,
        })
    });
    found.await
}

async fn list<S: Sql>(
    db: &mut S,
    kind: DocumentKind,
    tenant: Option<TenantId>,
) -> RecordsResult<Vec<Document>> {
    let sql =
        "SELECT id, version, updated_at, body FROM documents WHERE kind = ?1 AND tenant = ?2 ORDER BY id";
    let found = db.all(sql, values![kind.name(), owner(tenant).0], |cells| {
        Ok(Document {
            kind,
            tenant,
            id: cells.text(|text| Ok(text.into()))?,
            version: cells.take()?,
            updated_at: cells.time()?,
            body: cells.text(|text| from_json("document", text))?,
        })
    });
    found.await
}

/// Writes all documents or, with an error, none.
pub(super) async fn write<S: Sql>(
    db: &mut S,
    change: Change,
    writes: Vec<DocumentWrite>,
) -> RecordsResult<Vec<Document>> {
    db.lock(vec![Lock::Documents]).await?;
    let contacts: RecordsResult<Vec<_>> =
        writes.iter().filter_map(contacts::of_document).map(|id| id.map(Lock::Contact)).collect();
    db.lock(contacts?).await?;
    let mut written = Vec::with_capacity(writes.len());
    for wanted in &writes {
        written.extend(write_one(db, change, wanted).await?);
    }
    Ok(written)
}

async fn write_one<S: Sql>(
    db: &mut S,
    change: Change,
    wanted: &DocumentWrite,
) -> RecordsResult<Option<Document>> {
    let known = find(db, wanted.kind, wanted.tenant, &wanted.id).await?;
    let expected = match wanted.expect {
        Expect::Any => true,
        Expect::Absent => known.is_none(),
        Expect::Version(version) => known.as_ref().is_some_and(|known| known.version == version),
        Expect::AbsentSince(version) => known.is_none() && newest(db, wanted).await? <= version,
    };
    if !expected {
        return Err(RecordsError::Conflict { kind: wanted.kind.name(), id: wanted.id.to_string() });
    }
    if known.as_ref().map(|known| &known.body) == wanted.body.as_ref() {
        return Ok(known);
    }
    let version = number(db, WRITES).await? + 1;
    set_number(db, WRITES, version).await?;
    if wanted.kind.in_directory() {
        set_number(db, REVISION, version).await?;
    }
    store(db, change, wanted, version).await?;
    if wanted.kind.is_audited() {
        save::audit(db, vec![(None, audit(change, wanted, version))]).await?;
    }
    if let (DocumentKind::Contact, Some(tenant)) = (wanted.kind, wanted.tenant) {
        contacts::apply_card(db, (tenant, &wanted.id), wanted.body.clone(), change.at).await?;
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

/// The newest version among the documents of a kind and tenant.
async fn newest<S: Sql>(db: &mut S, of: &DocumentWrite) -> RecordsResult<u64> {
    let sql = "SELECT coalesce(max(version), 0) FROM documents WHERE kind = ?1 AND tenant = ?2";
    let found = one(db, sql, values![of.kind.name(), owner(of.tenant).0], |cells| cells.take::<u64>());
    Ok(found.await?.unwrap_or(0))
}

async fn store<S: Sql>(
    db: &mut S,
    change: Change,
    wanted: &DocumentWrite,
    version: u64,
) -> RecordsResult<()> {
    let mut values = values![wanted.kind.name(), owner(wanted.tenant).0, wanted.id.as_str()];
    let sql = match &wanted.body {
        Some(body) => {
            values.extend(values![version, change.at.0, body.to_string()]);
            "INSERT INTO documents (kind, tenant, id, version, updated_at, body) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (kind, tenant, id) \
             DO UPDATE SET version = ?4, updated_at = ?5, body = ?6"
        }
        None => "DELETE FROM documents WHERE kind = ?1 AND tenant = ?2 AND id = ?3",
    };
    db.run(sql, values).await.map(drop)
}

/// Bodies stay out of the audit: they hold secrets.
fn audit(change: Change, wanted: &DocumentWrite, version: u64) -> AuditEntry {
    let kind = wanted.kind.name();
    let verb = if wanted.body.is_some() { "put" } else { "deleted" };
    AuditEntry {
        tenant: owner(wanted.tenant),
        at: change.at,
        by: change.by,
        action: format!("{kind}.{verb}").into(),
        conversation: None,
        subject: Some(format!("{kind}/{}", wanted.id).into()),
        detail: json!({ "version": version }),
    }
}

async fn load_directory<S: Sql>(db: &mut S) -> RecordsResult<(u64, Directory)> {
    let documents = DirectoryDocuments {
        tenants: bodies(db, DocumentKind::Tenant).await?,
        numbers: bodies(db, DocumentKind::Number).await?,
        users: bodies(db, DocumentKind::User).await?,
        groups: bodies(db, DocumentKind::Group).await?,
        keys: bodies(db, DocumentKind::Key).await?,
        templates: bodies(db, DocumentKind::Template).await?,
        flows: bodies(db, DocumentKind::Flow).await?,
        endpoints: bodies(db, DocumentKind::Endpoint).await?,
        pauses: bodies(db, DocumentKind::Pause).await?,
        credit_rules: bodies(db, DocumentKind::CreditRules).await?,
        notices: bodies(db, DocumentKind::Notices).await?,
        erasures: bodies(db, DocumentKind::Erasure).await?,
        rate_cards: bodies(db, DocumentKind::RateCard).await?,
    };
    Ok((number(db, REVISION).await?, Directory::build(documents)))
}

async fn bodies<S: Sql, T: DeserializeOwned + Send>(db: &mut S, kind: DocumentKind) -> RecordsResult<Vec<T>> {
    let sql = "SELECT body FROM documents WHERE kind = ?1 ORDER BY tenant, id";
    db.all(sql, values![kind.name()], |cells| cells.text(|text| from_json(kind.name(), text))).await
}

/// Stands for the installation where a tenant is expected.
const INSTALLATION: TenantId = TenantId(0);

fn owner(tenant: Option<TenantId>) -> TenantId {
    tenant.unwrap_or(INSTALLATION)
}
