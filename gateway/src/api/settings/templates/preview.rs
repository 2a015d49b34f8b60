//! `POST /v1/templates/{id}/preview`.

use actix_web::{post, web};
use domain::limits::CUSTOM_BODY_CHARS;
use domain::template::{Body as Wording, merge};
use protocol::api::problem::Problem;
use protocol::api::template::{PreviewBody, PreviewView};
use protocol::id::{ContactId, TemplateId};

use super::read;
use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::command;
use crate::api::merge::{contact_of, known};
use crate::api::messages::given;
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// What a template would say to a contact, and what is missing or has to be chosen. Sends nothing.
#[utoipa::path(
    tag = "settings",
    params(("id" = TemplateId, Path)),
    request_body = PreviewBody,
    responses(
        (status = 200, body = PreviewView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/templates/{id}/preview")]
pub(crate) async fn preview_template(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<TemplateId>,
    body: Body<PreviewBody>,
) -> ApiResult<web::Json<PreviewView>> {
    caller.require(Scope::ContactsRead)?;
    let long = body.value.merge.iter().find(|(_, value)| value.chars().count() > CUSTOM_BODY_CHARS);
    if let Some((name, _)) = long {
        let detail = format!("may have {CUSTOM_BODY_CHARS} characters");
        return Err(ApiError::malformed(format!("/merge/{name}"), detail));
    }
    let template = read(&state, &caller, *id).await?.value;
    let contact = contact(&state, &caller, &body.value).await?;
    let known = known(&state, &caller, contact).await?;
    let resolved = merge::resolve(&template, &given(Some(&body.value.merge)), &known);
    let values = resolved.values.iter().filter_map(|value| Some((value.name.clone()?, value.text.clone())));
    let values: std::collections::BTreeMap<_, _> = values.collect();
    let texts = |names: &[compact_str::CompactString]| names.iter().map(ToString::to_string).collect();
    Ok(web::Json(PreviewView {
        text: Wording::parse(&template.body).render(|name| values.get(name).cloned()),
        missing: texts(&resolved.missing),
        unknown: texts(&resolved.unknown),
        complete: resolved.is_complete(),
        choices: resolved.choices.into_iter().map(|(name, values)| (name.to_string(), values)).collect(),
        values: values.into_iter().map(|(name, text)| (name.to_string(), text)).collect(),
    }))
}

/// Whose record is meant; without one only the tenant and whoever asks are known.
async fn contact(state: &AppState, caller: &Caller, body: &PreviewBody) -> ApiResult<Option<ContactId>> {
    match (body.contact_id, body.conversation_id) {
        (Some(_), Some(_)) => {
            Err(ApiError::field("/conversation_id", "give either `contact_id` or `conversation_id`"))
        }
        (Some(id), None) => match state.records.contact(caller.tenant, id).await? {
            Some(row) => Ok(Some(row.id)),
            None => Err(ApiError::field("/contact_id", "is not a contact of this tenant")),
        },
        (None, Some(id)) => {
            let wrong = |_| ApiError::field("/conversation_id", "is not a conversation of this tenant");
            let address = command::address(state, caller, id).await.map_err(wrong)?;
            contact_of(state, &address).await
        }
        (None, None) => Ok(None),
    }
}
