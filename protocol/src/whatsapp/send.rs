//! Bodies of requests to `/{phone_number_id}/messages` (facts: Cloud API messages; user ids as recipients since 2026).

use serde_json::{Map, Value, json};

use super::limits::fits_buttons;
use crate::content::{Choice, Content, Media, MediaKind, MediaSource, RawJson, TemplateContent};
use crate::entry::Identity;
use crate::id::ProviderId;

/// One message to the provider.
#[derive(Clone, Copy, Debug)]
pub struct Send<'a> {
    /// Every name of the recipient; the phone number is used where it is known.
    pub to: &'a Identity,
    /// What it says.
    pub content: &'a Content,
    /// The message it answers.
    pub reply_to: Option<&'a ProviderId>,
    /// Comes back with statuses; at most [`super::limits::MAX_OPAQUE`] characters.
    pub opaque: &'a str,
}

/// A message that has no form at the provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// Neither a phone number nor a user id.
    #[error("the recipient has neither a phone number nor a user id")]
    NoRecipient,
    /// A kind that only comes in.
    #[error("a message of kind `{0}` cannot be sent on WhatsApp")]
    Kind(&'static str),
    /// A file that the provider does not have yet.
    #[error("the file was not given to the provider")]
    NotUploaded,
    /// A contact card that is not JSON.
    #[error("a contact card is not valid JSON")]
    Card,
}

/// Label of the button that opens a list when nobody gave one: it needs no translation.
const LIST_BUTTON: &str = "☰";

impl Send<'_> {
    /// The JSON body.
    ///
    /// # Errors
    /// Says why the provider has no form for it.
    pub fn body(&self) -> Result<Vec<u8>, Unsendable> {
        let (kind, content) = content(self.content)?;
        let mut body = message();
        body.insert("recipient_type".into(), "individual".into());
        match (self.to.phone, &self.to.bsuid) {
            // With the plus sign: without it the provider may put the sender's country code in front.
            (Some(phone), _) => body.insert("to".into(), phone.to_string().into()),
            (None, Some(bsuid)) => body.insert("recipient".into(), bsuid.as_str().into()),
            (None, None) => return Err(Unsendable::NoRecipient),
        };
        body.insert("type".into(), kind.into());
        body.insert(kind.into(), content);
        if let Some(message) = self.reply_to {
            body.insert("context".into(), json!({ "message_id": message.as_str() }));
        }
        body.insert("biz_opaque_callback_data".into(), self.opaque.into());
        Ok(Value::Object(body).to_string().into_bytes())
    }
}

/// Tells the provider that the contact's message was read, and with `typing` also that somebody is answering:
/// shown until the answer comes, at most about 25 s.
#[must_use]
pub fn read_receipt(message: &ProviderId, typing: bool) -> Vec<u8> {
    let mut body = self::message();
    body.insert("status".into(), "read".into());
    body.insert("message_id".into(), message.as_str().into());
    if typing {
        body.insert("typing_indicator".into(), json!({ "type": "text" }));
    }
    Value::Object(body).to_string().into_bytes()
}

fn message() -> Map<String, Value> {
    Map::from_iter([("messaging_product".to_owned(), "whatsapp".into())])
}

/// `type` and the object that is named after it.
fn content(content: &Content) -> Result<(&'static str, Value), Unsendable> {
    Ok(match content {
        Content::Text { body } => ("text", json!({ "body": body })),
        Content::Media(file) => (file.kind.name(), media(file)?),
        Content::Template(filled) => ("template", template(filled)),
        Content::Interactive { body, options, list_button } => {
            let interactive =
                if fits_buttons(options) { buttons(body, options) } else { list(body, options, list_button) };
            ("interactive", interactive)
        }
        Content::Reaction { message, emoji } => (
            "reaction",
            json!({ "message_id": message.as_str(), "emoji": emoji.as_deref().unwrap_or_default() }),
        ),
        Content::Location { latitude, longitude, name, address } => {
            let mut point = json!({ "latitude": latitude, "longitude": longitude });
            insert(&mut point, "name", name.as_deref());
            insert(&mut point, "address", address.as_deref());
            ("location", point)
        }
        Content::Contacts(cards) => ("contacts", contacts(cards)?),
        Content::Choice { .. }
        | Content::Button { .. }
        | Content::Edit { .. }
        | Content::Revoke { .. }
        | Content::CallPermission { .. }
        | Content::Form { .. }
        | Content::Order(_)
        | Content::Unsupported { .. }
        | Content::Erased
        | Content::Unknown { .. } => return Err(Unsendable::Kind(content.kind())),
    })
}

fn insert(object: &mut Value, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        object[key] = value.into();
    }
}

fn media(file: &Media) -> Result<Value, Unsendable> {
    let mut object = match &file.source {
        MediaSource::Provider(id) => json!({ "id": id.as_str() }),
        MediaSource::Link(link) => json!({ "link": link }),
        MediaSource::File(_) => return Err(Unsendable::NotUploaded),
    };
    match file.kind {
        MediaKind::Image | MediaKind::Video => insert(&mut object, "caption", file.caption.as_deref()),
        MediaKind::Document => {
            insert(&mut object, "caption", file.caption.as_deref());
            insert(&mut object, "filename", file.filename.as_deref());
        }
        MediaKind::Audio if file.voice => object["voice"] = true.into(),
        MediaKind::Audio | MediaKind::Sticker => {}
    }
    Ok(object)
}

fn template(filled: &TemplateContent) -> Value {
    let mut template = json!({ "name": filled.name, "language": { "code": filled.language } });
    if !filled.parameters.is_empty() {
        let parameters = filled.parameters.iter().map(|parameter| match &parameter.name {
            Some(name) => json!({ "type": "text", "parameter_name": name, "text": parameter.text }),
            None => json!({ "type": "text", "text": parameter.text }),
        });
        template["components"] = json!([{ "type": "body", "parameters": parameters.collect::<Vec<_>>() }]);
    }
    template
}

fn buttons(body: &str, options: &[Choice]) -> Value {
    let buttons = options
        .iter()
        .map(|option| json!({ "type": "reply", "reply": { "id": option.id, "title": option.title } }))
        .collect::<Vec<_>>();
    json!({ "type": "button", "body": { "text": body }, "action": { "buttons": buttons } })
}

fn list(body: &str, options: &[Choice], label: &Option<String>) -> Value {
    let rows =
        options.iter().map(|option| json!({ "id": option.id, "title": option.title })).collect::<Vec<_>>();
    let label = label.as_deref().unwrap_or(LIST_BUTTON);
    json!({ "type": "list", "body": { "text": body }, "action": { "button": label, "sections": [{ "rows": rows }] } })
}

fn contacts(cards: &[RawJson]) -> Result<Value, Unsendable> {
    let cards = cards.iter().map(|card| serde_json::from_str(&card.0).map_err(|_| Unsendable::Card));
    Ok(Value::Array(cards.collect::<Result<_, _>>()?))
}
