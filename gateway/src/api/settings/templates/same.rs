//! `POST /v1/templates/match`.

use actix_web::{post, web};
use domain::template::same_wording;
use protocol::api::message::{ParameterBody, TemplateBody};
use protocol::api::problem::Problem;
use protocol::api::template::{MatchBody, MatchView};
use protocol::text::fits;
use protocol::whatsapp::limits::MAX_TEXT;

use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::known;
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// The approved template with the same wording as a text, with the values that make it so: what a send with `approval`
/// would use outside the window. Sends nothing.
#[utoipa::path(
    tag = "settings",
    request_body = MatchBody,
    responses(
        (status = 200, body = MatchView),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/templates/match")]
pub(crate) async fn match_template(
    state: web::Data<AppState>,
    caller: Caller,
    body: Body<MatchBody>,
) -> ApiResult<web::Json<MatchView>> {
    caller.require(Scope::SettingsRead)?;
    if !fits(&body.value.text, MAX_TEXT) {
        return Err(ApiError::malformed("/text", format!("may have {MAX_TEXT} characters")));
    }
    let tenant = known::tenant(&state, &caller)?;
    let account = match body.value.number_id {
        Some(id) => match tenant.numbers.get(&id) {
            Some(number) => number.waba_id.as_ref(),
            None => return Err(ApiError::field("/number_id", "is not a number of this tenant")),
        },
        None => None,
    };
    let found = same_wording(&tenant, account, &body.value.text).map(|(template, values)| TemplateBody {
        name: template.name.to_string(),
        language: template.language.to_string(),
        parameters: values
            .into_iter()
            .map(|value| match value.name {
                Some(name) => ParameterBody::Named { name: name.into(), text: value.text },
                None => ParameterBody::Positional(value.text),
            })
            .collect(),
        merge: None,
    });
    Ok(web::Json(MatchView { template: found }))
}
