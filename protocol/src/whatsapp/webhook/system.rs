//! `system` messages: the contact has another phone number or user id now, or another device key.

use serde::Deserialize;

use super::message::{Message, names};
use super::text::{Text, part};
use super::value::{Around, Odd};
use super::{Names, Payload};
use crate::entry::{Happening, Identity, IdentityChange};
use crate::id::Bsuid;

#[derive(Default, Deserialize)]
#[serde(default)]
struct System<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    body: Text<'a>,
    #[serde(borrow)]
    wa_id: Text<'a>,
    /// The new number in older payloads, which also used `customer` for the old one.
    #[serde(borrow)]
    new_wa_id: Text<'a>,
    #[serde(borrow)]
    customer: Text<'a>,
    #[serde(borrow)]
    user_id: Text<'a>,
    #[serde(borrow)]
    previous_user_id: Text<'a>,
}

pub(super) fn read<'a>(message: &Message<'a>, around: &Around<'_, 'a>) -> Result<Payload, Odd> {
    let system: System<'_> = part(message.system).ok_or(Odd("no system body"))?;
    let was = around.identity(&message.from, &message.from_user_id);
    let now = match system.kind.as_str() {
        "user_changed_number" | "customer_changed_number" | "user_changed_user_id" => new_names(&system),
        // The device key changed, the names did not.
        "customer_identity_changed" | "user_identity_changed" => Identity::default(),
        _ => return Err(Odd("unknown kind of system message")),
    };
    let names = old_names(&system, &was, &now)?;
    let change = IdentityChange {
        provider_id: message.provider_id()?,
        at: message.timestamp.unix_seconds().ok_or(Odd("no timestamp"))?,
        now,
        text: system.body.owned(),
    };
    Ok(Payload::Conversation { names, opaque: None, happening: Box::new(Happening::IdentityChanged(change)) })
}

fn new_names(system: &System<'_>) -> Identity {
    Identity {
        phone: system.new_wa_id.phone().or_else(|| system.wa_id.phone()),
        bsuid: system.user_id.compact().map(Bsuid),
        ..Identity::default()
    }
}

/// The names that the conversation goes by so far. When a user id changes, `from` may be missing; the old id then
/// stands in a field that only some versions send, or in the text for people.
fn old_names(system: &System<'_>, was: &Identity, now: &Identity) -> Result<Names, Odd> {
    let told = || system.previous_user_id.compact().map(Bsuid).or_else(|| named_in(system.body.as_str()));
    let bsuid = was.bsuid.clone().filter(|bsuid| Some(bsuid) != now.bsuid.as_ref()).or_else(told);
    let was = Identity { phone: was.phone.or_else(|| system.customer.phone()), bsuid, ..Identity::default() };
    // Without any old name the new ones are all there is: the phone number often stayed the same.
    names(&was).or_else(|_| names(now))
}

/// The old user id in a text such as `User Anna changed from IT.123 to IT.456`.
fn named_in(body: &str) -> Option<Bsuid> {
    let (_, change) = body.rsplit_once(" changed from ")?;
    let (old, _) = change.split_once(" to ")?;
    let (country, rest) = old.split_once('.')?;
    let alphanumeric = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    (country.len() == 2 && !rest.is_empty() && alphanumeric(old)).then(|| Bsuid::new(old))
}
