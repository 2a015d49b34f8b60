//! Rows that a batch of events will change, before it is folded.

use std::collections::{BTreeMap, BTreeSet};

use protocol::fact::{Event, Fact};
use protocol::id::ContactId;

use super::super::fold::{Batch, ContactSlot, Slot};
use super::super::text::{from_json, from_name};
use super::super::{ConsentEntry, ContactRecord, RecordsResult};
use super::cells::Cells;
use super::rows;
use super::statement::{Lock, Sql, one};
use super::value::values;

/// Loads what a batch of events needs.
pub(super) async fn batch<S: Sql>(
    db: &mut S,
    events: impl Iterator<Item = &Event> + Clone,
) -> RecordsResult<Batch> {
    let mut batch = Batch::default();
    let sql = format!("SELECT c.contact, {} FROM conversations c WHERE c.id IN (?1)", rows::CONVERSATION);
    let wanted: BTreeSet<_> = events.clone().filter_map(Batch::wanted_conversation).collect();
    let wanted = wanted.into_iter().map(|wanted| wanted.0.into()).collect();
    let read = |cells: &mut Cells<'_>| rows::conversation_of(cells.id(ContactId)?, cells);
    for row in db.of_keys(&sql, wanted, read).await? {
        batch.conversations.insert(row.id, Slot::loaded(row));
    }
    let changing = changing_contacts(&batch, events);
    if !changing.is_empty() {
        db.lock(changing.iter().copied().map(Lock::Contact).collect()).await?;
        // Only now, when nobody else changes them.
        for row in contacts(db, &changing).await? {
            batch.contacts.insert(row.id, ContactSlot::loaded(row));
        }
    }
    Ok(batch)
}

/// The contacts that events may create or change.
fn changing_contacts<'a>(batch: &Batch, events: impl Iterator<Item = &'a Event>) -> BTreeSet<ContactId> {
    let mut begun = BTreeMap::new();
    let mut changing = BTreeSet::new();
    for event in events {
        match (&event.fact, event.conversation) {
            (Fact::ConversationStarted { contact_id, .. }, conversation) => {
                begun.extend(conversation.map(|conversation| (conversation, *contact_id)));
                changing.insert(*contact_id);
            }
            (Fact::ConsentRecorded { contact_id, .. } | Fact::ContactErased { contact_id, .. }, _) => {
                changing.insert(*contact_id);
            }
            (Fact::ContactIdentified(_), Some(conversation)) => {
                let known = batch.conversations.get(&conversation).map(|slot| slot.row.contact);
                changing.extend(known.or_else(|| begun.get(&conversation).copied()));
            }
            _ => {}
        }
    }
    changing
}

async fn contacts<S: Sql>(db: &mut S, ids: &BTreeSet<ContactId>) -> RecordsResult<Vec<ContactRecord>> {
    let sql = format!("SELECT {} FROM contacts p WHERE p.id IN (?1)", rows::CONTACT);
    db.of_keys(&sql, ids.iter().map(|wanted| wanted.0.into()).collect(), rows::contact).await
}

/// One contact, without its consents.
pub(super) async fn contact<S: Sql>(db: &mut S, wanted: ContactId) -> RecordsResult<Option<ContactRecord>> {
    let sql = format!("SELECT {} FROM contacts p WHERE p.id = ?1", rows::CONTACT);
    one(db, &sql, values![wanted.0], rows::contact).await
}

/// Whether there is a conversation with a contact.
pub(super) async fn is_in_conversation<S: Sql>(db: &mut S, contact: ContactId) -> RecordsResult<bool> {
    let sql = "SELECT count(*) FROM conversation_keys WHERE contact = ?1";
    Ok(one(db, sql, values![contact.0], |cells| cells.take::<u64>()).await? != Some(0))
}

/// Fills in the consents of contacts.
pub(super) async fn consents<'a, S: Sql>(
    db: &mut S,
    contacts: impl Iterator<Item = &'a mut ContactRecord>,
) -> RecordsResult<()> {
    let mut contacts: Vec<_> = contacts.collect();
    let sql = "SELECT contact, channel, record FROM consents WHERE contact IN (?1)";
    let wanted: BTreeSet<_> = contacts.iter().map(|contact| contact.id).collect();
    let found = db.of_keys(sql, wanted.into_iter().map(|wanted| wanted.0.into()).collect(), |cells| {
        let contact = cells.id(ContactId)?;
        let entry = ConsentEntry {
            channel: cells.text(|text| from_name("channel", text))?,
            record: cells.text(|text| from_json("consent", text))?,
        };
        Ok((contact, entry))
    });
    for (owner, entry) in found.await? {
        for contact in contacts.iter_mut().filter(|contact| contact.id == owner) {
            contact.consents.push(entry.clone());
        }
    }
    for contact in contacts {
        contact.consents.sort_unstable_by_key(|entry| entry.channel);
    }
    Ok(())
}
