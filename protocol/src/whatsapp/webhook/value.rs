//! The `value` of a change: lists of messages, statuses, calls and preferences with the people that they name.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::envelope::Place;
use super::people::People;
use super::text::{Text, part, raw};
use super::{Payload, call, message, notice, preference, status};
use crate::entry::Notice;
use crate::id::PhoneNumberId;

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "L: Deserialize<'de> + Default"))]
struct Value<'a, L> {
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    contacts: L,
    messages: L,
    statuses: L,
    calls: L,
    user_preferences: L,
    errors: L,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata<'a> {
    #[serde(borrow)]
    phone_number_id: Text<'a>,
    #[serde(borrow)]
    display_phone_number: Text<'a>,
}

/// A part that is not as documented, and why. Becomes a [`Notice::Unknown`].
pub(super) struct Odd(pub(super) &'static str);

/// What an element of a list is read with.
pub(super) struct Around<'v, 'a> {
    /// Everybody whom the value names.
    pub(super) people: &'v People<'a>,
    /// Errors of the whole value: they explain a message that came without its content.
    pub(super) errors: &'v [&'a RawValue],
    /// Place in the list.
    pub(super) index: usize,
    /// Elements of the list.
    pub(super) of: usize,
}

/// Reads the value of one change.
pub(super) fn read(field: &str, value: &RawValue, place: &mut Place<'_>) {
    if !matches!(field, "messages" | "calls" | "user_preferences") {
        return notice::read(field, value, place);
    }
    match serde_json::from_str::<Value<'_, Vec<&RawValue>>>(value.get()) {
        Ok(lists) => read_lists(field, value, &lists, place),
        Err(_) => match serde_json::from_str::<Value<'_, Option<&RawValue>>>(value.get()) {
            Ok(lists) => read_lists(field, value, &sort_out(lists, place), place),
            Err(_) => place.unknown(field, "malformed", value),
        },
    }
}

/// Takes the good lists out of a value in which one is none.
fn sort_out<'a>(odd: Value<'a, Option<&'a RawValue>>, place: &mut Place<'_>) -> Value<'a, Vec<&'a RawValue>> {
    set_number(odd.metadata, place);
    let mut take = |field, list: Option<&'a RawValue>| match list.map(|list| (list, part(Some(list)))) {
        None => Vec::new(),
        Some((_, Some(elements))) => elements,
        Some((list, None)) => {
            place.unknown(field, "not a list", list);
            Vec::new()
        }
    };
    Value {
        metadata: odd.metadata,
        contacts: take("contacts", odd.contacts),
        messages: take("messages", odd.messages),
        statuses: take("statuses", odd.statuses),
        calls: take("calls", odd.calls),
        user_preferences: take("user_preferences", odd.user_preferences),
        errors: take("errors", odd.errors),
    }
}

fn set_number(metadata: Option<&RawValue>, place: &mut Place<'_>) {
    let metadata: Metadata<'_> = part(metadata).unwrap_or_default();
    place.number = metadata.phone_number_id.compact().map(PhoneNumberId);
    place.display_phone = metadata.display_phone_number.phone();
}

fn read_lists<'a>(
    field: &str,
    whole: &RawValue,
    value: &Value<'a, Vec<&'a RawValue>>,
    place: &mut Place<'_>,
) {
    set_number(value.metadata, place);
    let before = place.parts.len();
    let people = People::read(&value.contacts, place);
    let mut each = |field, list: &[&'a RawValue], read: Read<'a>| {
        for (index, &element) in list.iter().enumerate() {
            let around = Around { people: &people, errors: &value.errors, index, of: list.len() };
            match read(element, &around) {
                Ok(payload) => place.push(payload),
                Err(Odd(reason)) => place.unknown(field, reason, element),
            }
        }
    };
    each("messages", &value.messages, message::read);
    each("statuses", &value.statuses, if field == "calls" { call::read_status } else { status::read });
    each("calls", &value.calls, call::read);
    each("user_preferences", &value.user_preferences, preference::read);
    for error in &value.errors {
        place.notice(Notice::Other { field: "errors".into(), raw: raw(error) });
    }
    if place.parts.len() == before {
        place.unknown(field, "nothing known in it", whole);
    }
}

type Read<'a> = fn(&'a RawValue, &Around<'_, 'a>) -> Result<Payload, Odd>;
