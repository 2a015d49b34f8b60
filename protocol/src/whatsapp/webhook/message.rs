//! One element of `messages[]`: what a contact wrote, or what the provider says about the contact.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::text::{Text, list, part, raw};
use super::value::{Around, Odd};
use super::{Names, Payload, content, system};
use crate::content::{ProviderError, Referral};
use crate::entry::{Happening, Identity, InboundMessage, Notice};
use crate::id::ProviderId;

/// A message with its bodies still raw: only the one that `type` names is read.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) from: Text<'a>,
    #[serde(borrow)]
    pub(super) from_user_id: Text<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Text<'a>,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    group_id: Text<'a>,
    #[serde(borrow)]
    context: Option<&'a RawValue>,
    #[serde(borrow)]
    referral: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) errors: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) image: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) video: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) audio: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) document: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) sticker: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) location: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) contacts: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) interactive: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) button: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) reaction: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) order: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) system: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) unsupported: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) edit: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) revoke: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Context<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    forwarded: Text<'a>,
    #[serde(borrow)]
    frequently_forwarded: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawReferral<'a> {
    #[serde(borrow)]
    source_type: Text<'a>,
    #[serde(borrow)]
    source_id: Text<'a>,
    #[serde(borrow)]
    source_url: Text<'a>,
    #[serde(borrow)]
    headline: Text<'a>,
    #[serde(borrow)]
    ctwa_clid: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawError<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(borrow)]
    title: Text<'a>,
    #[serde(borrow)]
    message: Text<'a>,
    #[serde(borrow)]
    error_data: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorData<'a> {
    #[serde(borrow)]
    details: Text<'a>,
}

pub(super) fn read<'a>(whole: &'a RawValue, around: &Around<'_, 'a>) -> Result<Payload, Odd> {
    let message: Message<'_> = serde_json::from_str(whole.get()).map_err(|_| Odd("malformed"))?;
    if !message.group_id.is_empty() {
        // Said in a group: it neither opens a window nor belongs to the conversation with its writer.
        return Ok(other("messages.group", &message, whole));
    }
    match message.kind.as_str() {
        "system" => system::read(&message, around),
        // The chat was opened and nothing was said: no message, no window.
        "request_welcome" => Ok(other("messages.request_welcome", &message, whole)),
        _ => received(&message, whole, around),
    }
}

fn other(field: &'static str, message: &Message<'_>, whole: &RawValue) -> Payload {
    let notice = Notice::Other { field: field.into(), raw: raw(whole) };
    Payload::Notice(notice, message.timestamp.unix_seconds())
}

fn received<'a>(message: &Message<'a>, whole: &RawValue, around: &Around<'_, 'a>) -> Result<Payload, Odd> {
    let identity = around.identity(&message.from, &message.from_user_id);
    let names = names(&identity)?;
    let context: Context<'_> = part(message.context).unwrap_or_default();
    let forwarded = [&context.forwarded, &context.frequently_forwarded];
    let received = InboundMessage {
        provider_id: message.provider_id()?,
        sent_at: message.timestamp.unix_seconds().ok_or(Odd("no timestamp"))?,
        identity,
        content: content::read(message, whole, around.errors),
        reply_to: context.id.compact().map(ProviderId),
        forwarded: forwarded.into_iter().any(|flag| flag.flag() == Some(true)),
        referral: part(message.referral).map(referral),
    };
    Ok(Payload::Conversation { names, opaque: None, happening: Box::new(Happening::Received(received)) })
}

impl Message<'_> {
    pub(super) fn provider_id(&self) -> Result<ProviderId, Odd> {
        self.id.compact().map(ProviderId).ok_or(Odd("no id"))
    }
}

/// The names that a conversation is found by.
pub(super) fn names(identity: &Identity) -> Result<Names, Odd> {
    let names = Names { phone: identity.phone, bsuid: identity.bsuid.clone() };
    if names.is_empty() { Err(Odd("no sender")) } else { Ok(names) }
}

fn referral(raw: RawReferral<'_>) -> Referral {
    Referral {
        source_type: raw.source_type.as_str().into(),
        source_id: raw.source_id.compact(),
        source_url: raw.source_url.owned(),
        headline: raw.headline.owned(),
        ctwa_clid: raw.ctwa_clid.owned(),
    }
}

/// Reads a list of errors; what is no error is left out.
pub(super) fn errors(raw: Option<&RawValue>) -> Vec<ProviderError> {
    list(raw).into_iter().filter_map(error).collect()
}

/// Reads one error.
pub(super) fn error(raw: &RawValue) -> Option<ProviderError> {
    let error: RawError<'_> = part(Some(raw))?;
    let data: ErrorData<'_> = part(error.error_data).unwrap_or_default();
    // `message` mostly repeats `title`; with only one of them, that one is the title.
    let (title, message) = (error.title.owned(), error.message.owned());
    let further = message.clone().filter(|text| title.as_ref().is_some_and(|title| title != text));
    Some(ProviderError {
        code: error.code.parse()?,
        title: title.or(message).unwrap_or_default(),
        detail: data.details.owned().or(further),
    })
}
