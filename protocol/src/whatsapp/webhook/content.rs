//! What a message says, by its type.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::message::{Message, error, errors};
use super::text::{Text, list, part, raw};
use crate::content::{Content, Media, MediaKind, MediaSource, ProviderError};
use crate::id::{MediaId, ProviderId};

/// Reads the body that `type` names. Never fails: what is not understood is kept as it came.
pub(super) fn read(message: &Message<'_>, whole: &RawValue, value_errors: &[&RawValue]) -> Content {
    content(message, whole, Depth::Message).unwrap_or_else(|| missing(message, whole, value_errors))
}

/// An edit holds a message, but no further edit: the depth of what is stored stays bounded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Message,
    InsideEdit,
}

fn content(message: &Message<'_>, whole: &RawValue, depth: Depth) -> Option<Content> {
    match message.kind.as_str() {
        "text" => text(message.text),
        "image" => media(MediaKind::Image, message.image),
        "video" => media(MediaKind::Video, message.video),
        "audio" => media(MediaKind::Audio, message.audio),
        "document" => media(MediaKind::Document, message.document),
        "sticker" => media(MediaKind::Sticker, message.sticker),
        "location" => location(message.location),
        "contacts" => {
            message.contacts.map(|cards| Content::Contacts(list(Some(cards)).into_iter().map(raw).collect()))
        }
        "interactive" => interactive(message.interactive),
        "button" => button(message.button),
        "reaction" => reaction(message.reaction),
        "order" => message.order.map(|order| Content::Order(raw(order))),
        "unsupported" | "unknown" => Some(unsupported(message)),
        "edit" if depth == Depth::Message => edit(message.edit),
        "revoke" => revoke(message.revoke),
        _ => Some(unknown(message, whole)),
    }
}

/// The body that the type promises is missing or has another shape. Missing is what the provider sends when it
/// cannot represent a message; the reason stands beside it.
fn missing(message: &Message<'_>, whole: &RawValue, value_errors: &[&RawValue]) -> Content {
    if message.has_body() {
        return unknown(message, whole);
    }
    let mut errors = errors(message.errors);
    if errors.is_empty() {
        errors = value_errors.iter().filter_map(|raw| error(raw)).collect::<Vec<ProviderError>>();
    }
    Content::Unsupported { kind: message.kind.compact(), errors }
}

fn unknown(message: &Message<'_>, whole: &RawValue) -> Content {
    Content::Unknown { kind: message.kind.as_str().into(), raw: raw(whole) }
}

impl Message<'_> {
    fn has_body(&self) -> bool {
        [
            self.text,
            self.image,
            self.video,
            self.audio,
            self.document,
            self.sticker,
            self.location,
            self.contacts,
            self.interactive,
            self.button,
            self.reaction,
            self.order,
            self.edit,
            self.revoke,
        ]
        .iter()
        .any(Option::is_some)
    }
}

#[derive(Deserialize)]
struct RawText<'a> {
    #[serde(borrow)]
    body: Text<'a>,
}

fn text(body: Option<&RawValue>) -> Option<Content> {
    let text: RawText<'_> = part(body)?;
    Some(Content::Text { body: text.body.owned()? })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawMedia<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    url: Text<'a>,
    #[serde(borrow)]
    mime_type: Text<'a>,
    #[serde(borrow)]
    sha256: Text<'a>,
    #[serde(borrow)]
    filename: Text<'a>,
    #[serde(borrow)]
    caption: Text<'a>,
    #[serde(borrow)]
    voice: Text<'a>,
}

fn media(kind: MediaKind, body: Option<&RawValue>) -> Option<Content> {
    let media: RawMedia<'_> = part(body)?;
    // The id is the lasting way to the file; the address was added later and lives for minutes.
    let source = match media.id.compact() {
        Some(id) => MediaSource::Provider(MediaId(id)),
        None => MediaSource::Link(media.url.owned()?),
    };
    Some(Content::Media(Media {
        kind,
        source,
        mime_type: media.mime_type.compact(),
        sha256: media.sha256.compact(),
        filename: media.filename.owned(),
        caption: media.caption.owned(),
        voice: media.voice.flag().unwrap_or(false),
    }))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawLocation<'a> {
    #[serde(borrow)]
    latitude: Text<'a>,
    #[serde(borrow)]
    longitude: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    address: Text<'a>,
}

fn location(body: Option<&RawValue>) -> Option<Content> {
    let location: RawLocation<'_> = part(body)?;
    let degrees = |text: &Text<'_>| text.parse::<f64>().filter(|degrees| degrees.is_finite());
    Some(Content::Location {
        latitude: degrees(&location.latitude)?,
        longitude: degrees(&location.longitude)?,
        name: location.name.owned(),
        address: location.address.owned(),
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawInteractive<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    button_reply: Option<&'a RawValue>,
    #[serde(borrow)]
    list_reply: Option<&'a RawValue>,
    #[serde(borrow)]
    nfm_reply: Option<&'a RawValue>,
    #[serde(borrow)]
    call_permission_reply: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawChoice<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    title: Text<'a>,
}

#[derive(Deserialize)]
struct RawForm<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow)]
    response_json: &'a RawValue,
}

#[derive(Deserialize)]
struct RawCallPermission<'a> {
    #[serde(borrow)]
    response: Text<'a>,
}

fn interactive(body: Option<&RawValue>) -> Option<Content> {
    let interactive: RawInteractive<'_> = part(body)?;
    match interactive.kind.as_str() {
        "button_reply" => choice(interactive.button_reply),
        "list_reply" => choice(interactive.list_reply),
        "nfm_reply" => form(interactive.nfm_reply),
        "call_permission_reply" => {
            let reply: RawCallPermission<'_> = part(interactive.call_permission_reply)?;
            Some(Content::CallPermission { accepted: reply.response.as_str() == "accept" })
        }
        _ => None,
    }
}

fn choice(body: Option<&RawValue>) -> Option<Content> {
    let choice: RawChoice<'_> = part(body)?;
    Some(Content::Choice { id: choice.id.compact()?, title: choice.title.owned().unwrap_or_default() })
}

fn form(body: Option<&RawValue>) -> Option<Content> {
    let form: RawForm<'_> = part(body)?;
    // Documented as a text that holds JSON; an object in its place is the same answer.
    let response_json = match serde_json::from_str::<String>(form.response_json.get()) {
        Ok(text) => text,
        Err(_) => raw(form.response_json).0,
    };
    Some(Content::Form { name: form.name.compact().unwrap_or_else(|| "flow".into()), response_json })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawButton<'a> {
    #[serde(borrow)]
    payload: Text<'a>,
    #[serde(borrow)]
    text: Text<'a>,
}

fn button(body: Option<&RawValue>) -> Option<Content> {
    let button: RawButton<'_> = part(body)?;
    // Without a payload of ours the provider repeats the label, or leaves the payload out.
    let (payload, text) = (button.payload.owned(), button.text.owned());
    let text = text.or_else(|| payload.clone())?;
    Some(Content::Button { payload: payload.unwrap_or_else(|| text.clone()), text })
}

#[derive(Deserialize)]
struct RawReaction<'a> {
    #[serde(borrow)]
    message_id: Text<'a>,
    /// Absent or empty when the reaction was taken off.
    #[serde(borrow, default)]
    emoji: Text<'a>,
}

fn reaction(body: Option<&RawValue>) -> Option<Content> {
    let reaction: RawReaction<'_> = part(body)?;
    Some(Content::Reaction {
        message: ProviderId(reaction.message_id.compact()?),
        emoji: reaction.emoji.compact(),
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawUnsupported<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
}

fn unsupported(message: &Message<'_>) -> Content {
    let named: RawUnsupported<'_> = part(message.unsupported).unwrap_or_default();
    Content::Unsupported { kind: named.kind.compact(), errors: errors(message.errors) }
}

#[derive(Deserialize)]
struct RawEdit<'a> {
    #[serde(borrow)]
    original_message_id: Text<'a>,
    #[serde(borrow)]
    message: &'a RawValue,
}

fn edit(body: Option<&RawValue>) -> Option<Content> {
    let edit: RawEdit<'_> = part(body)?;
    let message: Message<'_> = part(Some(edit.message))?;
    let new =
        content(&message, edit.message, Depth::InsideEdit).unwrap_or_else(|| unknown(&message, edit.message));
    Some(Content::Edit { original: ProviderId(edit.original_message_id.compact()?), content: Box::new(new) })
}

#[derive(Deserialize)]
struct RawRevoke<'a> {
    #[serde(borrow)]
    original_message_id: Text<'a>,
}

fn revoke(body: Option<&RawValue>) -> Option<Content> {
    let revoke: RawRevoke<'_> = part(body)?;
    Some(Content::Revoke { original: ProviderId(revoke.original_message_id.compact()?) })
}
