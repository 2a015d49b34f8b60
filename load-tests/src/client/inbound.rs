//! Webhook bodies with one inbound message or status, each unique by its provider id.

use serde_json::{Value, json};

/// The number that a webhook is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// The account (`entry.id`).
    pub waba_id: String,
    /// The number's id.
    pub phone_number_id: String,
    /// Bare digits.
    pub display_phone_number: String,
}

/// Who writes: a contact that has a phone number, and its business-scoped id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Bare digits.
    pub wa_id: String,
    /// Business-scoped user id.
    pub user_id: String,
    /// The name in the contact's own profile.
    pub name: String,
}

impl Receiver {
    /// Wraps one `value` of the field `messages` (without its metadata) into a whole webhook.
    #[must_use]
    pub fn envelope(&self, mut value: Value) -> Value {
        value["messaging_product"] = json!("whatsapp");
        value["metadata"] = json!({
            "display_phone_number": self.display_phone_number,
            "phone_number_id": self.phone_number_id,
        });
        json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": self.waba_id, "changes": [{ "field": "messages", "value": value }] }],
        })
    }

    /// One text message.
    #[must_use]
    pub fn text(&self, sender: &Sender, wamid: &str, unix_seconds: i64, body: &str) -> Value {
        self.envelope(json!({
            "contacts": [{
                "profile": { "name": sender.name }, "wa_id": sender.wa_id, "user_id": sender.user_id,
            }],
            "messages": [{
                "from": sender.wa_id, "from_user_id": sender.user_id, "id": wamid,
                "timestamp": unix_seconds.to_string(), "type": "text", "text": { "body": body },
            }],
        }))
    }

    /// One status (`sent`, `delivered`, `read`) of a message that nobody sent: what a busy number mostly receives.
    #[must_use]
    pub fn status(&self, sender: &Sender, wamid: &str, unix_seconds: i64, status: &str) -> Value {
        self.envelope(json!({
            "statuses": [{
                "id": wamid, "status": status, "timestamp": unix_seconds.to_string(),
                "recipient_id": sender.wa_id, "recipient_user_id": sender.user_id,
                "pricing": {
                    "billable": true, "pricing_model": "PMP", "type": "regular", "category": "utility",
                },
            }],
        }))
    }
}
