//! Puts updates of one account into the provider's envelope.

use serde_json::{Value, json};

use super::World;
use super::schedule::{Change, Update};

/// One webhook body. Neighbours of the same number and kind share a change, as the provider batches them.
pub(crate) fn envelope(world: &World, updates: &[Update], now_ms: i64) -> Value {
    let waba_id = updates.first().map_or("", |update| world.accounts[update.account].waba_id.as_str());
    let mut changes: Vec<Value> = Vec::new();
    let mut last: Option<(String, &str)> = None;
    let mut timed = false;
    for update in updates {
        let (number, kind, item, contact) = match &update.change {
            Change::Message { number, contact, message } => (number, "messages", message, contact),
            Change::Status { number, contact, status } => (number, "statuses", status, contact),
            Change::Errors { number, error } => (number, "errors", error, &None),
            Change::Field { field, value } => {
                changes.push(json!({ "field": field, "value": value }));
                timed = true;
                last = None;
                continue;
            }
        };
        let key = (number.clone(), kind);
        if last.as_ref() != Some(&key) {
            changes.push(json!({ "field": "messages", "value": {
                "messaging_product": "whatsapp", "metadata": metadata(world, number), kind: [] } }));
            last = Some(key);
        }
        if let Some(value) = changes.last_mut().map(|change| &mut change["value"]) {
            push(value, kind, item.clone());
            let known =
                |contact: &Value| value["contacts"].as_array().is_some_and(|all| all.contains(contact));
            if let Some(contact) = contact.as_ref().filter(|contact| !known(contact)) {
                push(value, "contacts", contact.clone());
            }
        }
    }
    let mut entry = json!({ "id": waba_id, "changes": changes });
    if timed {
        entry["time"] = json!(now_ms / 1_000);
    }
    json!({ "object": "whatsapp_business_account", "entry": [entry] })
}

fn metadata(world: &World, number: &str) -> Value {
    let display = world.numbers.get(number).map(|state| state.number.display_phone_number.as_str());
    json!({ "display_phone_number": display, "phone_number_id": number })
}

fn push(value: &mut Value, key: &str, item: Value) {
    match value[key].as_array_mut() {
        Some(items) => items.push(item),
        None => value[key] = json!([item]),
    }
}
