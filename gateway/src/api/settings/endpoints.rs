//! `/v1/webhook-endpoints`: downstream addresses that receive events, signed as Standard Webhooks describe.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, put, web};
use data_encoding::BASE64;
use protocol::api::Page;
use protocol::api::account::{EndpointBody, EndpointView};
use protocol::api::problem::{FieldError, Problem};
use protocol::directory::WebhookEndpoint;
use protocol::fact::Fact;
use protocol::id::EndpointId;
use protocol::text::is_link;
use protocol::whatsapp::limits::MAX_LINK;
use store::records::{DocumentKind, Expect};

use super::document::{self, Versioned, answer};
use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::problem::{ApiError, ApiResult};
use crate::ids;
use crate::state::AppState;

/// Endpoints of a tenant at most: each has a queue of its own.
const MAX_ENDPOINTS: usize = 20;
/// Random bytes of a signing secret (Standard Webhooks: 24 to 64).
const SECRET_BYTES: usize = 32;

fn view(endpoint: WebhookEndpoint, secret: Option<String>) -> EndpointView {
    EndpointView {
        id: endpoint.id,
        url: endpoint.url,
        events: endpoint.events.iter().map(ToString::to_string).collect(),
        enabled: endpoint.enabled,
        secret,
    }
}

fn check(body: &EndpointBody) -> ApiResult<()> {
    if !is_link(&body.url) {
        let detail = format!("must be an http or https address of at most {MAX_LINK} characters");
        return Err(ApiError::malformed("/url", detail));
    }
    reqwest::Url::parse(&body.url)
        .map_err(|error| ApiError::field("/url", format!("must be an http or https address: {error}")))?;
    let known = |wanted: &str| match wanted.strip_suffix('*') {
        Some(prefix) => Fact::NAMES.iter().any(|name| name.starts_with(prefix)),
        None => Fact::NAMES.contains(&wanted),
    };
    let unknown = body.events.iter().enumerate().filter(|(_, name)| !known(name));
    let errors: Vec<FieldError> = unknown
        .map(|(index, _)| FieldError {
            pointer: format!("/events/{index}"),
            detail: format!("is not an event; there are {}", Fact::NAMES.join(", ")),
        })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(ApiError::fields(errors)) }
}

/// The endpoints of the tenant.
#[utoipa::path(tag = "settings", responses((status = 200, body = Page<EndpointView>)))]
#[get("/webhook-endpoints")]
pub(crate) async fn list_endpoints(
    state: web::Data<AppState>,
    caller: Caller,
) -> ApiResult<web::Json<Page<EndpointView>>> {
    caller.require(Scope::SettingsRead)?;
    let endpoints = document::read_all::<WebhookEndpoint>(&state, &caller, DocumentKind::Endpoint).await?;
    Ok(web::Json(Page { data: endpoints.into_iter().map(|e| view(e, None)).collect(), next: None }))
}

/// One endpoint.
#[utoipa::path(
    tag = "settings",
    params(("id" = EndpointId, Path)),
    responses((status = 200, body = EndpointView), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[get("/webhook-endpoints/{id}")]
pub(crate) async fn get_endpoint(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<EndpointId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsRead)?;
    let Versioned { value, version } =
        document::read::<WebhookEndpoint>(&state, &caller, DocumentKind::Endpoint, id.to_string()).await?;
    Ok(answer(version, &view(value, None)))
}

/// Adds an endpoint. The secret that signs what it receives is in this answer and nowhere else.
#[utoipa::path(
    tag = "settings",
    request_body = EndpointBody,
    responses((status = 201, body = EndpointView), (status = 409, body = Problem, content_type = "application/problem+json"))
)]
#[post("/webhook-endpoints")]
pub(crate) async fn create_endpoint(
    state: web::Data<AppState>,
    caller: Caller,
    body: Body<EndpointBody>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsWrite)?;
    let body = body.value;
    check(&body)?;
    if state.records.documents(DocumentKind::Endpoint, Some(caller.tenant)).await?.len() >= MAX_ENDPOINTS {
        return Err(ApiError::field(
            "/url",
            format!("the tenant has {MAX_ENDPOINTS} endpoints already; delete one"),
        ));
    }
    let secret = format!("whsec_{}", BASE64.encode(&rand::random::<[u8; SECRET_BYTES]>()));
    let endpoint = WebhookEndpoint {
        id: ids::endpoint(caller.tenant, &body.url),
        tenant: caller.tenant,
        url: body.url,
        events: body.events.into_iter().map(Into::into).collect(),
        secrets: vec![secret.clone()],
        enabled: body.enabled,
    };
    let place = (DocumentKind::Endpoint, endpoint.id.to_string().into());
    document::write(&state, &caller, place, Expect::Absent, Some(&endpoint)).await?;
    Ok(HttpResponse::build(StatusCode::CREATED).json(view(endpoint, Some(secret))))
}

/// Changes which events an endpoint receives, or switches it on and off.
#[utoipa::path(
    tag = "settings",
    params(("id" = EndpointId, Path), ("If-Match" = Option<String>, Header)),
    request_body = EndpointBody,
    responses(
        (status = 200, body = EndpointView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 412, body = Problem, content_type = "application/problem+json"),
    )
)]
#[put("/webhook-endpoints/{id}")]
pub(crate) async fn change_endpoint(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<EndpointId>,
    body: Body<EndpointBody>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsWrite)?;
    let body = body.value;
    check(&body)?;
    let mut endpoint =
        document::read::<WebhookEndpoint>(&state, &caller, DocumentKind::Endpoint, id.to_string())
            .await?
            .value;
    endpoint.url = body.url;
    endpoint.events = body.events.into_iter().map(Into::into).collect();
    endpoint.enabled = body.enabled;
    let place = (DocumentKind::Endpoint, id.to_string().into());
    let version =
        document::write(&state, &caller, place, document::expect(&request)?, Some(&endpoint)).await?;
    Ok(answer(version, &view(endpoint, None)))
}

/// Removes an endpoint; what it has not received stays in the feed.
#[utoipa::path(
    tag = "settings",
    params(("id" = EndpointId, Path)),
    responses((status = 204, description = "Gone"), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[delete("/webhook-endpoints/{id}")]
pub(crate) async fn delete_endpoint(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<EndpointId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsWrite)?;
    document::read::<WebhookEndpoint>(&state, &caller, DocumentKind::Endpoint, id.to_string()).await?;
    let place = (DocumentKind::Endpoint, id.to_string().into());
    document::write::<WebhookEndpoint>(&state, &caller, place, Expect::Any, None).await?;
    Ok(HttpResponse::NoContent().finish())
}
