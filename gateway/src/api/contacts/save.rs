//! `POST /v1/contacts` and `PATCH /v1/contacts/{id}`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, patch, post, web};
use domain::market::dial;
use protocol::api::contact::{ContactBody, ContactDetail};
use protocol::api::problem::Problem;
use protocol::command::{Action, Owner, Vacancy};
use protocol::entry::Address;
use protocol::id::{Bsuid, ContactId};
use protocol::phone::ContactKey;
use protocol::text::is_bsuid;
use serde_json::Value;
use store::records::{Change, ContactCard, Expect, Filter, PageRequest, RecordsError};

use super::card::{self, Known};
use crate::api::auth::{Caller, Scope};
use crate::api::body::{Body, shaped};
use crate::api::command::{self, now};
use crate::api::idempotency::{Answer, once};
use crate::api::problem::{ApiError, ApiResult};
use crate::api::settings::document::{answer, expect};
use crate::state::AppState;

/// Conversations with one contact: as many as the tenant has numbers, and a tenant has few.
const MAX_CONVERSATIONS: usize = 200;

/// Adds a contact. Somebody who has written already gets a card; whoever has a card is changed with `PATCH`.
/// Conversations that begin later get owner and vacancy of the card. When it turns out that somebody who writes by a user
/// id has the phone number of a card, the card moves to that contact, and has its id from then on.
#[utoipa::path(
    tag = "contacts",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = ContactBody,
    responses(
        (status = 201, body = ContactDetail),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/contacts")]
pub(crate) async fn create_contact(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    body: Body<ContactBody>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::ContactsWrite)?;
    let key = key(&body.value)?;
    let wanted = card::card(&state, &caller, body.value)?;
    once(&state, &caller, &request, body.fingerprint, || async {
        let (id, key) = place(&state, &caller, key).await?;
        let given = (wanted.owner.clone().map(Some), wanted.vacancy.clone().map(Some));
        let wanted = ContactCard { key: Some(key), ..wanted };
        let saved = save(&state, &caller, (id, wanted), Expect::Absent).await;
        let version = saved.map_err(|error| match error {
            RecordsError::Conflict { .. } => ApiError::new(
                StatusCode::CONFLICT,
                "already_exists",
                "Already exists",
                format!("the contact has a card already; change it with PATCH /v1/contacts/{id}"),
            ),
            other => other.into(),
        })?;
        hand_on(&state, &caller, id, given).await?;
        let Known { row, card, .. } = card::read(&state, &caller, id).await?;
        Answer::json(StatusCode::CREATED, Some(version), &card::view(&row, card))
    })
    .await
}

/// Changes a contact's card: what is left out stays, `null` removes.
#[utoipa::path(
    tag = "contacts",
    params(("id" = ContactId, Path), ("If-Match" = Option<String>, Header)),
    request_body = ContactBody,
    responses(
        (status = 200, body = ContactDetail),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 412, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[patch("/contacts/{id}")]
pub(crate) async fn change_contact(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<ContactId>,
    body: Body<Value>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::ContactsWrite)?;
    // Read once as it is: mistakes are named before anything is merged.
    shaped::<ContactBody>(body.value.clone())?;
    let Known { row, version, card: known } = card::read(&state, &caller, *id).await?;
    let before = card::body(&row, known.clone());
    let wanted: ContactBody = shaped(merged(&before, body.value.clone())?)?;
    if (&wanted.phone, &wanted.bsuid) != (&before.phone, &before.bsuid) {
        let detail = "cannot be changed: it is what the contact is known by; add another contact";
        let pointer = if wanted.phone == before.phone { "/bsuid" } else { "/phone" };
        return Err(ApiError::field(pointer, detail));
    }
    let wanted = ContactCard { key: known.key, ..card::card(&state, &caller, wanted)? };
    let given = (
        body.value.get("owner").map(|_| wanted.owner.clone()),
        body.value.get("vacancy").map(|_| wanted.vacancy.clone()),
    );
    // A version that was not named is the one that the change was merged into.
    let expect = match expect(&request)? {
        Expect::Version(0) => Expect::Absent,
        Expect::Any if version == 0 => Expect::Absent,
        Expect::Any => Expect::Version(version),
        named => named,
    };
    let version = save(&state, &caller, (*id, wanted), expect).await?;
    hand_on(&state, &caller, *id, given).await?;
    let Known { row, card, .. } = card::read(&state, &caller, *id).await?;
    Ok(answer(version, &card::view(&row, card)))
}

/// What a new contact is known by.
fn key(body: &ContactBody) -> ApiResult<ContactKey> {
    match (&body.phone, &body.bsuid) {
        (Some(phone), None) => {
            let phone = dial::read(phone, body.country.as_deref());
            phone.map(ContactKey::Phone).map_err(|error| ApiError::field("/phone", error.to_string()))
        }
        (None, Some(bsuid)) => {
            if !is_bsuid(bsuid) {
                return Err(ApiError::malformed(
                    "/bsuid",
                    "must be an id by WhatsApp, such as IT.13491208655302741918",
                ));
            }
            Ok(ContactKey::Bsuid(Bsuid::new(bsuid)))
        }
        _ => Err(ApiError::field("/phone", "give either `phone` or `bsuid`")),
    }
}

/// A person with this number may be known already by another name.
async fn place(state: &AppState, caller: &Caller, key: ContactKey) -> ApiResult<(ContactId, ContactKey)> {
    let mut known = None;
    for phone in key.phone().into_iter().flat_map(|phone| [Some(phone), dial::other_writing(phone)]).flatten()
    {
        if known.is_none() {
            known = state.records.contact_by_phone(caller.tenant, phone).await?;
        }
    }
    Ok(known.map_or_else(|| (key.contact_id(caller.tenant), key.clone()), |row| (row.id, row.key)))
}

async fn save(
    state: &AppState,
    caller: &Caller,
    (id, card): (ContactId, ContactCard),
    expect: Expect,
) -> Result<u64, RecordsError> {
    let change = Change { by: caller.party(), at: now() };
    let saved = state.records.save_contact(change, caller.tenant, (id, card), expect).await?;
    Ok(saved.version)
}

/// The body after a change.
fn merged(before: &ContactBody, change: Value) -> ApiResult<Value> {
    let mut whole = serde_json::to_value(before).map_err(|error| {
        tracing::error!(%error, "a contact could not be written as JSON");
        ApiError::unavailable("the contact could not be read")
    })?;
    merge(&mut whole, change);
    Ok(whole)
}

/// Values are replaced whole; only merge fields are changed one by one.
fn merge(into: &mut Value, change: Value) {
    let (Value::Object(into), Value::Object(change)) = (into, change) else { return };
    for (name, value) in change {
        match (into.get_mut(&name), value) {
            (Some(Value::Object(fields)), Value::Object(change)) if name == "fields" => fields.extend(change),
            (_, value) => drop(into.insert(name, value)),
        }
    }
}

/// What the record says about owner and vacancy holds in the conversations that exist. `None` was not asked for.
async fn hand_on(
    state: &AppState,
    caller: &Caller,
    id: ContactId,
    (owner, vacancy): (Option<Option<Owner>>, Option<Option<Vacancy>>),
) -> ApiResult<()> {
    let actions: Vec<_> =
        owner.map(Action::Assign).into_iter().chain(vacancy.map(Action::SetVacancy)).collect();
    if actions.is_empty() {
        return Ok(());
    }
    let page = PageRequest::first(MAX_CONVERSATIONS);
    let found = state.records.conversations(caller.tenant, Filter::Contact(id), page).await?;
    for row in found.data {
        let address: Address = command::address(state, caller, row.id).await?;
        for action in &actions {
            command::follow_up(state, caller, address.clone(), action.clone()).await?;
        }
    }
    Ok(())
}
