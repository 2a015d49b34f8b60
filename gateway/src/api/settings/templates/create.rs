//! `POST /v1/templates`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, post, web};
use domain::directory::TenantDirectory;
use domain::template;
use protocol::api::problem::Problem;
use protocol::api::template::{NewTemplate, TemplateView};
use protocol::content::{Category, Channel};
use protocol::directory::{Review, Template, TemplateKind, TemplateStatus};
use protocol::id::{NumberId, WabaId};
use store::records::DocumentKind;

use super::{LastUsed, merge_map, refused, view};
use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::idempotency::{Answer, once};
use crate::api::known;
use crate::api::problem::{ApiError, ApiResult};
use crate::api::settings::document;
use crate::state::AppState;

/// Adds a template. An approved one is submitted to the provider at once and `pending` until it has decided.
#[utoipa::path(
    tag = "settings",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = NewTemplate,
    responses(
        (status = 201, body = TemplateView),
        (status = 409, body = Problem, description = "`already_exists`, or `name_blocked` for 30 days after an approved template of the name was deleted", content_type = "application/problem+json"),
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
    let (number, mut template) = (body.value.number_id, new_template(&caller, body.value)?);
    let tenant = known::tenant(&state, &caller)?;
    if template.kind == TemplateKind::Approved {
        template::submit(&mut template, account(&tenant, number)?);
    }
    once(&state, &caller, &request, body.fingerprint, || async {
        let place = (DocumentKind::Template, template.id.to_string().into());
        let look = |known: Vec<Template>| has_room(&known, &template, tenant.tenant.settings.max_templates);
        let version = document::add(&state, &caller, place, &template, look).await?;
        Answer::json(StatusCode::CREATED, Some(version), &view(template, &LastUsed::new()))
    })
    .await
}

fn new_template(caller: &Caller, body: NewTemplate) -> ApiResult<Template> {
    let category = match (body.kind, body.category) {
        (_, Some(category)) => category,
        (TemplateKind::Custom, None) => Category::Service,
        (TemplateKind::Approved, None) => {
            return Err(ApiError::field("/category", "is required: marketing, utility or authentication"));
        }
    };
    let template = Template {
        id: Template::id_of(caller.tenant, &body.name, &body.language),
        tenant: caller.tenant,
        name: body.name.into(),
        kind: body.kind,
        language: body.language.into(),
        category,
        record_type: body.record_type,
        body: body.body,
        status: TemplateStatus::Approved,
        reason: None,
        quality: None,
        provider_id: None,
        examples: body.examples,
        merge: merge_map(body.merge),
        review: Review::default(),
    };
    match template::check(&template) {
        problems if problems.is_empty() => Ok(template),
        problems => Err(refused(problems)),
    }
}

/// The account that an approved template goes to: that of the number, or of the tenant's first one.
fn account(tenant: &TenantDirectory, number: Option<NumberId>) -> ApiResult<WabaId> {
    if let Some(id) = number {
        let account = tenant.numbers.get(&id).and_then(|number| number.waba_id.clone());
        return account.ok_or_else(|| {
            ApiError::field(
                "/number_id",
                "is not a WhatsApp number of this tenant; GET /v1/numbers lists them",
            )
        });
    }
    let whatsapp = tenant.numbers.values().filter(|number| number.channel == Channel::Whatsapp);
    whatsapp.filter_map(|number| number.waba_id.clone()).next().ok_or_else(|| {
        ApiError::field("/kind", "the tenant has no WhatsApp number to submit the template for; use `custom`")
    })
}

/// Refuses a template that would be one too many, or whose name is blocked.
fn has_room(known: &[Template], new: &Template, limit: usize) -> ApiResult<()> {
    if let Some(gone) = known.iter().find(|known| known.id == new.id && !known.is_there()) {
        let again = match template::name_free_at(gone) {
            Some(at) => format!("the provider lets the name be used again from {at}; choose another one"),
            None => "it is being deleted: repeat this in a few seconds".to_owned(),
        };
        let detail = format!("a template of this name was deleted: {again}");
        return Err(ApiError::new(StatusCode::CONFLICT, "name_blocked", "The name is blocked", detail));
    }
    let there = known.iter().filter(|known| known.is_there() && known.id != new.id).count();
    if there >= limit {
        let detail = format!("the tenant has {there} templates, {limit} are allowed; delete one");
        return Err(ApiError::field("/name", detail));
    }
    Ok(())
}
