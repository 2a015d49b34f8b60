//! `/v1/credits/recharges`: payments that were asked for.

use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use domain::credits::Recharge;
use protocol::api::Page;
use protocol::api::billing::{DeclineBody, RechargeView};
use protocol::api::problem::Problem;
use protocol::credit::RechargeState;
use protocol::id::RechargeId;
use protocol::limits::REASON_CHARS;
use protocol::pricing::Money;

use super::money;
use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::command::now;
use crate::api::known::{line, well_formed};
use crate::api::page::{Paging, page};
use crate::api::problem::{ApiError, ApiResult};
use crate::api::query::Query;
use crate::state::AppState;

pub(super) fn view(recharge: Recharge) -> RechargeView {
    let available = Money { amount: recharge.available, currency: recharge.amount.currency.clone() };
    RechargeView {
        id: recharge.id,
        asked_at: recharge.asked_at,
        amount: money(&recharge.amount),
        available: money(&available),
        state: recharge.state,
        ended_at: recharge.ended_at,
        detail: recharge.detail,
    }
}

/// Payments that were asked for, newest first.
#[utoipa::path(tag = "billing", params(Paging), responses((status = 200, body = Page<RechargeView>)))]
#[get("/credits/recharges")]
pub(crate) async fn list_recharges(
    state: web::Data<AppState>,
    caller: Caller,
    paging: Query<Paging>,
) -> ApiResult<web::Json<Page<RechargeView>>> {
    caller.require(Scope::BillingRead)?;
    Ok(web::Json(page(state.records.recharges(caller.tenant, paging.request()?).await?, view)))
}

/// Whoever pays says no. It is not asked for again before somebody pays or the rule changes, and does not count towards
/// the month's limit.
#[utoipa::path(
    tag = "billing",
    params(("id" = RechargeId, Path)),
    request_body = DeclineBody,
    responses(
        (status = 200, body = RechargeView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, description = "`already_ended`", content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/credits/recharges/{id}/decline")]
pub(crate) async fn decline_recharge(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<RechargeId>,
    body: Body<DeclineBody>,
) -> ApiResult<web::Json<RechargeView>> {
    caller.require(Scope::BillingWrite)?;
    let reason = body.value.reason;
    well_formed(line("/reason", &reason, REASON_CHARS))?;
    let found = state.records.decline_recharge(caller.tenant, *id, reason, now()).await?;
    let recharge = found.ok_or_else(|| ApiError::not_found("payment that was asked for"))?;
    if recharge.state != RechargeState::Declined {
        let detail = "the payment was made or given up already; GET /v1/credits/recharges shows it";
        return Err(ApiError::new(StatusCode::CONFLICT, "already_ended", "Already ended", detail));
    }
    Ok(web::Json(view(recharge)))
}
