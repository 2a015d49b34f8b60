//! `/v1/numbers`: business numbers. They are added with an apply file, since that carries their credentials.

use actix_web::{HttpRequest, HttpResponse, get, patch, web};
use protocol::api::Page;
use protocol::api::account::{ChangeNumber, NumberView};
use protocol::api::problem::Problem;
use protocol::directory::Number;
use protocol::id::NumberId;
use protocol::limits::NAME_CHARS;
use store::records::DocumentKind;

use super::document::{self, Versioned, answer};
use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::known::{line, well_formed};
use crate::api::problem::ApiResult;
use crate::state::AppState;

fn view(state: &AppState, number: Number) -> NumberView {
    // As this node knows it: sends go by that.
    let directory = state.directory.load();
    let held = directory.number(number.tenant, number.id);
    NumberView {
        paused: held.as_ref().is_some_and(|(tenant, _)| tenant.is_paused(number.id)),
        ready: held.is_some_and(|(_, held)| held.introduced),
        id: number.id,
        nickname: number.nickname.to_string(),
        channel: number.channel,
        phone: number.phone.to_string(),
        enabled: number.enabled,
        throughput_per_second: number.throughput_per_second,
        assign_unknown_to: number.unknown_sender.assign,
    }
}

/// The numbers of the tenant.
#[utoipa::path(tag = "settings", responses((status = 200, body = Page<NumberView>)))]
#[get("/numbers")]
pub(crate) async fn list_numbers(
    state: web::Data<AppState>,
    caller: Caller,
) -> ApiResult<web::Json<Page<NumberView>>> {
    caller.require(Scope::SettingsRead)?;
    let numbers = document::read_all::<Number>(&state, &caller, DocumentKind::Number).await?;
    Ok(web::Json(Page { data: numbers.into_iter().map(|number| view(&state, number)).collect(), next: None }))
}

/// One number.
#[utoipa::path(
    tag = "settings",
    params(("id" = NumberId, Path)),
    responses((status = 200, body = NumberView), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[get("/numbers/{id}")]
pub(crate) async fn get_number(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<NumberId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsRead)?;
    let Versioned { value, version } =
        document::read::<Number>(&state, &caller, DocumentKind::Number, id.to_string()).await?;
    Ok(answer(version, &view(&state, value)))
}

/// Renames a number, or switches its sending on and off. Its history stays.
#[utoipa::path(
    tag = "settings",
    params(("id" = NumberId, Path), ("If-Match" = Option<String>, Header)),
    request_body = ChangeNumber,
    responses(
        (status = 200, body = NumberView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 412, body = Problem, content_type = "application/problem+json"),
    )
)]
#[patch("/numbers/{id}")]
pub(crate) async fn change_number(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<NumberId>,
    body: Body<ChangeNumber>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsWrite)?;
    let mut number =
        document::read::<Number>(&state, &caller, DocumentKind::Number, id.to_string()).await?.value;
    if let Some(nickname) = body.value.nickname {
        well_formed(line("/nickname", &nickname, NAME_CHARS))?;
        number.nickname = nickname.into();
    }
    if let Some(enabled) = body.value.enabled {
        number.enabled = enabled;
    }
    let place = (DocumentKind::Number, id.to_string().into());
    let version = document::write(&state, &caller, place, document::expect(&request)?, Some(&number)).await?;
    Ok(answer(version, &view(&state, number)))
}
