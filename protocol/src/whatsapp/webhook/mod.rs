//! Reads webhook bodies. Total: once the body is a WhatsApp webhook at all, each part of it is either understood
//! or kept raw as [`Notice::Unknown`], and never hurts its neighbours.
//!
//! Everything is read as borrowed text straight from the body; a part whose shape surprises is read again more
//! tolerantly, so that the common case costs two passes over the bytes and no tree of values.

mod call;
mod content;
mod envelope;
mod message;
mod notice;
mod people;
mod preference;
mod status;
mod system;
mod text;
mod value;

use crate::entry::{Happening, Notice};
use crate::id::{Bsuid, PhoneNumberId, WabaId};
use crate::phone::E164;
use crate::time::TimestampMs;

/// A webhook, part by part in the order of the body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Webhook {
    /// One for each message, status, call, preference, error and notice.
    pub parts: Vec<Part>,
}

/// One thing that the webhook says.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The account (`entry.id`); empty when the entry has none.
    pub waba: WabaId,
    /// The provider's id of the number that it concerns.
    pub phone_number_id: Option<PhoneNumberId>,
    /// The number itself, for notices that name it only so.
    pub display_phone: Option<E164>,
    /// What it says.
    pub payload: Payload,
}

/// What one part of a webhook says.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// Something for a conversation.
    Conversation {
        /// Names of the contact by which the conversation is found; for a change of names the old ones.
        names: Names,
        /// Our opaque id as it came back (`biz_opaque_callback_data`); only its MAC makes it ours.
        opaque: Option<String>,
        /// What happened.
        happening: Box<Happening>,
    },
    /// Something about an account, a template or a number, with the provider's time if it gives one.
    Notice(Notice, Option<TimestampMs>),
}

/// The names of a contact that conversations are found by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Phone number; may be missing since 2026.
    pub phone: Option<E164>,
    /// Business-scoped user id.
    pub bsuid: Option<Bsuid>,
}

impl Names {
    /// Whether there is no name at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.phone.is_none() && self.bsuid.is_none()
    }
}

/// A body that is no WhatsApp webhook; the answer is 400.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON in UTF-8.
    #[error("body is not JSON")]
    NotJson,
    /// JSON, but not an object.
    #[error("body is not a JSON object")]
    NotAnObject,
    /// `object` names something else.
    #[error("`object` is not `whatsapp_business_account`")]
    Object,
    /// No list of entries.
    #[error("`entry` is not an array")]
    Entry,
}

/// Reads a webhook body.
///
/// # Errors
/// Only when the body is no WhatsApp webhook at all; see [`DecodeError`].
pub fn decode(body: &[u8]) -> Result<Webhook, DecodeError> {
    let body = std::str::from_utf8(body).map_err(|_| DecodeError::NotJson)?;
    let mut webhook = Webhook::default();
    envelope::read(body, &mut webhook.parts)?;
    Ok(webhook)
}
