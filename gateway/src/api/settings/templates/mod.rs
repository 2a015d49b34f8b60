//! `/v1/templates`: approved ones (the provider's review) and custom ones (ready-made text).

pub(crate) mod change;
pub(crate) mod create;
pub(crate) mod preview;
pub(crate) mod same;
pub(crate) mod sync;

use std::collections::{BTreeMap, HashMap};

use actix_web::{HttpResponse, get, web};
use compact_str::CompactString;
use domain::limits::CUSTOM_BODY_CHARS;
use domain::template;
use protocol::api::Page;
use protocol::api::problem::{FieldError, Problem};
use protocol::api::template::{PendingTask, TemplateView};
use protocol::directory::{Task, TaskKind, Template};
use protocol::id::TemplateId;
use protocol::text::fits;
use protocol::time::TimestampMs;
use runtime::consumers::last_used;
use store::records::DocumentKind;

use super::document::{self, Versioned, answer};
use crate::api::auth::{Caller, Scope};
use crate::api::known::wrong;
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// When templates were last used.
type LastUsed = HashMap<TemplateId, TimestampMs>;

fn view(stored: Template, used: &LastUsed) -> TemplateView {
    let texts = |(name, field): (CompactString, CompactString)| (name.to_string(), field.to_string());
    TemplateView {
        parameters: template::expected(&stored).iter().map(ToString::to_string).collect(),
        id: stored.id,
        name: stored.name.to_string(),
        kind: stored.kind,
        language: stored.language.to_string(),
        category: stored.category,
        record_type: stored.record_type,
        body: stored.body,
        examples: stored.examples,
        merge: stored.merge.into_iter().map(texts).collect(),
        status: stored.status,
        reason: stored.reason,
        quality: stored.quality.map(|score| score.to_string()),
        provider_id: stored.provider_id.map(|id| id.to_string()),
        last_used_at: used.get(&stored.id).copied(),
        pending: stored.review.task.map(pending),
    }
}

/// Which merge field fills which parameter, as it is stored.
fn merge_map(fields: BTreeMap<String, String>) -> BTreeMap<CompactString, CompactString> {
    fields.into_iter().map(|(parameter, field)| (parameter.into(), field.into())).collect()
}

fn pending(task: Task) -> PendingTask {
    let action = match task.kind {
        TaskKind::Create => "create",
        TaskKind::Edit(_) => "edit",
        TaskKind::Delete(_) => "delete",
        TaskKind::Unpause => "unpause",
    };
    PendingTask {
        action: action.to_owned(),
        attempts: task.attempts,
        next_attempt_at: (task.attempts > 0).then_some(task.not_before),
        error: task.error,
    }
}

/// What no schema allows of a template's text.
fn body_shape(body: &str) -> Option<FieldError> {
    let fits = !body.is_empty() && fits(body, CUSTOM_BODY_CHARS);
    (!fits).then(|| wrong("/body", format!("must have 1 to {CUSTOM_BODY_CHARS} characters")))
}

fn refused(found: Vec<template::Problem>) -> ApiError {
    let errors = found.into_iter().map(|p| FieldError { pointer: p.pointer.to_owned(), detail: p.detail });
    ApiError::fields(errors.collect())
}

/// A template that people see. What the provider has said meanwhile counts for later calls too.
async fn read(state: &AppState, caller: &Caller, id: TemplateId) -> ApiResult<Versioned<Template>> {
    let found = document::read::<Template>(state, caller, DocumentKind::Template, id.to_string()).await?;
    state.keeper.refresh().await?;
    if found.value.is_there() { Ok(found) } else { Err(ApiError::not_found("template")) }
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
    let used = last_used(&*state.records, caller.tenant).await?;
    state.keeper.refresh().await?;
    let data = templates.into_iter().filter(Template::is_there).map(|found| view(found, &used)).collect();
    Ok(web::Json(Page { data, next: None }))
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
    let Versioned { value, version } = read(&state, &caller, *id).await?;
    let used = last_used(&*state.records, caller.tenant).await?;
    Ok(answer(version, &view(value, &used)))
}
