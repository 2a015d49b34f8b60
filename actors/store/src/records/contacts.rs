//! People that a tenant talks with.

use std::collections::BTreeMap;

use async_trait::async_trait;
use compact_str::CompactString;
use protocol::command::{Consent, ConsentRecord, ConsentSource, Owner, Vacancy};
use protocol::content::Channel;
use protocol::directory::RecordType;
use protocol::id::{Bsuid, ContactId, TenantId};
use protocol::phone::{ContactKey, E164};
use protocol::record::FieldValue;
use protocol::time::TimestampMs;
use serde::{Deserialize, Serialize};

use super::{Change, Document, Expect, Page, PageRequest, RecordsResult};

/// A contact: what providers tell, what the tenant wrote on the card, and its consents.
#[derive(Clone, Debug, PartialEq)]
pub struct ContactRecord {
    /// Id.
    pub id: ContactId,
    /// Whose.
    pub tenant: TenantId,
    /// What it was first known by.
    pub key: ContactKey,
    /// Phone number, once known.
    pub phone: Option<E164>,
    /// WhatsApp's id of the person.
    pub bsuid: Option<Bsuid>,
    /// Public user name.
    pub username: Option<CompactString>,
    /// The name that the person gave to the provider.
    pub profile_name: Option<String>,
    /// The name on the tenant's card.
    pub card_name: Option<String>,
    /// The stage on the tenant's card.
    pub stage: Option<CompactString>,
    /// Consents by channel; a missing one is undefined.
    pub consents: Vec<ConsentEntry>,
    /// First seen.
    pub created_at: TimestampMs,
}

impl ContactRecord {
    /// The name to show: the tenant's own, else the one from the provider.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.card_name.as_deref().or(self.profile_name.as_deref()).or(self.username.as_deref())
    }

    /// Consent on a channel.
    #[must_use]
    pub fn consent(&self, channel: Channel) -> Consent {
        self.consents
            .iter()
            .find(|entry| entry.channel == channel)
            .map_or(Consent::Undefined, |entry| entry.record.consent)
    }
}

/// A consent on one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentEntry {
    /// The channel.
    pub channel: Channel,
    /// Latest word on it.
    pub record: ConsentRecord,
}

/// What a tenant keeps on a contact. Stored as a document of kind `contact`; survives a rebuild.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContactCard {
    /// What the contact is known by; needed for a contact that never wrote.
    pub key: Option<ContactKey>,
    /// Given name.
    pub first_name: Option<String>,
    /// Patronymic or middle names.
    pub middle_name: Option<String>,
    /// Surname.
    pub last_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// ISO 3166 code of where the person lives.
    pub country: Option<CompactString>,
    /// Kind of record.
    pub record_type: RecordType,
    /// The job opening that it is about.
    pub vacancy: Option<Vacancy>,
    /// How far the person has come, in the tenant's own words.
    pub stage: Option<CompactString>,
    /// Whose record it is.
    pub owner: Option<Owner>,
    /// Id in the tenant's applicant tracking.
    pub external_id: Option<CompactString>,
    /// Anything else, for merge fields; what has several possible values is chosen when a template is sent.
    pub fields: BTreeMap<CompactString, FieldValue>,
}

impl ContactCard {
    /// The parts of the name, as people say them; `None` without any.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let parts = [&self.first_name, &self.middle_name, &self.last_name];
        let parts: Vec<_> = parts.into_iter().filter_map(Option::as_deref).collect();
        if parts.is_empty() { None } else { Some(parts.join(" ")) }
    }

    /// Takes what it lacks from another card of the same person; what it is known by stays.
    pub fn fill_in(&mut self, other: Self) {
        fn fill<T>(known: &mut Option<T>, other: Option<T>) {
            if known.is_none() {
                *known = other;
            }
        }
        if self.name().is_none() {
            self.first_name = other.first_name;
            self.middle_name = other.middle_name;
            self.last_name = other.last_name;
        }
        fill(&mut self.email, other.email);
        fill(&mut self.country, other.country);
        fill(&mut self.vacancy, other.vacancy);
        fill(&mut self.stage, other.stage);
        fill(&mut self.owner, other.owner);
        fill(&mut self.external_id, other.external_id);
        for (name, value) in other.fields {
            self.fields.entry(name).or_insert(value);
        }
    }
}

/// Which consents are wanted, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsentQuery {
    /// On this channel.
    pub channel: Channel,
    /// Only in this state.
    pub consent: Option<Consent>,
    /// Only given this way.
    pub source: Option<ConsentSource>,
    /// At or after.
    pub from: Option<TimestampMs>,
    /// Before.
    pub to: Option<TimestampMs>,
}

/// The latest word of a contact on a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsentLine {
    /// Whose.
    pub contact: ContactRecord,
    /// What was said.
    pub record: ConsentRecord,
}

/// A contact that may not be messaged on a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct SilencedContact {
    /// Who.
    pub contact: ContactRecord,
    /// Blocked in a conversation of the channel; otherwise opted out.
    pub blocked: bool,
}

/// What contact pages ask.
#[async_trait]
pub trait Contacts: Send + Sync + 'static {
    /// Contacts, newest first; `search` as in [`super::Filter::Search`].
    async fn contacts(
        &self,
        tenant: TenantId,
        search: Option<String>,
        page: PageRequest,
    ) -> RecordsResult<Page<ContactRecord>>;

    /// One contact.
    async fn contact(&self, tenant: TenantId, id: ContactId) -> RecordsResult<Option<ContactRecord>>;

    /// Contacts that opted out on a channel or are blocked in a conversation of it, newest first.
    async fn silenced_contacts(
        &self,
        tenant: TenantId,
        channel: Channel,
        page: PageRequest,
    ) -> RecordsResult<Page<SilencedContact>>;

    /// The report of consents.
    async fn consents(
        &self,
        tenant: TenantId,
        query: ConsentQuery,
        page: PageRequest,
    ) -> RecordsResult<Page<ConsentLine>>;

    /// The cards among those of these contacts, with whom they belong to.
    async fn cards(&self, contacts: Vec<ContactId>)
    -> RecordsResult<Vec<(TenantId, ContactId, ContactCard)>>;

    /// Gives the card of one contact to another: both turned out to be the same person. What the other's card says
    /// stays, the rest is filled in. The first one is forgotten as by an erasure: only refusals stay, without a name.
    /// Answers the card as it is now; `None` without a card, or when there are conversations with the first one.
    async fn move_card(
        &self,
        change: Change,
        tenant: TenantId,
        between: (ContactId, ContactId),
    ) -> RecordsResult<Option<ContactCard>>;

    /// The contact with a phone number.
    async fn contact_by_phone(&self, tenant: TenantId, phone: E164) -> RecordsResult<Option<ContactRecord>>;

    /// The tenant's card of a contact, with its version.
    async fn contact_card(
        &self,
        tenant: TenantId,
        id: ContactId,
    ) -> RecordsResult<Option<(u64, ContactCard)>>;

    /// Writes the card (creating the contact, if the card has a key) and makes it searchable.
    async fn save_contact(
        &self,
        change: Change,
        tenant: TenantId,
        card: (ContactId, ContactCard),
        expect: Expect,
    ) -> RecordsResult<Document>;
}
