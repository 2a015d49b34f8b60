//! Rows that a batch of events will change, before it is folded.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::super::fold::{Batch, ContactSlot, Slot};
use super::super::{ConsentEntry, ContactRecord, RecordsResult, StoredEvent};
use super::rows;
use super::sql::{Id, all, one};
use crate::records::text::{from_json, from_name};
use protocol::id::ContactId;

/// Loads what a batch of events needs.
pub(super) fn batch(connection: &Connection, events: &[StoredEvent]) -> RecordsResult<Batch> {
    let mut batch = Batch::default();
    let sql = format!(
        "SELECT {}, {} FROM conversations c JOIN contacts p ON p.id = c.contact WHERE c.id = ?1",
        rows::CONTACT,
        rows::CONVERSATION
    );
    let conversations: BTreeSet<_> =
        events.iter().filter_map(|stored| Batch::wanted_conversation(&stored.event)).collect();
    for id in conversations {
        if let Some(row) = one(connection, &sql, [Id::new(id.0)], rows::conversation)? {
            let contact = row.contact.clone();
            batch.contacts.entry(contact.id).or_insert_with(|| ContactSlot::loaded(contact));
            batch.conversations.insert(id, Slot::loaded(row));
        }
    }
    for id in events.iter().filter_map(|stored| Batch::wanted_contact(&stored.event)) {
        if !batch.contacts.contains_key(&id)
            && let Some(row) = contact(connection, id)?
        {
            batch.contacts.insert(id, ContactSlot::loaded(row));
        }
    }
    Ok(batch)
}

/// One contact, without its consents.
pub(super) fn contact(connection: &Connection, id: ContactId) -> RecordsResult<Option<ContactRecord>> {
    let sql = format!("SELECT {} FROM contacts p WHERE p.id = ?1", rows::CONTACT);
    one(connection, &sql, [Id::new(id.0)], rows::contact)
}

/// The consents of a contact.
pub(super) fn consents(connection: &Connection, id: ContactId) -> RecordsResult<Vec<ConsentEntry>> {
    let sql = "SELECT channel, record FROM consents WHERE contact = ?1 ORDER BY channel";
    all(connection, sql, [Id::new(id.0)], |cells| {
        Ok(ConsentEntry {
            channel: cells.text(|text| from_name("channel", text))?,
            record: cells.text(|text| from_json("consent", text))?,
        })
    })
}
