//! Templates as shown and as asked for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::message::TemplateBody;
use crate::content::Category;
use crate::directory::{RecordType, TemplateKind, TemplateStatus};
use crate::id::{ContactId, ConversationId, NumberId, TemplateId};
use crate::text::Text;
use crate::time::TimestampMs;
use crate::whatsapp::limits::MAX_TEXT;

/// A template as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TemplateView {
    /// Its id.
    pub id: TemplateId,
    /// Its name.
    pub name: String,
    /// Who approves it.
    pub kind: TemplateKind,
    /// Exact language code.
    pub language: String,
    /// What sends are charged as.
    pub category: Category,
    /// The record type it is for.
    pub record_type: RecordType,
    /// Its text.
    pub body: String,
    /// What has to be filled in: `1`, `2` … or names.
    pub parameters: Vec<String>,
    /// Sample values of the parameters, for the provider's reviewers.
    pub examples: Vec<String>,
    /// The merge field that fills a parameter when a send gives no value.
    pub merge: BTreeMap<String, String>,
    /// Where it is in the provider's review.
    pub status: TemplateStatus,
    /// Why it was rejected or paused, or why the latest change was refused.
    pub reason: Option<String>,
    /// The provider's score.
    pub quality: Option<String>,
    /// The provider's id, once it has one.
    pub provider_id: Option<String>,
    /// When it was last sent as a template, to the hour.
    pub last_used_at: Option<TimestampMs>,
    /// What the provider has still to be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<PendingTask>,
}

/// When the templates of one of the tenant's accounts were compared with the provider's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SyncView {
    /// The provider's id of the account.
    pub account: String,
    /// When that was, or when the account was first seen.
    pub at: Option<TimestampMs>,
    /// Somebody has asked for it; it is done within seconds.
    pub requested: bool,
    /// Why the latest attempt failed.
    pub error: Option<String>,
}

/// A change on its way to the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PendingTask {
    /// `create`, `edit`, `delete` or `unpause`.
    pub action: String,
    /// Calls that did not settle it.
    pub attempts: u32,
    /// Not tried again before; `null` before the first attempt.
    pub next_attempt_at: Option<TimestampMs>,
    /// Why the latest call did not settle it.
    pub error: Option<String>,
}

/// Body of `POST /v1/templates`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTemplate {
    /// Lower case letters, digits and `_` for approved ones.
    #[schema(min_length = 1, max_length = 512)]
    pub name: String,
    /// Who approves it.
    pub kind: TemplateKind,
    /// Exact language code, such as `pt_BR`.
    #[schema(pattern = "^[a-z]{2,3}(_[A-Z]{2,3})?$")]
    pub language: String,
    /// What sends are charged as; needed for approved ones.
    #[serde(default)]
    pub category: Option<Category>,
    /// The record type it is for; cannot be changed later.
    #[serde(default)]
    pub record_type: RecordType,
    /// Its text; at most 1,024 characters of an approved one.
    #[schema(min_length = 1, max_length = 4096)]
    pub body: String,
    /// A sample value of each parameter in their order, or none.
    #[serde(default)]
    pub examples: Vec<String>,
    /// The merge field that fills a parameter when a send gives no value, such as `{"1": "candidate.first_name"}`.
    #[serde(default)]
    pub merge: BTreeMap<String, String>,
    /// Submits an approved one to the account of this number; needed when the numbers belong to several accounts and
    /// it is not that of the first.
    #[serde(default)]
    pub number_id: Option<NumberId>,
}

/// Body of `POST /v1/templates/{id}/preview`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PreviewBody {
    /// The contact whose record fills the merge fields.
    pub contact_id: Option<ContactId>,
    /// Its conversation, instead of `contact_id`.
    pub conversation_id: Option<ConversationId>,
    /// Values by the name of the parameter or of its merge field; they win over the record.
    #[schema(value_type = BTreeMap<String, Text<{ MAX_TEXT }>>)]
    pub merge: BTreeMap<String, String>,
}

/// What a template would say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreviewView {
    /// The text; what has no value stays as it is written.
    pub text: String,
    /// Values by parameter.
    pub values: BTreeMap<String, String>,
    /// Parameters or merge fields without a value.
    pub missing: Vec<String>,
    /// Merge fields with several values: one has to be chosen.
    pub choices: BTreeMap<String, Vec<String>>,
    /// Names that were given and that the template does not want.
    pub unknown: Vec<String>,
    /// Whether it can be sent like this, as far as the values go.
    pub complete: bool,
}

/// Body of `POST /v1/templates/match`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchBody {
    /// What somebody wants to say.
    #[schema(value_type = Text<{ MAX_TEXT }>)]
    pub text: String,
    /// Only templates that this number may send; all of the tenant's when left out.
    #[serde(default)]
    pub number_id: Option<NumberId>,
}

/// A template with the same wording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MatchView {
    /// As a send names it; `null` when there is none.
    pub template: Option<TemplateBody>,
}

/// Body of `PUT /v1/templates/{id}`. What is left out stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeTemplate {
    /// Its new text.
    #[schema(min_length = 1, max_length = 4096)]
    pub body: String,
    /// What sends are charged as; that of an approved template stays.
    #[serde(default)]
    pub category: Option<Category>,
    /// A sample value of each parameter in their order, or none.
    #[serde(default)]
    pub examples: Option<Vec<String>>,
    /// The merge fields that fill parameters.
    #[serde(default)]
    pub merge: Option<BTreeMap<String, String>>,
    /// Cannot be changed: may be given as it is.
    #[serde(default)]
    pub kind: Option<TemplateKind>,
    /// Cannot be changed: may be given as it is.
    #[serde(default)]
    pub record_type: Option<RecordType>,
}
