//! Rows of the stores as callers see them.

use protocol::api::contact::ContactView;
use protocol::api::conversation::{ConversationView, FlowView};
use protocol::api::message::{
    AttemptView, Direction, ErrorView, MediaBody, MessageView, ParameterBody, Sender, TemplateBody, TextBody,
};
use protocol::command::Party;
use protocol::content::{Channel, Content, Media, MediaSource, TemplateContent};
use protocol::time::TimestampMs;
use serde_json::{Value, json};
use store::records::{self, ContactRecord, ConversationRecord, MessageRecord};

use super::problem::window_view;

/// A conversation of the inbox.
pub(crate) fn conversation(row: ConversationRecord, now: TimestampMs) -> ConversationView {
    ConversationView {
        id: row.id,
        number_id: row.number,
        channel: row.channel,
        window: window_view(row.window_opened_at, row.window_expires_at, now),
        contact: contact(&row.contact, row.channel),
        mode: row.mode,
        flow: row.flow.map(|place| FlowView {
            id: place.id.to_string(),
            step: place.step.map(|step| step.to_string()),
        }),
        vacancy: row.vacancy,
        owner: row.owner,
        unread: row.unread,
        last_message_at: row.last_message.as_ref().map(|preview| preview.at),
        last_message: row.last_message.map(|preview| preview.text),
        blocked: row.blocked,
        left: row.left,
        paused: row.paused,
    }
}

/// A contact, with its consent on a channel.
pub(crate) fn contact(row: &ContactRecord, channel: Channel) -> ContactView {
    ContactView {
        id: row.id,
        phone: row.phone.map(|phone| phone.to_string()),
        bsuid: row.bsuid.as_ref().map(ToString::to_string),
        name: row.name().map(str::to_owned),
        username: row.username.as_ref().map(ToString::to_string),
        consent: row.consent(channel),
    }
}

/// A message of the history.
pub(crate) fn message(row: MessageRecord) -> MessageView {
    let shown = content(&row.content);
    MessageView {
        id: row.id,
        conversation_id: row.conversation,
        direction: match row.direction {
            records::Direction::Inbound => Direction::Inbound,
            records::Direction::Outbound => Direction::Outbound,
        },
        sender: sender(row.sender),
        kind: row.content.kind().to_owned(),
        text: shown.text.map(|body| TextBody { body }),
        template: shown.template,
        media: shown.media,
        content: shown.other,
        at: row.at,
        status: row.status.map_or("received", |status| status.name()).to_owned(),
        provider_id: row.provider_id.map(|id| id.to_string()),
        errors: row
            .errors
            .into_iter()
            .map(|error| ErrorView { code: error.code, title: error.title, detail: error.detail })
            .collect(),
        attempts: row
            .attempts
            .into_iter()
            .map(|attempt| AttemptView { at: attempt.at, code: attempt.code, detail: attempt.detail })
            .collect(),
    }
}

/// Who did something, by kind and id.
pub(crate) fn sender(party: Party) -> Sender {
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

/// Who did something, in one word: `user:usr_…`.
pub(crate) fn party(party: Party) -> String {
    let sender = sender(party);
    sender.id.map_or_else(|| sender.kind.clone(), |id| format!("{}:{id}", sender.kind))
}

/// The parts of a message that have a place of their own; `other` holds what has none.
#[derive(Default)]
struct Shown {
    text: Option<String>,
    template: Option<TemplateBody>,
    media: Option<MediaBody>,
    other: Option<Value>,
}

fn content(content: &Content) -> Shown {
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
        Content::Unknown { kind, raw: text } => other(json!({ "kind": kind, "raw": raw(&text.0) })),
    }
}

/// Kept JSON as a value; text that was cut and no longer parses is shown as text.
fn raw(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn media(file: &Media) -> MediaBody {
    let (link, provider_media_id) = match &file.source {
        MediaSource::Link(link) => (Some(link.clone()), None),
        MediaSource::Provider(id) => (None, Some(id.to_string())),
    };
    MediaBody {
        kind: file.kind,
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
