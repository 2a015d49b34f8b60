//! What facts and cards make of contacts.

use domain::market::dial;
use protocol::command::ConsentRecord;
use protocol::content::Channel;
use protocol::fact::{Event, Fact};
use protocol::id::{ContactId, ConversationId, TenantId};
use protocol::phone::ContactKey;
use protocol::time::TimestampMs;

use super::super::{ContactCard, ContactRecord, search};
use super::{Batch, ContactSlot, Slot};

/// A contact of whom only the key is known.
fn new(tenant: TenantId, id: ContactId, key: &ContactKey, at: TimestampMs) -> ContactRecord {
    ContactRecord {
        id,
        tenant,
        key: key.clone(),
        phone: key.phone(),
        bsuid: match key {
            ContactKey::Bsuid(bsuid) => Some(bsuid.clone()),
            ContactKey::Phone(_) => None,
        },
        username: None,
        profile_name: None,
        card_name: None,
        stage: None,
        consents: Vec::new(),
        created_at: at,
    }
}

/// The words by which a contact is found.
pub(in super::super) fn search_words(row: &ContactRecord) -> Vec<String> {
    let names = [row.card_name.as_deref(), row.profile_name.as_deref(), row.username.as_deref()];
    let mut words: Vec<String> = names.into_iter().flatten().flat_map(search::words).collect();
    let writings = row.phone.into_iter().flat_map(|phone| [Some(phone), dial::other_writing(phone)]);
    words.extend(writings.flatten().flat_map(|phone| search::phone_words(phone.digits())));
    words.sort_unstable();
    words.dedup();
    words
}

/// The contact with its card, or without one. `None` if it does not exist and the card has no key to begin with.
pub(in super::super) fn card_changes(
    known: Option<ContactRecord>,
    (tenant, id): (TenantId, ContactId),
    card: Option<&ContactCard>,
    at: TimestampMs,
) -> Option<ContactSlot> {
    let mut slot = match (known, card.and_then(|card| card.key.as_ref())) {
        (Some(row), _) => ContactSlot::loaded(row),
        (None, Some(key)) => {
            ContactSlot { words_before: Vec::new(), slot: Slot::new(new(tenant, id, key, at)) }
        }
        (None, None) => return None,
    };
    let row = slot.slot.change();
    row.card_name = card.and_then(ContactCard::name);
    row.stage = card.and_then(|card| card.stage.clone());
    Some(slot)
}

impl Batch {
    /// The contact, which begins here unless it is known.
    pub(super) fn met(
        &mut self,
        tenant: TenantId,
        (id, key): (ContactId, &ContactKey),
        at: TimestampMs,
    ) -> &mut ContactSlot {
        let known = self.contacts.entry(id).or_insert_with(|| ContactSlot {
            words_before: Vec::new(),
            slot: Slot::new(new(tenant, id, key, at)),
        });
        if known.slot.row.created_at > at {
            known.slot.change().created_at = at;
        }
        known
    }

    /// Takes in what an event says about the person.
    pub(super) fn contact(&mut self, tenant: TenantId, conversation: ConversationId, event: &Event) {
        match &event.fact {
            Fact::ConsentRecorded { channel, contact, contact_id, record } if contact.names_somebody() => {
                self.met(tenant, (*contact_id, contact), event.at);
                self.consent(tenant, (*contact_id, *channel), record);
            }
            Fact::ContactErased { channel, contact_id, consent: Some(record), .. } => {
                self.consent(tenant, (*contact_id, *channel), record);
            }
            _ => {}
        }
        let Some(id) = self.conversations.get(&conversation).map(|slot| slot.row.contact) else { return };
        match &event.fact {
            Fact::ContactIdentified(identity) => {
                let Some(contact) = self.contacts.get_mut(&id) else { return };
                let row = contact.slot.change();
                row.phone = identity.phone.or(row.phone);
                row.bsuid = identity.bsuid.clone().or_else(|| row.bsuid.take());
                row.username = identity.username.clone().or_else(|| row.username.take());
                row.profile_name = identity.profile_name.clone().or_else(|| row.profile_name.take());
            }
            Fact::ConsentChanged { channel, record } => {
                self.consent(tenant, (id, *channel), record);
            }
            _ => {}
        }
    }

    /// Keeps the latest word.
    fn consent(&mut self, tenant: TenantId, on: (ContactId, Channel), record: &ConsentRecord) {
        let earlier = self.consents.get(&on).is_some_and(|(_, known)| known.at > record.at);
        if !earlier {
            self.consents.insert(on, (tenant, record.clone()));
        }
    }
}
