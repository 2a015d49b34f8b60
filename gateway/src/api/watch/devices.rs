//! `/v1/notifications/devices`: browsers that take push messages.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, post, web};
use protocol::api::problem::Problem;
use protocol::api::watch::{DeviceBody, DeviceList, DeviceView};
use protocol::id::DeviceId;
use runtime::consumers::{DeviceError, KeyError, check_device};
use store::records::{Device, Reach};

use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::command::now;
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

fn view(reach: Reach) -> Option<DeviceView> {
    let url = reqwest::Url::parse(&reach.device?.endpoint).ok()?;
    Some(DeviceView {
        id: reach.id,
        service: url.host_str().unwrap_or_default().to_owned(),
        created_at: reach.created_at,
        last_error: reach.last_error,
    })
}

/// The browsers of the caller that take push messages, oldest first, and the key that new ones subscribe with. The key must act for
/// a user.
#[utoipa::path(tag = "notifications", responses((status = 200, body = DeviceList)))]
#[get("/notifications/devices")]
pub(crate) async fn list_devices(
    state: web::Data<AppState>,
    caller: Caller,
) -> ApiResult<web::Json<DeviceList>> {
    caller.require(Scope::NotificationsRead)?;
    let user = caller.require_user()?;
    let devices = state.records.devices(caller.tenant, user).await?;
    let public_key = state.push_key.clone();
    Ok(web::Json(DeviceList { public_key, data: devices.into_iter().filter_map(view).collect() }))
}

/// Adds a browser: the body is its `PushSubscription` as JSON, made with `public_key` as `applicationServerKey`. A push message is
/// JSON with `title`, `body`, `url` and `tag`, for `showNotification`. Of more than ten the oldest one goes; one that its push
/// service does not know any more goes by itself. The key must act for a user.
#[utoipa::path(
    tag = "notifications",
    request_body = DeviceBody,
    responses(
        (status = 201, body = DeviceView),
        (status = 409, body = Problem, description = "No push messages are sent here", content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/notifications/devices")]
pub(crate) async fn add_device(
    state: web::Data<AppState>,
    caller: Caller,
    body: Body<DeviceBody>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::NotificationsRead)?;
    let user = caller.require_user()?;
    if state.push_key.is_none() {
        let detail = "no push message is sent here until the operator sets `push.private_key`";
        return Err(ApiError::new(StatusCode::CONFLICT, "push_not_configured", "No push messages", detail));
    }
    let DeviceBody { endpoint, keys, .. } = body.value;
    let device = Device { endpoint, p256dh: keys.p256dh, auth: keys.auth };
    check_device(&device, state.private_addresses).map_err(|error| {
        let pointer = match error {
            DeviceError::Endpoint => "/endpoint",
            DeviceError::Keys(KeyError::P256dh) => "/keys/p256dh",
            DeviceError::Keys(KeyError::Auth) => "/keys/auth",
        };
        ApiError::field(pointer, error.to_string())
    })?;
    let id = state.records.add_device(caller.tenant, user, device, now()).await?;
    let devices = state.records.devices(caller.tenant, user).await?;
    let added = devices.into_iter().find(|reach| reach.id == id).and_then(view);
    Ok(HttpResponse::Created().json(added.ok_or_else(|| ApiError::not_found("device"))?))
}

/// Removes a browser.
#[utoipa::path(
    tag = "notifications",
    params(("id" = DeviceId, Path)),
    responses((status = 204, description = "Gone"), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[delete("/notifications/devices/{id}")]
pub(crate) async fn remove_device(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<DeviceId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::NotificationsRead)?;
    let user = caller.require_user()?;
    if !state.records.remove_device(caller.tenant, user, *id).await? {
        return Err(ApiError::not_found("device"));
    }
    Ok(HttpResponse::NoContent().finish())
}
