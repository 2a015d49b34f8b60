//! One element of `statuses[]`: how far a message of ours has come.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::message::errors;
use super::text::{Text, part, raw};
use super::value::{Around, Odd};
use super::{Names, Payload};
use crate::entry::{Happening, Notice, ProviderStatus, StatusUpdate};
use crate::id::ProviderId;
use crate::pricing::ProviderPricing;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Status<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) status: Text<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Text<'a>,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) recipient_id: Text<'a>,
    #[serde(borrow)]
    pub(super) recipient_user_id: Text<'a>,
    #[serde(borrow)]
    recipient_type: Text<'a>,
    #[serde(borrow)]
    pub(super) biz_opaque_callback_data: Text<'a>,
    #[serde(borrow)]
    conversation: Option<&'a RawValue>,
    #[serde(borrow)]
    pricing: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pricing<'a> {
    #[serde(borrow)]
    billable: Text<'a>,
    #[serde(borrow)]
    pricing_model: Text<'a>,
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    category: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Conversation<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    expiration_timestamp: Text<'a>,
    #[serde(borrow)]
    origin: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Origin<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
}

pub(super) fn read<'a>(whole: &'a RawValue, around: &Around<'_, 'a>) -> Result<Payload, Odd> {
    let status: Status<'_> = serde_json::from_str(whole.get()).map_err(|_| Odd("malformed"))?;
    if status.recipient_type.as_str() == "group" {
        // The gateway never writes to groups: somebody else's message, kept for people.
        return Ok(Payload::Notice(
            Notice::Other { field: "messages.group_status".into(), raw: raw(whole) },
            status.timestamp.unix_seconds(),
        ));
    }
    if status.kind.as_str() == "call" {
        return super::call::status_of_call(status, around);
    }
    let identity = around.identity(&status.recipient_id, &status.recipient_user_id);
    let update = StatusUpdate {
        provider_id: status.id.compact().map(ProviderId).ok_or(Odd("no id"))?,
        message: None,
        status: provider_status(status.status.as_str()).ok_or(Odd("unknown status"))?,
        at: status.timestamp.unix_seconds().ok_or(Odd("no timestamp"))?,
        pricing: pricing(status.pricing, status.conversation),
        errors: errors(status.errors),
        identity,
    };
    // A recipient without a name is fine as long as the opaque id leads to the conversation.
    let names = Names { phone: update.identity.phone, bsuid: update.identity.bsuid.clone() };
    let opaque = status.biz_opaque_callback_data.owned();
    if names.is_empty() && opaque.is_none() {
        return Err(Odd("no recipient"));
    }
    Ok(Payload::Conversation { names, opaque, happening: Box::new(Happening::Status(update)) })
}

fn provider_status(name: &str) -> Option<ProviderStatus> {
    Some(match name {
        "sent" => ProviderStatus::Sent,
        "delivered" => ProviderStatus::Delivered,
        "read" => ProviderStatus::Read,
        "played" => ProviderStatus::Played,
        "failed" => ProviderStatus::Failed,
        _ => return None,
    })
}

/// `pricing` with what `conversation` adds. A conversation alone charges nothing and is left out.
fn pricing(pricing: Option<&RawValue>, conversation: Option<&RawValue>) -> Option<ProviderPricing> {
    let pricing: Pricing<'_> = part(pricing)?;
    let conversation: Conversation<'_> = part(conversation).unwrap_or_default();
    let origin: Origin<'_> = part(conversation.origin).unwrap_or_default();
    Some(ProviderPricing {
        billable: pricing.billable.flag(),
        model: pricing.pricing_model.as_str().into(),
        kind: pricing.kind.compact(),
        category: pricing.category.as_str().into(),
        conversation_id: conversation.id.compact(),
        conversation_expires_at: conversation.expiration_timestamp.unix_seconds(),
        conversation_origin: origin.kind.compact(),
    })
}
