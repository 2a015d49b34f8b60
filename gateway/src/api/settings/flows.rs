//! `/v1/flows`: application flows. A change makes a new version; running applications finish on theirs.

use actix_web::{HttpResponse, get, put, web};
use protocol::api::Page;
use protocol::api::account::FlowBody;
use protocol::api::problem::{FieldError, Problem};
use protocol::directory::Flow;
use protocol::id::FlowId;
use store::records::{DocumentKind, Expect};

use super::document;
use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

fn view(flow: &Flow) -> FlowBody {
    FlowBody {
        id: flow.id.to_string(),
        language: flow.language.to_string(),
        vacancy: flow.vacancy.clone(),
        steps: flow.steps.clone(),
        completion: flow.completion.clone(),
        reminder_after_seconds: flow.reminder_after_seconds,
        reminder: flow.reminder.clone(),
        version: flow.version,
    }
}

/// The flows of the tenant, each in its newest version.
#[utoipa::path(tag = "settings", responses((status = 200, body = Page<FlowBody>)))]
#[get("/flows")]
pub(crate) async fn list_flows(
    state: web::Data<AppState>,
    caller: Caller,
) -> ApiResult<web::Json<Page<FlowBody>>> {
    caller.require(Scope::SettingsRead)?;
    let directory = state.directory.load();
    let newest = directory.tenants.get(&caller.tenant).into_iter().flat_map(|tenant| {
        tenant.flows.values().filter_map(|versions| versions.last_key_value()).map(|(_, flow)| view(flow))
    });
    Ok(web::Json(Page { data: newest.collect(), next: None }))
}

/// One flow in its newest version.
#[utoipa::path(
    tag = "settings",
    params(("id" = String, Path)),
    responses((status = 200, body = FlowBody), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[get("/flows/{id}")]
pub(crate) async fn get_flow(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<String>,
) -> ApiResult<web::Json<FlowBody>> {
    caller.require(Scope::SettingsRead)?;
    let directory = state.directory.load();
    let flow = directory
        .tenants
        .get(&caller.tenant)
        .and_then(|tenant| tenant.newest_flow(&FlowId::new(id.to_uppercase())))
        .ok_or_else(|| ApiError::not_found("flow"))?;
    Ok(web::Json(view(flow)))
}

/// Adds a flow, or its next version. The same flow again changes nothing.
#[utoipa::path(
    tag = "settings",
    params(("id" = String, Path)),
    request_body = FlowBody,
    responses((status = 200, body = FlowBody), (status = 422, body = Problem, content_type = "application/problem+json"))
)]
#[put("/flows/{id}")]
pub(crate) async fn put_flow(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<String>,
    body: Body<FlowBody>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsWrite)?;
    let body = body.value;
    if !body.id.eq_ignore_ascii_case(&id) {
        return Err(ApiError::field("/id", "must be the id in the address"));
    }
    let id = FlowId::new(id.to_uppercase());
    let directory = state.directory.load_full();
    let newest = directory.tenants.get(&caller.tenant).and_then(|tenant| tenant.newest_flow(&id).cloned());
    let version = newest.as_ref().map_or(1, |flow| flow.version + 1);
    let flow = flow(&caller, id, version, body);
    let wrong = domain::flow::check(&flow);
    if !wrong.is_empty() {
        let errors = wrong.into_iter().map(|p| FieldError { pointer: p.pointer, detail: p.detail });
        return Err(ApiError::fields(errors.collect()));
    }
    if let Some(newest) = newest
        && (Flow { version: newest.version, ..flow.clone() }) == *newest
    {
        return Ok(HttpResponse::Ok().json(view(&newest)));
    }
    let place = (DocumentKind::Flow, format!("{}@{version}", flow.id).into());
    document::write(&state, &caller, place, Expect::Absent, Some(&flow)).await?;
    Ok(HttpResponse::Ok().json(view(&flow)))
}

fn flow(caller: &Caller, id: FlowId, version: u32, body: FlowBody) -> Flow {
    Flow {
        id,
        tenant: caller.tenant,
        version,
        language: body.language.into(),
        vacancy: body.vacancy,
        steps: body.steps,
        completion: body.completion,
        reminder_after_seconds: body.reminder_after_seconds,
        reminder: body.reminder,
    }
}
