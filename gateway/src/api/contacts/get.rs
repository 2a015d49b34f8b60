//! `GET /v1/contacts` and `GET /v1/contacts/{id}`.

use actix_web::{HttpResponse, get, web};
use protocol::api::Page;
use protocol::api::contact::{ContactDetail, ContactView};
use protocol::api::problem::Problem;
use protocol::content::Channel;
use protocol::id::ContactId;
use serde::Deserialize;
use utoipa::IntoParams;

use super::card::{self, Known};
use crate::api::auth::{Caller, Scope};
use crate::api::page::{Paging, page};
use crate::api::problem::ApiResult;
use crate::api::query::Query;
use crate::api::settings::document::answer;
use crate::api::views;
use crate::state::AppState;

/// Query of the list of contacts.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactQuery {
    /// Entries at most, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Words of the name by prefix in any order, or digits of the phone number.
    q: Option<String>,
}

/// The people that the tenant talks with, newest first.
#[utoipa::path(tag = "contacts", params(ContactQuery), responses((status = 200, body = Page<ContactView>)))]
#[get("/contacts")]
pub(crate) async fn list_contacts(
    state: web::Data<AppState>,
    caller: Caller,
    query: Query<ContactQuery>,
) -> ApiResult<web::Json<Page<ContactView>>> {
    caller.require(Scope::ContactsRead)?;
    let paging = Paging { limit: query.limit, cursor: query.cursor.clone() }.request()?;
    let search = query.q.clone().filter(|text| !text.trim().is_empty());
    let rows = state.records.contacts(caller.tenant, search, paging).await?;
    Ok(web::Json(page(rows, |row| views::contact(&row, Channel::Whatsapp))))
}

/// One contact, with the tenant's card.
#[utoipa::path(
    tag = "contacts",
    params(("id" = ContactId, Path)),
    responses((status = 200, body = ContactDetail), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[get("/contacts/{id}")]
pub(crate) async fn get_contact(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<ContactId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::ContactsRead)?;
    let Known { row, version, card } = card::read(&state, &caller, *id).await?;
    Ok(answer(version, &card::view(&row, card)))
}
