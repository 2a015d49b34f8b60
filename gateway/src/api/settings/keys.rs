//! `/v1/keys`: API keys. A secret is shown once, when the key is made.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, post, web};
use data_encoding::HEXLOWER;
use protocol::api::Page;
use protocol::api::account::{CreatedKey, KeyView, NewKey};
use protocol::api::problem::{FieldError, Problem};
use protocol::directory::ApiKey;
use protocol::id::KeyId;
use protocol::limits::NAME_CHARS;
use store::records::{DocumentKind, Expect};

use super::document;
use crate::api::auth::{Caller, Scope, hash_secret};
use crate::api::body::Body;
use crate::api::known::{line, well_formed, wrong};
use crate::api::problem::{ApiError, ApiResult};
use crate::ids;
use crate::state::AppState;

/// Random bytes of a secret: long enough that a fast hash of it cannot be searched.
const SECRET_BYTES: usize = 24;
/// Characters of a secret that are kept for people to recognise it by.
const HINT_CHARS: usize = 8;

fn view(key: ApiKey) -> KeyView {
    KeyView {
        id: key.id,
        name: key.name.to_string(),
        hint: key.hint.to_string(),
        scopes: key.scopes.iter().map(ToString::to_string).collect(),
        user: key.user,
        expires_at: key.expires_at,
    }
}

fn check(state: &AppState, caller: &Caller, body: &NewKey) -> ApiResult<()> {
    let scopes = body.scopes.is_empty().then(|| wrong("/scopes", "must name at least one scope, or `*`"));
    well_formed(line("/name", &body.name, NAME_CHARS).into_iter().chain(scopes))?;
    let mut errors = Vec::new();
    let mut wrong = |pointer: String, detail: String| errors.push(FieldError { pointer, detail });
    for (index, scope) in body.scopes.iter().enumerate() {
        if !Scope::is_known(scope) {
            let known = Scope::ALL.map(Scope::name).join(", ");
            wrong(format!("/scopes/{index}"), format!("is not a scope; there are `*`, {known}"));
        } else if !caller.may_grant(scope) {
            wrong(format!("/scopes/{index}"), "is more than your own key may do".to_owned());
        }
    }
    let directory = state.directory.load();
    let tenant = directory.tenants.get(&caller.tenant);
    if body.user.is_some_and(|user| !tenant.is_some_and(|tenant| tenant.users.contains_key(&user))) {
        wrong("/user".to_owned(), "is not a user of this tenant".to_owned());
    }
    if errors.is_empty() { Ok(()) } else { Err(ApiError::fields(errors)) }
}

/// The API keys of the tenant, without their secrets.
#[utoipa::path(tag = "settings", responses((status = 200, body = Page<KeyView>)))]
#[get("/keys")]
pub(crate) async fn list_keys(
    state: web::Data<AppState>,
    caller: Caller,
) -> ApiResult<web::Json<Page<KeyView>>> {
    caller.require(Scope::SettingsRead)?;
    let keys = document::read_all::<ApiKey>(&state, &caller, DocumentKind::Key).await?;
    Ok(web::Json(Page { data: keys.into_iter().map(view).collect(), next: None }))
}

/// Makes a key. Its secret is in this answer and nowhere else.
#[utoipa::path(
    tag = "settings",
    request_body = NewKey,
    responses((status = 201, body = CreatedKey), (status = 409, body = Problem, content_type = "application/problem+json"))
)]
#[post("/keys")]
pub(crate) async fn create_key(
    state: web::Data<AppState>,
    caller: Caller,
    body: Body<NewKey>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsWrite)?;
    let body = body.value;
    check(&state, &caller, &body)?;
    let secret = format!("key_{}", HEXLOWER.encode(&rand::random::<[u8; SECRET_BYTES]>()));
    let key = ApiKey {
        id: ids::key(caller.tenant, &body.name),
        tenant: caller.tenant,
        name: body.name.into(),
        secret_sha256: hash_secret(&secret),
        hint: secret.chars().take(HINT_CHARS).collect(),
        scopes: body.scopes.into_iter().map(Into::into).collect(),
        user: body.user,
        expires_at: body.expires_at,
    };
    let place = (DocumentKind::Key, key.id.to_string().into());
    document::write(&state, &caller, place, Expect::Absent, Some(&key)).await?;
    Ok(HttpResponse::build(StatusCode::CREATED).json(CreatedKey { key: view(key), secret }))
}

/// Revokes a key at once.
#[utoipa::path(
    tag = "settings",
    params(("id" = KeyId, Path)),
    responses((status = 204, description = "Revoked"), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[delete("/keys/{id}")]
pub(crate) async fn delete_key(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<KeyId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsWrite)?;
    document::read::<ApiKey>(&state, &caller, DocumentKind::Key, id.to_string()).await?;
    if *id == caller.key {
        return Err(ApiError::field("?id", "is the key of this request; revoke it with another one"));
    }
    let place = (DocumentKind::Key, id.to_string().into());
    document::write::<ApiKey>(&state, &caller, place, Expect::Any, None).await?;
    Ok(HttpResponse::NoContent().finish())
}
