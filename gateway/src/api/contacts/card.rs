//! The tenant's card of a contact: as it is stored, as callers see it, and what must hold of it.

use domain::market;
use protocol::api::contact::{ContactBody, ContactDetail};
use protocol::api::problem::FieldError;
use protocol::content::Channel;
use protocol::id::ContactId;
use protocol::limits::{FIELD_VALUES, PERSON_NAME_CHARS, VALUE_CHARS, WORD_CHARS};
use protocol::record::FieldValue;
use protocol::text::{fits, is_capitals, is_email, is_field_name, is_line};
use store::records::{ContactCard, ContactRecord};

use crate::api::auth::Caller;
use crate::api::fresh;
use crate::api::known::{self, well_formed, wrong};
use crate::api::problem::{ApiError, ApiResult};
use crate::api::views;
use crate::state::AppState;

/// Values for merge fields: a card is read whole, and a template shows few of them.
const MAX_FIELDS: usize = 100;

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
    well_formed(malformed(&body))?;
    let mut errors: Vec<_> = known::owner(state, caller.tenant, body.owner.as_ref()).into_iter().collect();
    if body.country.as_deref().is_some_and(|code| !market::is_country(code)) {
        errors.push(wrong("/country", "must be an ISO 3166 code, such as IT"));
    }
    let fields = body.fields.unwrap_or_default();
    if fields.len() > MAX_FIELDS {
        errors.push(wrong("/fields", format!("may have {MAX_FIELDS} entries")));
    }
    if !errors.is_empty() {
        return Err(ApiError::fields(errors));
    }
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

/// What no schema allows.
fn malformed(body: &ContactBody) -> Vec<FieldError> {
    let lines = [
        ("/first_name", &body.first_name, PERSON_NAME_CHARS),
        ("/middle_name", &body.middle_name, PERSON_NAME_CHARS),
        ("/last_name", &body.last_name, PERSON_NAME_CHARS),
        ("/stage", &body.stage, WORD_CHARS),
        ("/external_id", &body.external_id, WORD_CHARS),
    ];
    let lines = lines.into_iter().filter_map(|(pointer, text, max)| {
        let detail = || format!("must have 1 to {max} characters on one line; null removes it");
        (!is_line(text.as_ref()?, max)).then(|| wrong(pointer, detail()))
    });
    let mut errors: Vec<_> = lines.collect();
    if body.email.as_deref().is_some_and(|email| !is_email(email)) {
        errors.push(wrong("/email", "must be an e-mail address such as anna@example.com; null removes it"));
    }
    if body.country.as_deref().is_some_and(|code| !is_capitals(code, 2)) {
        errors.push(wrong("/country", "must be an ISO 3166 code of two capital letters, such as IT"));
    }
    errors.extend(known::owner_shape(body.owner.as_ref()));
    errors.extend(known::vacancy(body.vacancy.as_ref()));
    errors.extend(
        body.fields.iter().flatten().filter_map(|(name, value)| malformed_field(name, value.as_ref())),
    );
    errors
}

fn malformed_field(name: &str, value: Option<&FieldValue>) -> Option<FieldError> {
    if !is_field_name(name) {
        let detail =
            "names have lower case letters, digits, `_` and, between them, `.` only, as merge fields do";
        return Some(wrong("/fields", format!("{name}: {detail}")));
    }
    let pointer = format!("/fields/{name}");
    let values = value?.values();
    if !(1..=FIELD_VALUES).contains(&values.len()) {
        let detail = format!("may have 1 to {FIELD_VALUES} values to choose from; null removes the field");
        return Some(wrong(&pointer, detail));
    }
    let too_long = values.iter().any(|value| !fits(value, VALUE_CHARS));
    too_long.then(|| wrong(&pointer, format!("may have {VALUE_CHARS} characters")))
}
