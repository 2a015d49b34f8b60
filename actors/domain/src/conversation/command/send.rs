//! Sending: who may be written to, what may be said, and when.

use protocol::command::{Consent, Owner, Party, Refusal, SendBody};
use protocol::content::Content;
use protocol::id::{MessageId, ProviderId};
use protocol::whatsapp::limits::{fits_buttons, validate};

use super::{mark_read, template};
use crate::capability::Capability;
use crate::consent::{self, Denied, Reach};
use crate::conversation::outbound::{self, NewMessage};
use crate::conversation::turn::Turn;
use crate::conversation::{assign, bot};
use crate::directory::TenantDirectory;
use crate::limits::QUEUE;
use crate::{market, texts};

/// Accepts a message for sending, or says why not.
pub(super) fn send(turn: &mut Turn<'_>, body: SendBody, by: Party) -> Result<MessageId, Refusal> {
    possible(turn)?;
    let (content, reply_to) = filled(turn.context.tenant, bot::texts(turn).list_button, body)?;
    validate(&content)?;
    consented(turn, by, &content)?;
    if !matches!(content, Content::Template(_)) && !turn.state.window_open(turn.now()) {
        return Err(template::window_closed(turn));
    }
    accept(turn, by, |turn| {
        outbound::enqueue(turn, NewMessage { by, content, reply_to, confirms_opt_out: false })
    })
}

/// Whether anything at all may be sent.
pub(super) fn possible(turn: &Turn<'_>) -> Result<(), Refusal> {
    recipient_allowed(turn)?;
    number_able(turn)
}

/// Takes a message in, if there is room, with what follows from somebody having written.
pub(super) fn accept(
    turn: &mut Turn<'_>,
    by: Party,
    take: impl FnOnce(&mut Turn<'_>) -> MessageId,
) -> Result<MessageId, Refusal> {
    if turn.state.queue.len() >= QUEUE {
        return Err(Refusal::QueueFull { limit: QUEUE });
    }
    let begins = !turn.state.started;
    let id = take(turn);
    if let Party::User(user) = by {
        mark_read(turn, by);
        // Who writes first gets the answers, unless somebody has the conversation already.
        if begins && turn.state.owner.is_none() {
            assign::set(turn, Some(Owner::User(user)), by);
        }
    }
    Ok(id)
}

/// A refusal and a block, on every path.
fn recipient_allowed(turn: &Turn<'_>) -> Result<(), Refusal> {
    let state = &turn.state;
    if !state.address.contact.names_somebody() {
        return Err(Refusal::NotFound);
    }
    if state.blocked {
        return Err(Refusal::Blocked);
    }
    if state.left {
        return Err(Refusal::Left);
    }
    if state.consent() == Consent::OptedOut {
        return Err(opted_out(turn));
    }
    Ok(())
}

/// Bulk needs more than that nobody refused.
pub(super) fn consented(turn: &Turn<'_>, by: Party, content: &Content) -> Result<(), Refusal> {
    let allowed = consent::allows(turn.state.consent(), Reach::of(by), said(content), turn.settings());
    allowed.map_err(|denied| match denied {
        Denied::OptedOut => opted_out(turn),
        Denied::OptInRequired => Refusal::OptInRequired,
        Denied::NoticeMissing => Refusal::InvalidContent {
            pointer: "/text/body".into(),
            detail: "must say how to opt out, such as `STOP`: the contact was never asked".to_owned(),
        },
    })
}

fn opted_out(turn: &Turn<'_>) -> Refusal {
    Refusal::OptedOut { since: turn.state.consent.as_ref().map_or(turn.now(), |record| record.at) }
}

/// What the contact will read.
fn said(content: &Content) -> &str {
    match content {
        Content::Template(template) => &template.rendered,
        content => content.typed_text().unwrap_or_default(),
    }
}

/// The number and the destination.
fn number_able(turn: &Turn<'_>) -> Result<(), Refusal> {
    let number = turn.context.number;
    Capability::Send.require(number.channel)?;
    if !number.enabled {
        return Err(Refusal::NumberDisabled);
    }
    if !number.introduced {
        return Err(Refusal::NumberNotReady);
    }
    let list = &turn.settings().unsupported_countries;
    let identity = &turn.state.identity;
    let by_phone = identity.phone.and_then(|phone| market::unsupported(phone, list));
    let by_user_id = || {
        let (country, _) = identity.bsuid.as_ref()?.as_str().split_once('.')?;
        list.iter().find(|listed| listed.eq_ignore_ascii_case(country)).map(|listed| listed.as_str())
    };
    match by_phone.or_else(by_user_id) {
        Some(country) => Err(Refusal::UnsupportedDestination { country: country.into() }),
        None => Ok(()),
    }
}

/// Whether something may be said at all, whoever it is said to.
///
/// # Errors
/// What a conversation would refuse it for.
pub fn check(tenant: &TenantDirectory, body: SendBody) -> Result<(), Refusal> {
    let (content, _) = filled(tenant, texts::of(&tenant.tenant.language).list_button, body)?;
    validate(&content)
}

/// The content as it goes out, and the message that it answers.
fn filled(
    tenant: &TenantDirectory,
    list_button: &str,
    body: SendBody,
) -> Result<(Content, Option<ProviderId>), Refusal> {
    let content = match body {
        SendBody::Text { body, reply_to } => return Ok((Content::Text { body }, reply_to)),
        SendBody::Template { name, language, parameters } => {
            template::fill(tenant, &name, &language, &parameters)?
        }
        SendBody::Media(media) => Content::Media(media),
        SendBody::Interactive { body, options } => {
            let list_button = (!fits_buttons(&options)).then(|| list_button.to_owned());
            Content::Interactive { body, options, list_button }
        }
        SendBody::Reaction { message, emoji } => Content::Reaction { message, emoji },
    };
    Ok((content, None))
}
