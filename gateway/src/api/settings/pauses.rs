//! Pause and resume of a number or of the whole tenant. What is asked for meanwhile waits; nothing is refused.

use actix_web::{HttpResponse, get, post, web};
use protocol::api::account::TenantView;
use protocol::api::problem::Problem;
use protocol::directory::{Number, Pause};
use protocol::id::NumberId;
use store::records::{DocumentKind, Expect};

use super::document;
use crate::api::auth::{Caller, Scope};
use crate::api::known;
use crate::api::problem::ApiResult;
use crate::state::AppState;

/// Where the pause of the whole tenant is stored.
const EVERYTHING: &str = "tenant";

/// The caller's tenant.
#[utoipa::path(tag = "settings", responses((status = 200, body = TenantView)))]
#[get("/tenant")]
pub(crate) async fn get_tenant(
    state: web::Data<AppState>,
    caller: Caller,
) -> ApiResult<web::Json<TenantView>> {
    caller.require(Scope::SettingsRead)?;
    let held = known::tenant(&state, &caller)?;
    Ok(web::Json(TenantView {
        id: held.tenant.id,
        name: held.tenant.name.to_string(),
        language: held.tenant.language.to_string(),
        time_zone: held.tenant.time_zone.to_string(),
        paused: held.pauses.everything,
    }))
}

macro_rules! of_number {
    ($($(#[$doc:meta])* $path:literal $name:ident => $paused:literal;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(
            tag = "operations",
            params(("id" = NumberId, Path)),
            responses(
                (status = 204, description = "Done"),
                (status = 404, body = Problem, content_type = "application/problem+json"),
            )
        )]
        #[post($path)]
        pub(crate) async fn $name(
            state: web::Data<AppState>,
            caller: Caller,
            id: web::Path<NumberId>,
        ) -> ApiResult<HttpResponse> {
            caller.require(Scope::OperationsWrite)?;
            document::read::<Number>(&state, &caller, DocumentKind::Number, id.to_string()).await?;
            set(&state, &caller, Some(*id), $paused).await
        }
    )*};
}

macro_rules! of_tenant {
    ($($(#[$doc:meta])* $path:literal $name:ident => $paused:literal;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(tag = "operations", responses((status = 204, description = "Done")))]
        #[post($path)]
        pub(crate) async fn $name(state: web::Data<AppState>, caller: Caller) -> ApiResult<HttpResponse> {
            caller.require(Scope::OperationsWrite)?;
            set(&state, &caller, None, $paused).await
        }
    )*};
}

of_number! {
    /// Holds back everything that a number would send.
    "/numbers/{id}/pause" pause_number => true;
    /// Lets the messages of a number go again.
    "/numbers/{id}/resume" resume_number => false;
}

of_tenant! {
    /// Holds back everything that the tenant would send.
    "/tenant/pause" pause_tenant => true;
    /// Lets the messages of the tenant go again, but for numbers and conversations that are paused themselves.
    "/tenant/resume" resume_tenant => false;
}

async fn set(
    state: &AppState,
    caller: &Caller,
    number: Option<NumberId>,
    paused: bool,
) -> ApiResult<HttpResponse> {
    let id = number.map_or_else(|| EVERYTHING.to_owned(), |number| number.to_string());
    let pause = Pause { tenant: caller.tenant, number };
    let place = (DocumentKind::Pause, id.into());
    document::write(state, caller, place, Expect::Any, paused.then_some(&pause)).await?;
    Ok(HttpResponse::NoContent().finish())
}
