//! Templates, and their life at the provider.

use std::collections::BTreeMap;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::RecordType;
use crate::content::Category;
use crate::id::{TemplateId, TenantId, WabaId};
use crate::time::TimestampMs;

/// A template in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// Derived from tenant, name and language.
    pub id: TemplateId,
    /// Whose.
    pub tenant: TenantId,
    /// Lower case, digits and `_` for approved ones (the provider's rule).
    pub name: CompactString,
    /// Approved by the provider, or ours.
    pub kind: TemplateKind,
    /// Exact language code.
    pub language: CompactString,
    /// What sends are charged as.
    pub category: Category,
    /// The record type it is for; cannot change after creation.
    pub record_type: RecordType,
    /// Text with `{{1}}` or `{{name}}` parameters, or merge fields in custom ones.
    pub body: String,
    /// Where it is in the provider's review; custom ones are always approved.
    pub status: TemplateStatus,
    /// Why it was rejected or paused.
    pub reason: Option<String>,
    /// `GREEN`, `YELLOW`, `RED` or `UNKNOWN`, by the provider.
    pub quality: Option<CompactString>,
    /// The provider's id.
    pub provider_id: Option<CompactString>,
    /// Sample values of its parameters, in their order, for the provider's reviewers; made up where they are missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
    /// Which merge field fills which parameter, such as `1` → `candidate.first_name`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub merge: BTreeMap<CompactString, CompactString>,
    /// Its life at the provider.
    #[serde(default)]
    pub review: Review,
}

impl Template {
    /// The id of a tenant's template in one language.
    #[must_use]
    pub fn id_of(tenant: TenantId, name: &str, language: &str) -> TemplateId {
        TemplateId::derive(&[&tenant.0.to_le_bytes(), name.as_bytes(), language.as_bytes()])
    }

    /// Whether people see it: what was deleted is kept only while the provider blocks its name.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.review.deleted_at.is_none()
    }
}

/// What is known of a template's life at the provider besides its status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Review {
    /// The business account that holds it; `None` while nobody has said, then any account of the tenant may.
    pub account: Option<WabaId>,
    /// What the provider has still to be told.
    pub task: Option<Task>,
    /// When its approved text was changed, oldest first: the provider counts the changes of 30 days.
    pub edited_at: Vec<TimestampMs>,
    /// Deleted since then; the document is kept while the provider blocks the name.
    pub deleted_at: Option<TimestampMs>,
    /// It was made of a message that waits for approval.
    pub of_message: bool,
}

/// What the provider has still to be told. Carried out by one node for all; repeating it does no harm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// What.
    pub kind: TaskKind,
    /// Calls that did not settle it.
    pub attempts: u32,
    /// Not to be tried before.
    pub not_before: TimestampMs,
    /// Why the newest call did not settle it.
    pub error: Option<String>,
}

impl Task {
    /// To be done at once.
    #[must_use]
    pub fn new(kind: TaskKind) -> Self {
        Self { kind, attempts: 0, not_before: TimestampMs::default(), error: None }
    }
}

/// Kinds of tasks. Each keeps what has to be restored when the provider refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Submit it.
    Create,
    /// Submit its new wording; this was the old one.
    Edit(Box<Wording>),
    /// Delete it; this was its status.
    Delete(TemplateStatus),
    /// Let a paused one go on.
    Unpause,
}

/// What an edit of a template may change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wording {
    /// Its text.
    pub body: String,
    /// Sample values.
    pub examples: Vec<String>,
    /// What sends are charged as.
    pub category: Category,
    /// Where it was in the review.
    pub status: TemplateStatus,
    /// Why.
    pub reason: Option<String>,
}

/// Who approves a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TemplateKind {
    /// The provider: may be sent outside the window.
    Approved,
    /// Nobody: ready-made free-form text.
    Custom,
}

/// Where a template is in the provider's review.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TemplateStatus {
    /// Submitted.
    #[default]
    Pending,
    /// May be sent.
    Approved,
    /// Refused.
    Rejected,
    /// Held by the provider for a while.
    Paused,
    /// Switched off by the provider.
    Disabled,
    /// Deleted, or about to be.
    Deleted,
}

impl TemplateStatus {
    /// Name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
            Self::Deleted => "deleted",
        }
    }
}
