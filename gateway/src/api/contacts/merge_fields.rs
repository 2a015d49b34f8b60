//! `GET /v1/contacts/{id}/merge-fields`.

use actix_web::{get, web};
use protocol::api::contact::MergeFieldsView;
use protocol::api::problem::Problem;
use protocol::id::ContactId;

use super::card;
use crate::api::auth::{Caller, Scope};
use crate::api::merge::known;
use crate::api::problem::ApiResult;
use crate::state::AppState;

/// Every merge field that has a value for a contact, for completion while somebody types.
#[utoipa::path(
    tag = "contacts",
    params(("id" = ContactId, Path)),
    responses((status = 200, body = MergeFieldsView), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[get("/contacts/{id}/merge-fields")]
pub(crate) async fn list_merge_fields(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<ContactId>,
) -> ApiResult<web::Json<MergeFieldsView>> {
    caller.require(Scope::ContactsRead)?;
    let contact = card::read(&state, &caller, *id).await?.row.id;
    let known = known(&state, &caller, Some(contact)).await?;
    let fields = known.into_iter().map(|(name, values)| (name.to_string(), values)).collect();
    Ok(web::Json(MergeFieldsView { fields }))
}
