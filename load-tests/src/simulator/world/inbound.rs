//! Somebody on the other side writes.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::World;
use super::media::Media;
use super::people::{Person, Shown, digits};
use super::schedule::{Change, Update};
use crate::simulator::error::GraphError;

/// One message of a contact. In JSON the kind is a key beside the others: `{ "from": "+39…", "text": "ciao" }`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Inbound {
    /// Who writes: a phone number in any spelling.
    pub from: String,
    /// To which business number; the first one when absent.
    #[serde(default)]
    pub phone_number_id: Option<String>,
    /// A new name of the contact.
    #[serde(default)]
    pub name: Option<String>,
    /// What is said.
    #[serde(flatten)]
    pub say: Say,
    /// The message that this one answers, by its provider id.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// The advertisement that brought the contact, in the provider's own form.
    #[serde(default)]
    pub referral: Option<Value>,
    /// How long ago it was written, in milliseconds; it opens the window from then on.
    #[serde(default)]
    pub age_ms: i64,
    /// Its provider id; a new one when absent.
    #[serde(default)]
    pub id: Option<String>,
}

impl Inbound {
    /// A text, just written, to the first number.
    #[must_use]
    pub fn text(from: &str, body: &str) -> Self {
        Self::new(from, Say::Text(body.into()))
    }

    /// Anything, just written, to the first number.
    #[must_use]
    pub fn new(from: &str, say: Say) -> Self {
        let from = from.to_owned();
        Self {
            from,
            say,
            phone_number_id: None,
            name: None,
            reply_to: None,
            referral: None,
            age_ms: 0,
            id: None,
        }
    }
}

/// What a contact can say.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Say {
    /// A text.
    Text(String),
    /// A quick reply of a template.
    Button {
        /// What the business attached to it.
        payload: String,
        /// What it shows.
        text: String,
    },
    /// A reply button.
    ButtonReply {
        /// Its id.
        id: String,
        /// What it shows.
        title: String,
    },
    /// A row of a list.
    ListReply {
        /// Its id.
        id: String,
        /// What it shows.
        title: String,
    },
    /// A file, which the simulator then serves.
    Media {
        /// `image`, `video`, `audio`, `document` or `sticker`.
        kind: String,
        /// Its type.
        mime_type: String,
        /// Its name, for documents.
        #[serde(default)]
        filename: Option<String>,
        /// Words with it.
        #[serde(default)]
        caption: Option<String>,
        /// Its content in base64.
        content: String,
    },
    /// An emoji on a message; an empty one takes it back.
    Reaction {
        /// The message.
        message_id: String,
        /// The emoji.
        emoji: String,
    },
    /// A place.
    Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
    },
    /// A change of the contact, in the provider's own form (`{"type": "user_changed_number", "wa_id": …}`).
    System(Value),
    /// A message of any type in the provider's own form: `{"type": "edit", "edit": {…}}`.
    Raw(Value),
    /// Not a message but an error about the number (`value.errors`), in the provider's own form.
    Errors(Value),
    /// A field of the account in the provider's own form: `{"field": "account_update", "value": {…}}`.
    Field {
        /// Its name.
        field: String,
        /// Its value.
        value: Value,
    },
}

impl World {
    /// Takes what a contact says: the webhook follows, the window opens. Answers with the provider id.
    pub(crate) fn inbound(&mut self, now_ms: i64, inbound: Inbound) -> Result<String, GraphError> {
        let number = match &inbound.phone_number_id {
            Some(id) => id.clone(),
            None => self.numbers.keys().next().cloned().unwrap_or_default(),
        };
        let unknown = || GraphError::unknown_object(&number);
        let account = self.numbers.get(&number).ok_or_else(unknown)?.account;
        let id = inbound.id.clone().unwrap_or_else(|| self.wamid());
        let change = match inbound.say {
            Say::Errors(error) => Change::Errors { number, error },
            Say::Field { field, value } => Change::Field { field, value },
            _ => self.message(now_ms, &number, &id, inbound)?,
        };
        self.schedule.push(now_ms, Update { account, change });
        Ok(id)
    }

    fn message(
        &mut self,
        now_ms: i64,
        number: &str,
        id: &str,
        inbound: Inbound,
    ) -> Result<Change, GraphError> {
        let phone = digits(&inbound.from);
        if phone.is_empty() {
            return Err(GraphError::new(131_009, "from is not a phone number"));
        }
        let mut person = self.people.by_phone(&phone, self.behaviour.drops_ninth_digit);
        if let Some(name) = &inbound.name {
            self.people.rename(&person.wa_id, name);
            person.name.clone_from(name);
        }
        let at_ms = now_ms - inbound.age_ms;
        if let Some(state) = self.numbers.get_mut(number) {
            state.bucket.drain(now_ms);
        }
        self.open_window(at_ms, number, &person, inbound.referral.is_some());
        let is_system = matches!(inbound.say, Say::System(_));
        let mut message = self.content(now_ms, number, inbound.say)?;
        message["id"] = json!(id);
        message["timestamp"] = json!((at_ms / 1_000).to_string());
        let hidden = self.hides(&person);
        if !hidden {
            message["from"] = json!(person.wa_id);
        }
        if self.behaviour.user_ids {
            message["from_user_id"] = json!(person.user_id);
        }
        if let Some(reply_to) = inbound.reply_to {
            let display = &self.numbers[number].number.display_phone_number;
            message["context"] = json!({ "from": display, "id": reply_to });
        }
        if let Some(referral) = inbound.referral {
            message["referral"] = referral;
        }
        let shown = Shown { phone: !hidden, user_id: self.behaviour.user_ids, username: true };
        let contact = (!is_system).then(|| person.card(shown));
        Ok(Change::Message { number: number.to_owned(), contact, message })
    }

    fn open_window(&mut self, at_ms: i64, number: &str, person: &Person, referred: bool) {
        let pair = self.pair(number, &person.wa_id);
        pair.last_inbound_ms = pair.last_inbound_ms.max(Some(at_ms));
        if referred {
            pair.referred_ms = Some(at_ms);
        }
    }

    fn content(&mut self, now_ms: i64, number: &str, say: Say) -> Result<Value, GraphError> {
        Ok(match say {
            Say::Text(body) => json!({ "type": "text", "text": { "body": body } }),
            Say::Button { payload, text } => {
                json!({ "type": "button", "button": { "payload": payload, "text": text } })
            }
            Say::ButtonReply { id, title } => json!({ "type": "interactive", "interactive": {
                "type": "button_reply", "button_reply": { "id": id, "title": title } } }),
            Say::ListReply { id, title } => json!({ "type": "interactive", "interactive": {
                "type": "list_reply", "list_reply": { "id": id, "title": title } } }),
            Say::Reaction { message_id, emoji } => {
                json!({ "type": "reaction", "reaction": { "message_id": message_id, "emoji": emoji } })
            }
            Say::Location { latitude, longitude } => {
                json!({ "type": "location", "location": { "latitude": latitude, "longitude": longitude } })
            }
            Say::System(system) => json!({ "type": "system", "system": system }),
            Say::Raw(message) | Say::Errors(message) if message.is_object() => message,
            Say::Media { kind, mime_type, filename, caption, content } => {
                let bytes = BASE64
                    .decode(content.as_bytes())
                    .map_err(|error| GraphError::new(131_009, format!("content is not base64: {error}")))?;
                let account = self.numbers[number].account;
                let media = Media::new(account, mime_type, bytes, now_ms);
                let mut body = json!({ "mime_type": media.mime_type, "sha256": media.sha256 });
                body["id"] = json!(self.add_media(media));
                for (key, value) in [("filename", filename), ("caption", caption)] {
                    if let Some(value) = value {
                        body[key] = json!(value);
                    }
                }
                json!({ "type": kind, &kind: body })
            }
            Say::Raw(_) | Say::Errors(_) | Say::Field { .. } => {
                return Err(GraphError::new(131_009, "raw must be a JSON object"));
            }
        })
    }
}
