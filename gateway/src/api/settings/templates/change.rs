//! `PUT` and `DELETE /v1/templates/{id}`, and `POST /v1/templates/{id}/unpause`.

use actix_web::{HttpRequest, HttpResponse, delete, post, put, web};
use compact_str::CompactString;
use domain::template::{self, Deletion};
use protocol::api::problem::Problem;
use protocol::api::template::{ChangeTemplate, TemplateView};
use protocol::directory::Template;
use protocol::id::TemplateId;
use runtime::consumers::last_used;
use store::records::{DocumentKind, Expect};

use super::{body_shape, merge_map, read, refused, view};
use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::command::now;
use crate::api::known::well_formed;
use crate::api::problem::{ApiError, ApiResult};
use crate::api::settings::document::{self, Versioned, answer, expect};
use crate::state::AppState;

/// Changes a template. An approved one goes through the provider's review again, and cannot be sent meanwhile.
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
    let expect = expect(&request)?;
    well_formed(body_shape(&body.value.body))?;
    let Versioned { value: before, version } = read(&state, &caller, *id).await?;
    if matches!(expect, Expect::Version(expected) if expected != version) {
        return Err(ApiError::changed("the template has another version"));
    }
    let after = template::edit(&before, wanted(&before, body.value), now()).map_err(refused)?;
    // The rules were asked about the version that was read.
    let expect = Expect::Version(version);
    let version = document::write(&state, &caller, place(*id), expect, Some(&after)).await?;
    let used = last_used(&*state.records, caller.tenant).await?;
    Ok(answer(version, &view(after, &used)))
}

fn place(id: TemplateId) -> (DocumentKind, CompactString) {
    (DocumentKind::Template, id.to_string().into())
}

/// The template as asked for. Samples and merge fields of parameters that are gone go with them.
fn wanted(before: &Template, body: ChangeTemplate) -> Template {
    let mut after = Template {
        body: body.body,
        category: body.category.unwrap_or(before.category),
        kind: body.kind.unwrap_or(before.kind),
        record_type: body.record_type.unwrap_or(before.record_type),
        ..before.clone()
    };
    let expected = template::expected(&after);
    match body.examples {
        Some(examples) => after.examples = examples,
        None if expected != template::expected(before) => after.examples.clear(),
        None => {}
    }
    match body.merge {
        Some(merge) => after.merge = merge_map(merge),
        None => after.merge.retain(|parameter, _| expected.contains(parameter)),
    }
    after
}

/// Removes a template. The provider is told to delete an approved one, in this language only.
#[utoipa::path(
    tag = "settings",
    params(("id" = TemplateId, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 204, description = "Gone"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, description = "The provider does not delete templates that it switched off", content_type = "application/problem+json"),
    )
)]
#[delete("/templates/{id}")]
pub(crate) async fn delete_template(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<TemplateId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsWrite)?;
    let expect = expect(&request)?;
    let before = read(&state, &caller, *id).await?.value;
    let after = match template::delete(&before, now()).map_err(|problem| refused(vec![problem]))? {
        Deletion::Now => None,
        Deletion::AfterTask(after) => Some(*after),
    };
    document::write(&state, &caller, place(*id), expect, after.as_ref()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Lets a template go on that the provider has paused. It is `paused` until the provider says otherwise.
#[utoipa::path(
    tag = "settings",
    params(("id" = TemplateId, Path)),
    responses(
        (status = 200, body = TemplateView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, description = "It is not paused", content_type = "application/problem+json"),
    )
)]
#[post("/templates/{id}/unpause")]
pub(crate) async fn unpause_template(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<TemplateId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsWrite)?;
    let Versioned { value: before, version } = read(&state, &caller, *id).await?;
    let after = template::unpause(&before).map_err(|problem| refused(vec![problem]))?;
    let version =
        document::write(&state, &caller, place(*id), Expect::Version(version), Some(&after)).await?;
    let used = last_used(&*state.records, caller.tenant).await?;
    Ok(answer(version, &view(after, &used)))
}
