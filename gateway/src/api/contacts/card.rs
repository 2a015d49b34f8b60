//! The tenant's card of a contact: as it is stored, as callers see it, and what must hold of it.

use std::collections::BTreeMap;

use domain::market;
use protocol::api::contact::{ContactBody, ContactDetail};
use protocol::api::problem::FieldError;
use protocol::content::Channel;
use protocol::id::ContactId;
use protocol::record::FieldValue;
use store::records::{ContactCard, ContactRecord};

use crate::api::auth::Caller;
use crate::api::fresh;
use crate::api::known::{self, is_line, wrong};
use crate::api::problem::{ApiError, ApiResult};
use crate::api::views;
use crate::state::AppState;

/// Longest part of a name, as of a user's.
const MAX_NAME_CHARS: usize = 200;
/// Longest e-mail address by RFC 5321.
const MAX_EMAIL_CHARS: usize = 254;
/// Longest stage, and longest id elsewhere: names of lists, UUIDs.
const MAX_WORD_CHARS: usize = 100;
/// Values for merge fields: a card is read whole, and a template shows few of them.
const MAX_FIELDS: usize = 100;
/// Possible values of one field: more than a person reads through to choose one.
const MAX_VALUES: usize = 50;
/// Longest value: the longest text message.
const MAX_VALUE_CHARS: usize = 4_096;

/// A contact with its card, and the version that its `ETag` shows; zero while the tenant has written none.
pub(super) struct Known {
    pub(super) row: ContactRecord,
    pub(super) version: u64,
    pub(super) card: ContactCard,
}

/// Reads a contact of the caller's tenant.
pub(super) async fn read(state: &AppState, caller: &Caller, id: ContactId) -> ApiResult<Known> {
    fresh::contact(state, id).await;
    let row = fresh::found(state, async || Ok(state.records.contact(caller.tenant, id).await?)).await?;
    let row = row.ok_or_else(|| ApiError::not_found("contact"))?;
    let stored = state.records.contact_card(caller.tenant, id).await?;
    let (version, card) =
        stored.unwrap_or_else(|| (0, ContactCard { key: Some(row.key.clone()), ..ContactCard::default() }));
    Ok(Known { row, version, card })
}

/// The contact as callers see it.
pub(super) fn view(row: &ContactRecord, card: ContactCard) -> ContactDetail {
    ContactDetail {
        contact: views::contact(row, Channel::Whatsapp),
        first_name: card.first_name,
        middle_name: card.middle_name,
        last_name: card.last_name,
        email: card.email,
        country: card.country.map(Into::into),
        record_type: card.record_type,
        vacancy: card.vacancy,
        stage: card.stage.map(Into::into),
        owner: card.owner,
        external_id: card.external_id.map(Into::into),
        fields: card.fields.into_iter().map(|(name, value)| (name.into(), value)).collect(),
    }
}

/// The card as a body: what a change is merged into.
pub(super) fn body(row: &ContactRecord, card: ContactCard) -> ContactBody {
    ContactBody {
        phone: row.phone.map(|phone| phone.to_string()),
        bsuid: row.bsuid.as_ref().map(ToString::to_string),
        first_name: card.first_name,
        middle_name: card.middle_name,
        last_name: card.last_name,
        email: card.email,
        country: card.country.map(Into::into),
        record_type: Some(card.record_type),
        vacancy: card.vacancy,
        stage: card.stage.map(Into::into),
        owner: card.owner,
        external_id: card.external_id.map(Into::into),
        fields: Some(card.fields.into_iter().map(|(name, value)| (name.into(), Some(value))).collect()),
    }
}

/// The card that a body asks for, but for its key.
pub(super) fn card(state: &AppState, caller: &Caller, body: ContactBody) -> ApiResult<ContactCard> {
    let mut errors = problems(&body);
    errors.extend(known::owner(state, caller.tenant, body.owner.as_ref()));
    errors.extend(known::vacancy(body.vacancy.as_ref()));
    if !errors.is_empty() {
        return Err(ApiError::fields(errors));
    }
    let fields = body.fields.unwrap_or_default();
    Ok(ContactCard {
        key: None,
        first_name: body.first_name,
        middle_name: body.middle_name,
        last_name: body.last_name,
        email: body.email,
        country: body.country.map(Into::into),
        record_type: body.record_type.unwrap_or_default(),
        vacancy: body.vacancy,
        stage: body.stage.map(Into::into),
        owner: body.owner,
        external_id: body.external_id.map(Into::into),
        fields: fields.into_iter().filter_map(|(name, value)| Some((name.into(), value?))).collect(),
    })
}

fn problems(body: &ContactBody) -> Vec<FieldError> {
    let lines = [
        ("/first_name", &body.first_name, MAX_NAME_CHARS),
        ("/middle_name", &body.middle_name, MAX_NAME_CHARS),
        ("/last_name", &body.last_name, MAX_NAME_CHARS),
        ("/stage", &body.stage, MAX_WORD_CHARS),
        ("/external_id", &body.external_id, MAX_WORD_CHARS),
    ];
    let too_long = lines.into_iter().filter_map(|(pointer, text, max)| {
        let detail = || format!("must have 1 to {max} characters on one line; null removes it");
        (!is_line(text.as_ref()?, max)).then(|| wrong(pointer, detail()))
    });
    let mut errors: Vec<_> = too_long.collect();
    if body.email.as_deref().is_some_and(|email| !is_email(email)) {
        errors.push(wrong("/email", "must be an e-mail address such as anna@example.com; null removes it"));
    }
    if body.country.as_deref().is_some_and(|code| !market::is_country(code)) {
        errors.push(wrong("/country", "must be an ISO 3166 code of two capital letters, such as IT"));
    }
    errors.extend(body.fields.iter().flat_map(field_problems));
    errors
}

fn is_email(text: &str) -> bool {
    let is_sound = |name: &str, host: &str| !name.is_empty() && host.contains('.');
    is_line(text, MAX_EMAIL_CHARS)
        && !text.contains(char::is_whitespace)
        && text.split_once('@').is_some_and(|(name, host)| is_sound(name, host))
}

fn field_problems(fields: &BTreeMap<String, Option<FieldValue>>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if fields.len() > MAX_FIELDS {
        errors.push(wrong("/fields", format!("may have {MAX_FIELDS} entries")));
    }
    for (name, value) in fields {
        if is_field_name(name) {
            errors.extend(value.iter().flat_map(|value| value_problems(name, value)));
        } else {
            let detail =
                "names have lower case letters, digits, `_` and, between them, `.` only, as merge fields do";
            errors.push(wrong("/fields", format!("{name}: {detail}")));
        }
    }
    errors
}

/// `city`, or `interview.date`.
fn is_field_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.len() <= MAX_WORD_CHARS && name.split('.').all(|part| !part.is_empty() && part.bytes().all(fits))
}

fn value_problems(name: &str, value: &FieldValue) -> Option<FieldError> {
    let pointer = format!("/fields/{name}");
    let values = value.values();
    if !(1..=MAX_VALUES).contains(&values.len()) {
        let detail = format!("may have 1 to {MAX_VALUES} values to choose from; null removes the field");
        return Some(wrong(&pointer, detail));
    }
    let too_long = values.iter().any(|value| value.chars().count() > MAX_VALUE_CHARS);
    too_long.then(|| wrong(&pointer, format!("may have {MAX_VALUE_CHARS} characters")))
}
