//! `GET` and `PUT /v1/contacts/{id}/consent`.

use actix_web::{HttpRequest, HttpResponse, get, put, web};
use protocol::api::Page;
use protocol::api::contact::{ConsentView, SetConsent};
use protocol::api::problem::Problem;
use protocol::command::{Action, ConsentRecord, ConsentSource};
use protocol::id::ContactId;
use protocol::limits::VALUE_CHARS;
use protocol::phone::ContactKey;
use protocol::text::fits;
use protocol::whatsapp::webhook::Names;
use store::records::{ConsentEntry, ContactRecord};

use crate::api::address;
use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::command::{self, now};
use crate::api::fresh;
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// The contact's consents, one for each channel that has one.
#[utoipa::path(
    tag = "contacts",
    params(("id" = ContactId, Path)),
    responses((status = 200, body = Page<ConsentView>), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[get("/contacts/{id}/consent")]
pub(crate) async fn get_consent(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<ContactId>,
) -> ApiResult<web::Json<Page<ConsentView>>> {
    caller.require(Scope::ContactsRead)?;
    fresh::contact(&state, *id).await;
    let row = fresh::found(&state, async || Ok(state.records.contact(caller.tenant, *id).await?)).await?;
    let row = row.ok_or_else(|| ApiError::not_found("contact"))?;
    Ok(web::Json(Page { data: views(&row), next: None }))
}

/// The consents of a contact as callers see them.
pub(super) fn views(row: &ContactRecord) -> Vec<ConsentView> {
    let view = |entry: &ConsentEntry| ConsentView {
        channel: entry.channel,
        consent: entry.record.consent,
        source: entry.record.source,
        text: entry.record.text.clone(),
        at: entry.record.at,
    };
    row.consents.iter().map(view).collect()
}

/// Records a consent. It holds on every number of the channel: the first conversation that applies it carries it
/// to the others.
#[utoipa::path(
    tag = "contacts",
    params(("id" = ContactId, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = SetConsent,
    responses(
        (status = 204, description = "Recorded"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[put("/contacts/{id}/consent")]
pub(crate) async fn set_consent(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<ContactId>,
    body: Body<SetConsent>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::ContactsWrite)?;
    if body.value.text.as_deref().is_some_and(|text| !fits(text, VALUE_CHARS)) {
        return Err(ApiError::malformed("/text", format!("may have {VALUE_CHARS} characters")));
    }
    let row = state.records.contact(caller.tenant, *id).await?;
    let row = row.ok_or_else(|| ApiError::not_found("contact"))?;
    let directory = state.directory.load_full();
    let number = directory
        .tenants
        .get(&caller.tenant)
        .and_then(|tenant| tenant.numbers.values().find(|number| number.channel == body.value.channel))
        .ok_or_else(|| ApiError::field("/channel", "the tenant has no number of this channel"))?;
    let bsuid = match &row.key {
        ContactKey::Bsuid(bsuid) => Some(bsuid.clone()),
        ContactKey::Phone(_) => row.bsuid.clone(),
    };
    let names = Names { phone: row.phone, bsuid };
    let place = address::of(&state, number, &names).await?;
    let record = ConsentRecord {
        consent: body.value.consent,
        source: ConsentSource::Recorded,
        text: body.value.text,
        by: caller.party(),
        at: now(),
    };
    command::run(&state, &caller, &request, (place, body.fingerprint), Action::SetConsent(record)).await?;
    Ok(HttpResponse::NoContent().finish())
}
