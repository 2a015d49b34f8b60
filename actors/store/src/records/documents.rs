//! What tenants configure, as JSON documents.

use async_trait::async_trait;
use compact_str::CompactString;
use domain::directory::Directory;
use protocol::command::Party;
use protocol::id::TenantId;
use protocol::time::TimestampMs;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::RecordsResult;

/// Kinds of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// [`protocol::directory::Tenant`].
    Tenant,
    /// [`protocol::directory::Number`].
    Number,
    /// [`protocol::directory::User`].
    User,
    /// [`protocol::directory::Group`].
    Group,
    /// [`protocol::directory::ApiKey`].
    Key,
    /// [`protocol::directory::Template`].
    Template,
    /// [`protocol::directory::Flow`]; each version is a document of its own, with the id `ID@version`.
    Flow,
    /// [`protocol::directory::RateCard`]; belongs to no tenant.
    RateCard,
    /// [`protocol::directory::WebhookEndpoint`].
    Endpoint,
    /// [`protocol::directory::Pause`].
    Pause,
    /// A user's saved view.
    View,
    /// A rule.
    Rule,
    /// [`super::ContactCard`].
    Contact,
    /// When the templates of a provider's account were compared with ours; by account, of the installation.
    TemplateSync,
    /// When a template was last used; by template.
    TemplateUse,
    /// [`protocol::directory::CreditRules`]; one of each tenant.
    CreditRules,
    /// [`protocol::directory::NoticeSettings`]; by user.
    Notices,
    /// [`protocol::directory::Erasure`]; one of each tenant.
    Erasure,
}

impl DocumentKind {
    /// Name in the audit and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Number => "number",
            Self::User => "user",
            Self::Group => "group",
            Self::Key => "key",
            Self::Template => "template",
            Self::Flow => "flow",
            Self::RateCard => "rate_card",
            Self::Endpoint => "endpoint",
            Self::Pause => "pause",
            Self::View => "view",
            Self::Rule => "rule",
            Self::Contact => "contact",
            Self::TemplateSync => "template_sync",
            Self::TemplateUse => "template_use",
            Self::CreditRules => "credit_rules",
            Self::Notices => "notices",
            Self::Erasure => "erasure",
        }
    }

    /// Whether nodes hold documents of this kind in their directory, and thus must notice a change.
    #[must_use]
    pub const fn in_directory(self) -> bool {
        !matches!(self, Self::View | Self::Rule | Self::Contact | Self::TemplateSync | Self::TemplateUse)
    }

    /// Whether people are told who changed it: not of what the gateway notes for itself.
    #[must_use]
    pub const fn is_audited(self) -> bool {
        !matches!(self, Self::TemplateSync | Self::TemplateUse | Self::Erasure)
    }
}

/// A stored document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Kind.
    pub kind: DocumentKind,
    /// Whose; `None` for what belongs to the installation.
    pub tenant: Option<TenantId>,
    /// Unique within kind and tenant.
    pub id: CompactString,
    /// Changes with every write: the `ETag`.
    pub version: u64,
    /// The document.
    pub body: Value,
    /// When it was written.
    pub updated_at: TimestampMs,
}

/// What must hold for a write to happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expect {
    /// Nothing.
    #[default]
    Any,
    /// There is none yet.
    Absent,
    /// It is at this version.
    Version(u64),
    /// There is none yet, and none of its kind and tenant was written after this version: what was decided by looking at
    /// all of them still holds.
    AbsentSince(u64),
}

/// One document to write or delete.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentWrite {
    /// Kind.
    pub kind: DocumentKind,
    /// Whose.
    pub tenant: Option<TenantId>,
    /// Id.
    pub id: CompactString,
    /// What must hold.
    pub expect: Expect,
    /// The document; `None` deletes it.
    pub body: Option<Value>,
}

/// Who changes something, and when; goes to the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Who.
    pub by: Party,
    /// When.
    pub at: TimestampMs,
}

/// Configuration.
#[async_trait]
pub trait Documents: Send + Sync + 'static {
    /// Writes all or none, durably. A body equal to the stored one changes nothing: applying a file twice
    /// leaves versions and audit alone. Answers the documents as they are now (deleted ones are left out).
    async fn write_documents(
        &self,
        change: Change,
        writes: Vec<DocumentWrite>,
    ) -> RecordsResult<Vec<Document>>;

    /// One document.
    async fn document(
        &self,
        kind: DocumentKind,
        tenant: Option<TenantId>,
        id: CompactString,
    ) -> RecordsResult<Option<Document>>;

    /// All documents of a kind and tenant, by id.
    async fn documents(&self, kind: DocumentKind, tenant: Option<TenantId>) -> RecordsResult<Vec<Document>>;

    /// Moves whenever a document of the directory changes: nodes compare it and load again.
    async fn revision(&self) -> RecordsResult<u64>;

    /// Everything that nodes hold in memory, with the revision it stands for.
    async fn load_directory(&self) -> RecordsResult<(u64, Directory)>;
}
