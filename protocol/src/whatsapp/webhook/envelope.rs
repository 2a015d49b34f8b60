//! The outer shape: `object`, `entry[]`, `changes[]`. Read in one pass when it is as documented, otherwise level
//! by level, so that one odd entry or change leaves the others alone.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::text::{Text, list};
use super::value;
use super::{DecodeError, Part};
use crate::entry::Notice;
use crate::id::{PhoneNumberId, WabaId};
use crate::phone::E164;
use crate::time::TimestampMs;

const OBJECT: &str = "whatsapp_business_account";

#[derive(Deserialize)]
#[serde(bound(deserialize = "L: Deserialize<'de>"))]
struct Envelope<'a, L> {
    #[serde(borrow, default)]
    object: Text<'a>,
    entry: L,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "L: Deserialize<'de>"))]
struct Entry<'a, L> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default)]
    time: Text<'a>,
    changes: L,
}

#[derive(Deserialize)]
struct Change<'a> {
    #[serde(borrow, default)]
    field: Text<'a>,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// Where a part stands and where its reading goes.
pub(super) struct Place<'p> {
    /// The account of the entry.
    pub(super) waba: WabaId,
    /// The provider's time of the entry.
    pub(super) at: Option<TimestampMs>,
    /// The number of the change.
    pub(super) number: Option<PhoneNumberId>,
    /// The number itself, when the change names it.
    pub(super) display_phone: Option<E164>,
    /// All parts of the webhook.
    pub(super) parts: &'p mut Vec<Part>,
}

impl Place<'_> {
    pub(super) fn push(&mut self, payload: super::Payload) {
        self.parts.push(Part {
            waba: self.waba.clone(),
            phone_number_id: self.number.clone(),
            display_phone: self.display_phone,
            payload,
        });
    }

    pub(super) fn notice(&mut self, notice: Notice) {
        self.push(super::Payload::Notice(notice, self.at));
    }

    pub(super) fn unknown(&mut self, field: &str, reason: &'static str, part: &RawValue) {
        let raw = super::text::raw(part);
        self.notice(Notice::Unknown { field: field.into(), reason: reason.into(), raw });
    }
}

pub(super) fn read(body: &str, parts: &mut Vec<Part>) -> Result<(), DecodeError> {
    match serde_json::from_str::<Envelope<'_, Vec<Entry<'_, Vec<Change<'_>>>>>>(body) {
        Ok(envelope) if envelope.object.as_str() == OBJECT => {
            for entry in envelope.entry {
                read_changes(&entry.id, &entry.time, entry.changes, parts);
            }
            Ok(())
        }
        Ok(_) => Err(DecodeError::Object),
        Err(_) => read_tolerantly(body, parts),
    }
}

fn read_changes(id: &Text<'_>, time: &Text<'_>, changes: Vec<Change<'_>>, parts: &mut Vec<Part>) {
    for change in changes {
        value::read(change.field.as_str(), change.value, &mut place(id, time, parts));
    }
}

fn place<'p>(id: &Text<'_>, time: &Text<'_>, parts: &'p mut Vec<Part>) -> Place<'p> {
    Place {
        waba: WabaId::new(id.as_str()),
        at: time.unix_seconds(),
        number: None,
        display_phone: None,
        parts,
    }
}

fn read_tolerantly(body: &str, parts: &mut Vec<Part>) -> Result<(), DecodeError> {
    let whole: &RawValue = serde_json::from_str(body).map_err(|_| DecodeError::NotJson)?;
    if !whole.get().starts_with('{') {
        return Err(DecodeError::NotAnObject);
    }
    // A missing `entry` reads as an absent list here, and is told apart from a wrong `object` below.
    let envelope: Envelope<'_, Option<&RawValue>> =
        serde_json::from_str(whole.get()).map_err(|_| DecodeError::Entry)?;
    if envelope.object.as_str() != OBJECT {
        return Err(DecodeError::Object);
    }
    let entries =
        envelope.entry.filter(|entries| entries.get().starts_with('[')).ok_or(DecodeError::Entry)?;
    for raw in list(Some(entries)) {
        match serde_json::from_str::<Entry<'_, &RawValue>>(raw.get()) {
            Ok(entry) => read_odd_changes(&entry, parts),
            Err(_) => place(&Text::default(), &Text::default(), parts).unknown("entry", "malformed", raw),
        }
    }
    Ok(())
}

fn read_odd_changes(entry: &Entry<'_, &RawValue>, parts: &mut Vec<Part>) {
    let Ok(changes) = serde_json::from_str::<Vec<&RawValue>>(entry.changes.get()) else {
        return place(&entry.id, &entry.time, parts).unknown("changes", "malformed", entry.changes);
    };
    for raw in changes {
        match serde_json::from_str::<Change<'_>>(raw.get()) {
            Ok(change) => read_changes(&entry.id, &entry.time, vec![change], parts),
            Err(_) => place(&entry.id, &entry.time, parts).unknown("changes", "malformed", raw),
        }
    }
}
