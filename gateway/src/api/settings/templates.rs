//! `/v1/templates`: approved ones (the provider's review) and custom ones (ready-made text).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, put, web};
use domain::template;
use protocol::api::Page;
use protocol::api::account::{ChangeTemplate, NewTemplate, TemplateView};
use protocol::api::problem::{FieldError, Problem};
use protocol::content::Category;
use protocol::directory::{Template, TemplateKind, TemplateStatus};
use protocol::id::TemplateId;
use store::records::{DocumentKind, Expect};

use super::document::{self, Versioned, answer};
use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::idempotency::{Answer, once};
use crate::api::problem::{ApiError, ApiResult};
use crate::ids;
use crate::state::AppState;

/// Templates of a tenant at most, both kinds together (domain D13).
const MAX_TEMPLATES: usize = 100;

fn view(stored: Template) -> TemplateView {
    TemplateView {
        parameters: template::expected(&stored).iter().map(ToString::to_string).collect(),
        id: stored.id,
        name: stored.name.to_string(),
        kind: stored.kind,
        language: stored.language.to_string(),
        category: stored.category,
        record_type: stored.record_type,
        body: stored.body,
        status: stored.status,
        reason: stored.reason,
        quality: stored.quality.map(|score| score.to_string()),
    }
}

fn problems(found: Vec<template::Problem>) -> ApiResult<()> {
    if found.is_empty() {
        return Ok(());
    }
    let errors = found.into_iter().map(|p| FieldError { pointer: p.pointer.to_owned(), detail: p.detail });
    Err(ApiError::fields(errors.collect()))
}

fn new_template(caller: &Caller, body: NewTemplate) -> ApiResult<Template> {
    let category = match (body.kind, body.category) {
        (_, Some(category)) => category,
        (TemplateKind::Custom, None) => Category::Service,
        (TemplateKind::Approved, None) => {
            return Err(ApiError::field("/category", "is required: marketing, utility or authentication"));
        }
    };
    // An approved template waits for the provider's word; ours may be used at once.
    let status = match body.kind {
        TemplateKind::Approved => TemplateStatus::Pending,
        TemplateKind::Custom => TemplateStatus::Approved,
    };
    let template = Template {
        id: ids::template(caller.tenant, &body.name, &body.language),
        tenant: caller.tenant,
        name: body.name.into(),
        kind: body.kind,
        language: body.language.into(),
        category,
        record_type: body.record_type,
        body: body.body,
        status,
        reason: None,
        quality: None,
        provider_id: None,
    };
    problems(template::check(&template))?;
    Ok(template)
}

/// The templates of the tenant.
#[utoipa::path(tag = "settings", responses((status = 200, body = Page<TemplateView>)))]
#[get("/templates")]
pub(crate) async fn list_templates(
    state: web::Data<AppState>,
    caller: Caller,
) -> ApiResult<web::Json<Page<TemplateView>>> {
    caller.require(Scope::SettingsRead)?;
    let templates = document::read_all::<Template>(&state, &caller, DocumentKind::Template).await?;
    Ok(web::Json(Page { data: templates.into_iter().map(view).collect(), next: None }))
}

/// One template.
#[utoipa::path(
    tag = "settings",
    params(("id" = TemplateId, Path)),
    responses((status = 200, body = TemplateView), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[get("/templates/{id}")]
pub(crate) async fn get_template(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<TemplateId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsRead)?;
    let Versioned { value, version } =
        document::read::<Template>(&state, &caller, DocumentKind::Template, id.to_string()).await?;
    Ok(answer(version, &view(value)))
}

/// Adds a template. An approved one is `pending` until the provider's webhook says otherwise.
#[utoipa::path(
    tag = "settings",
    request_body = NewTemplate,
    responses(
        (status = 201, body = TemplateView),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/templates")]
pub(crate) async fn create_template(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    body: Body<NewTemplate>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsWrite)?;
    let template = new_template(&caller, body.value)?;
    let known = state.records.documents(DocumentKind::Template, Some(caller.tenant)).await?.len();
    if known >= MAX_TEMPLATES {
        return Err(ApiError::field(
            "/name",
            format!("the tenant has {MAX_TEMPLATES} templates already; delete one"),
        ));
    }
    once(&state, &caller, &request, body.fingerprint, || async {
        let place = (DocumentKind::Template, template.id.to_string().into());
        let version = document::write(&state, &caller, place, Expect::Absent, Some(&template)).await?;
        Answer::json(StatusCode::CREATED, Some(version), &view(template))
    })
    .await
}

/// Changes the text of a template. An approved one goes through the provider's review again.
#[utoipa::path(
    tag = "settings",
    params(("id" = TemplateId, Path), ("If-Match" = Option<String>, Header)),
    request_body = ChangeTemplate,
    responses(
        (status = 200, body = TemplateView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 412, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[put("/templates/{id}")]
pub(crate) async fn change_template(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<TemplateId>,
    body: Body<ChangeTemplate>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsWrite)?;
    let before =
        document::read::<Template>(&state, &caller, DocumentKind::Template, id.to_string()).await?.value;
    let mut after = Template { body: body.value.body, ..before.clone() };
    if after.kind == TemplateKind::Approved && after.body != before.body {
        after.status = TemplateStatus::Pending;
        after.reason = None;
    }
    problems(template::check_change(&before, &after))?;
    let place = (DocumentKind::Template, id.to_string().into());
    let version = document::write(&state, &caller, place, document::expect(&request)?, Some(&after)).await?;
    Ok(answer(version, &view(after)))
}

/// Removes a template.
#[utoipa::path(
    tag = "settings",
    params(("id" = TemplateId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204, description = "Gone"), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[delete("/templates/{id}")]
pub(crate) async fn delete_template(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<TemplateId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsWrite)?;
    document::read::<Template>(&state, &caller, DocumentKind::Template, id.to_string()).await?;
    let place = (DocumentKind::Template, id.to_string().into());
    document::write::<Template>(&state, &caller, place, document::expect(&request)?, None).await?;
    Ok(HttpResponse::NoContent().finish())
}
