//! Reading webhooks: every documented type, the odd shapes seen in the wild, and parts that make no sense.

mod contents;
mod identity;
mod notices;
mod statuses;
mod totality;

use protocol::entry::{Happening, InboundMessage, Notice};
use protocol::whatsapp::webhook::{Names, Part, Payload, decode};
use serde_json::{Value, json};

/// A webhook with one change.
fn change(field: &str, value: &Value) -> Value {
    json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "700100", "time": 1_790_000_000, "changes": [{ "field": field, "value": value }] }],
    })
}

/// The value of a `messages` change for our number.
fn value(lists: &Value) -> Value {
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "390612345678", "phone_number_id": "800200" },
    });
    let lists = lists.as_object().unwrap().clone();
    value.as_object_mut().unwrap().extend(lists);
    value
}

fn parts(webhook: &Value) -> Vec<Part> {
    decode(webhook.to_string().as_bytes()).unwrap().parts
}

/// The only part of a `messages` change with these lists.
fn only(lists: &Value) -> Part {
    let mut parts = parts(&change("messages", &value(lists)));
    assert_eq!(parts.len(), 1, "{parts:?}");
    parts.remove(0)
}

/// What a message of Anna's with this body is read as.
fn received(body: &Value) -> InboundMessage {
    let mut message = json!({ "from": "393331234567", "id": "wamid.A", "timestamp": "1790000100" });
    message.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    let contacts = json!([{ "profile": { "name": "Anna Bruni" }, "wa_id": "393331234567" }]);
    match conversation(only(&json!({ "contacts": contacts, "messages": [message] }))).1 {
        Happening::Received(message) => message,
        other => panic!("{other:?}"),
    }
}

fn conversation(part: Part) -> (Names, Happening) {
    match part.payload {
        Payload::Conversation { names, happening, .. } => (names, *happening),
        Payload::Notice(notice, _) => panic!("{notice:?}"),
    }
}

fn notice(part: Part) -> Notice {
    match part.payload {
        Payload::Notice(notice, _) => notice,
        conversation @ Payload::Conversation { .. } => panic!("{conversation:?}"),
    }
}
