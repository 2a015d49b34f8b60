//! `/v1/flows`: application flows. A change makes a new version; running applications finish on theirs.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, get, put, web};
use protocol::api::Page;
use protocol::api::account::FlowBody;
use protocol::api::problem::{FieldError, Problem};
use protocol::directory::{Flow, StepKind};
use protocol::id::FlowId;
use store::records::{DocumentKind, Expect};

use super::document;
use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// Steps of a flow at most: nobody answers more questions in a chat.
const MAX_STEPS: usize = 100;
/// Options of a choice at most: a provider list has ten rows.
const MAX_OPTIONS: usize = 10;

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

fn check(body: &FlowBody) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut wrong =
        |pointer: String, detail: &str| errors.push(FieldError { pointer, detail: detail.to_owned() });
    let id_fits =
        (4..=32).contains(&body.id.len()) && body.id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !id_fits || !body.id.bytes().any(|byte| byte.is_ascii_digit()) {
        wrong(
            "/id".to_owned(),
            "must have 4 to 32 ASCII letters and digits, at least one digit, such as TEST0001",
        );
    }
    if body.steps.is_empty() || body.steps.len() > MAX_STEPS {
        wrong("/steps".to_owned(), "must have 1 to 100 steps");
    }
    let keys: BTreeSet<&str> = body.steps.iter().map(|step| step.key.as_str()).collect();
    let mut seen = BTreeSet::new();
    for (index, step) in body.steps.iter().enumerate() {
        if step.key.is_empty() || !seen.insert(step.key.as_str()) {
            wrong(format!("/steps/{index}/key"), "must be unique within the flow and not empty");
        }
        if step.ask.trim().is_empty() {
            wrong(format!("/steps/{index}/ask"), "must not be empty");
        }
        if step.kind == StepKind::Choice && !(1..=MAX_OPTIONS).contains(&step.options.len()) {
            wrong(format!("/steps/{index}/options"), "a choice needs 1 to 10 options");
        }
        for (answer, target) in &step.branches {
            if target != "end" && !keys.contains(target.as_str()) {
                wrong(format!("/steps/{index}/branches/{answer}"), "must name a step of this flow, or `end`");
            }
        }
    }
    errors
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
    let mut errors = check(&body);
    if !body.id.eq_ignore_ascii_case(&id) {
        errors.push(FieldError {
            pointer: "/id".to_owned(),
            detail: "must be the id in the address".to_owned(),
        });
    }
    if !errors.is_empty() {
        return Err(ApiError::fields(errors));
    }
    let id = FlowId::new(id.to_uppercase());
    let directory = state.directory.load_full();
    let newest = directory.tenants.get(&caller.tenant).and_then(|tenant| tenant.newest_flow(&id).cloned());
    let version = newest.as_ref().map_or(1, |flow| flow.version + 1);
    let flow = flow(&caller, id, version, body);
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
