//! Parties and contents as callers see them: the same in messages and in events.

use serde_json::{Value, json};

use super::message::{MediaBody, ParameterBody, Sender, TemplateBody};
use crate::command::Party;
use crate::content::{Content, Media, MediaSource, TemplateContent};

/// Who did something, by kind and id.
#[must_use]
pub fn sender(party: Party) -> Sender {
    let (kind, id) = match party {
        Party::Contact => ("contact", None),
        Party::User(user) => ("user", Some(user.to_string())),
        Party::Service(key) => ("service", Some(key.to_string())),
        Party::Bot => ("bot", None),
        Party::Automation => ("automation", None),
        Party::Gateway => ("gateway", None),
    };
    Sender { kind: kind.to_owned(), id }
}

/// The parts of a message that have a place of their own; `other` holds what has none.
#[derive(Default)]
pub struct Shown {
    /// The text, where there is one.
    pub text: Option<String>,
    /// The template that was sent.
    pub template: Option<TemplateBody>,
    /// The file.
    pub media: Option<MediaBody>,
    /// The rest, by its kind.
    pub other: Option<Value>,
}

/// What a message says, for the API.
#[must_use]
pub fn content(content: &Content) -> Shown {
    let other = |value: Value| Shown { other: Some(value), ..Shown::default() };
    match content {
        Content::Text { body } => Shown { text: Some(body.clone()), ..Shown::default() },
        Content::Choice { id, title } => Shown { text: Some(title.clone()), ..other(json!({ "id": id })) },
        Content::Button { payload, text } => {
            Shown { text: Some(text.clone()), ..other(json!({ "payload": payload })) }
        }
        Content::Media(file) => {
            Shown { text: file.caption.clone(), media: Some(media(file)), ..Shown::default() }
        }
        Content::Template(filled) => Shown {
            text: Some(filled.rendered.clone()),
            template: Some(template(filled)),
            ..Shown::default()
        },
        Content::Interactive { body, options, .. } => {
            let options: Vec<Value> =
                options.iter().map(|option| json!({ "id": option.id, "title": option.title })).collect();
            Shown { text: Some(body.clone()), ..other(json!({ "options": options })) }
        }
        Content::Location { latitude, longitude, name, address } => other(json!({
            "latitude": latitude, "longitude": longitude, "name": name, "address": address
        })),
        Content::Reaction { message, emoji } => other(json!({ "provider_id": message, "emoji": emoji })),
        Content::Contacts(cards) => other(cards.iter().map(|card| raw(&card.0)).collect()),
        Content::Order(order) => other(raw(&order.0)),
        Content::Edit { original, content: changed } => {
            let mut shown = self::content(changed);
            shown.other = Some(json!({ "original_provider_id": original }));
            shown
        }
        Content::Revoke { original } => other(json!({ "original_provider_id": original })),
        Content::CallPermission { accepted } => other(json!({ "accepted": accepted })),
        Content::Form { name, response_json } => {
            other(json!({ "name": name, "response": raw(response_json) }))
        }
        Content::Unsupported { kind, errors } => {
            let errors: Vec<Value> =
                errors.iter().map(|error| json!({ "code": error.code, "title": error.title })).collect();
            other(json!({ "kind": kind, "errors": errors }))
        }
        Content::Erased => Shown::default(),
        Content::Unknown { kind, raw: text } => other(json!({ "kind": kind, "raw": raw(&text.0) })),
    }
}

/// Kept JSON as a value; text that was cut and no longer parses is shown as text.
pub(super) fn raw(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// A file, for the API.
#[must_use]
pub fn media(file: &Media) -> MediaBody {
    let (file_id, link, provider_media_id) = match &file.source {
        MediaSource::File(file) => (Some(*file), None, None),
        MediaSource::Link(link) => (None, Some(link.clone()), None),
        MediaSource::Provider(id) => (None, None, Some(id.to_string())),
    };
    MediaBody {
        kind: Some(file.kind),
        file_id,
        link,
        provider_media_id,
        caption: file.caption.clone(),
        filename: file.filename.clone(),
        mime_type: file.mime_type.as_ref().map(ToString::to_string),
    }
}

fn template(filled: &TemplateContent) -> TemplateBody {
    let parameters = filled
        .parameters
        .iter()
        .map(|parameter| match &parameter.name {
            Some(name) => ParameterBody::Named { name: name.to_string(), text: parameter.text.clone() },
            None => ParameterBody::Positional(parameter.text.clone()),
        })
        .collect();
    TemplateBody {
        name: filled.name.to_string(),
        language: filled.language.to_string(),
        parameters,
        merge: None,
    }
}
