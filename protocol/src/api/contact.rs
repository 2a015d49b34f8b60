//! Contacts as shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::command::{Consent, ConsentSource, Owner, Vacancy};
use crate::content::Channel;
use crate::directory::RecordType;
use crate::id::{ContactId, ConversationId};
use crate::limits::{PERSON_NAME_CHARS, VALUE_CHARS, WORD_CHARS};
use crate::record::{FieldChange, FieldValue};
use crate::text::{BsuidText, Capitals, Email, FieldName, Line, Text};
use crate::time::TimestampMs;

/// A person that the tenant talks with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactView {
    /// Its id.
    pub id: ContactId,
    /// Phone number, when known.
    pub phone: Option<String>,
    /// The provider's id of a person whose number is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bsuid: Option<String>,
    /// The name on the tenant's card, else the one that the person gave to the provider.
    pub name: Option<String>,
    /// Public user name at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Consent on the channel of the conversation (in lists of contacts: on WhatsApp).
    pub consent: Consent,
}

/// A contact with the tenant's card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContactDetail {
    /// What is known from messages.
    #[serde(flatten)]
    pub contact: ContactView,
    /// Given name.
    pub first_name: Option<String>,
    /// Patronymic or middle names.
    pub middle_name: Option<String>,
    /// Surname.
    pub last_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// ISO 3166 code of where the person lives.
    pub country: Option<String>,
    /// Kind of record.
    pub record_type: RecordType,
    /// The job opening that it is about.
    pub vacancy: Option<Vacancy>,
    /// How far the person has come, in the tenant's own words.
    pub stage: Option<String>,
    /// Whose record it is.
    pub owner: Option<Owner>,
    /// Id in the tenant's applicant tracking.
    pub external_id: Option<String>,
    /// Values for merge fields: a text, or a list of texts to choose from.
    pub fields: BTreeMap<String, FieldValue>,
}

/// Body of `POST /v1/contacts`, and of `PATCH /v1/contacts/{id}` (there, what is left out stays and `null` removes).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ContactBody {
    /// Phone number; without a country code it is one of `country`. It, or `bsuid`, is what the person is known by, and
    /// cannot be changed.
    pub phone: Option<String>,
    /// WhatsApp's id of a person whose number is not known.
    #[schema(value_type = Option<BsuidText>)]
    pub bsuid: Option<String>,
    /// Given name.
    #[schema(value_type = Option<Line<{ PERSON_NAME_CHARS }>>)]
    pub first_name: Option<String>,
    /// Patronymic or middle names.
    #[schema(value_type = Option<Line<{ PERSON_NAME_CHARS }>>)]
    pub middle_name: Option<String>,
    /// Surname.
    #[schema(value_type = Option<Line<{ PERSON_NAME_CHARS }>>)]
    pub last_name: Option<String>,
    /// E-mail address.
    #[schema(value_type = Option<Email>)]
    pub email: Option<String>,
    /// ISO 3166 code of where the person lives, such as `IT`.
    #[schema(value_type = Option<Capitals<2>>)]
    pub country: Option<String>,
    /// Kind of record; `candidate` when left out.
    pub record_type: Option<RecordType>,
    /// The job opening that it is about; conversations with the person get it too.
    pub vacancy: Option<Vacancy>,
    /// How far the person has come, in the tenant's own words.
    #[schema(value_type = Option<Line<{ WORD_CHARS }>>)]
    pub stage: Option<String>,
    /// Whose record it is; conversations with the person are given to them.
    pub owner: Option<Owner>,
    /// Id in the tenant's applicant tracking.
    #[schema(value_type = Option<Line<{ WORD_CHARS }>>)]
    pub external_id: Option<String>,
    /// Values for merge fields: a text, or a list of texts of which whoever sends chooses one; `null` removes one. A name
    /// such as `interview.date` fills `{{interview.date}}`, one without a dot belongs to the person.
    #[schema(value_type = Option<BTreeMap<FieldName, FieldChange>>)]
    pub fields: Option<BTreeMap<String, Option<FieldValue>>>,
}

/// What merge fields say for a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MergeFieldsView {
    /// Names such as `candidate.first_name` with their values; of several one is chosen with each send.
    pub fields: BTreeMap<String, Vec<String>>,
}

/// Body of `PUT /v1/contacts/{id}/consent`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetConsent {
    /// The channel that it holds for.
    pub channel: Channel,
    /// From now on.
    pub consent: Consent,
    /// The words that were used, for the audit.
    #[serde(default)]
    #[schema(value_type = Option<Text<{ VALUE_CHARS }>>)]
    pub text: Option<String>,
}

/// The latest word of a contact on a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsentLineView {
    /// Whose.
    pub contact: ContactView,
    /// Who recorded it, such as `contact` or `user:usr_…`.
    pub by: String,
    /// What was said.
    pub consent: ConsentView,
}

/// What became of an erasure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasureView {
    /// The id that the contact had.
    pub contact_id: ContactId,
    /// When it was erased.
    pub erased_at: TimestampMs,
    /// Who asked for it, such as `user:usr_…`.
    pub by: String,
    /// Its conversations; their ids lead to nobody any more.
    pub conversations: Vec<ConversationId>,
    /// Nothing from before is left.
    pub complete: bool,
    /// What is left, by place. Erase the contact again to finish.
    pub left: Vec<TraceView>,
    /// Somebody added the contact again, or it wrote again, since then.
    pub back_since: Option<TimestampMs>,
}

/// Something that is left of an erased contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TraceView {
    /// Where.
    pub place: String,
    /// How much.
    pub count: u64,
}

/// A consent with its history entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsentView {
    /// The channel.
    pub channel: Channel,
    /// From `at` on.
    pub consent: Consent,
    /// How it was given.
    pub source: ConsentSource,
    /// The words that were used.
    pub text: Option<String>,
    /// When.
    pub at: TimestampMs,
}
