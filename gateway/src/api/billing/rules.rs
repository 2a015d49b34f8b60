//! `/v1/credits/auto-recharge` and `/v1/credits/low-balance`: what happens when credits run low. Both are one document.

use actix_web::{HttpRequest, HttpResponse, delete, get, put, web};
use compact_str::CompactString;
use protocol::api::billing::{LowBalanceBody, RechargeRuleBody};
use protocol::api::problem::Problem;
use protocol::directory::{CreditRules, RechargeRule};
use store::records::{DocumentKind, Expect};

use super::{credits, given, positive};
use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::problem::{ApiError, ApiResult};
use crate::api::settings::document::{self, Versioned, answer, expect};
use crate::state::AppState;

/// A tenant has one.
pub(crate) const PLACE: (DocumentKind, CompactString) =
    (DocumentKind::CreditRules, CompactString::const_new("credits"));

/// The rules of the caller's tenant, with their version.
async fn stored(state: &AppState, caller: &Caller) -> ApiResult<Option<Versioned<CreditRules>>> {
    document::find(state, caller, PLACE.0, PLACE.1).await
}

/// Changes one of the rules and leaves the other; rules that say nothing are removed. Answers the version.
async fn change(
    state: &AppState,
    caller: &Caller,
    request: &HttpRequest,
    set: impl FnOnce(&mut CreditRules),
) -> ApiResult<u64> {
    let known = stored(state, caller).await?;
    let expect = match (expect(request)?, &known) {
        (Expect::Any, Some(known)) => Expect::Version(known.version),
        (Expect::Any, None) => Expect::Absent,
        (named, _) => named,
    };
    let nothing = || CreditRules { tenant: caller.tenant, notify_below: None, recharge: None };
    let mut rules = known.map_or_else(nothing, |known| known.value);
    set(&mut rules);
    let kept = Some(&rules).filter(|rules| rules.notify_below.is_some() || rules.recharge.is_some());
    document::write(state, caller, PLACE, expect, kept).await
}

fn recharge_view(rule: &RechargeRule) -> RechargeRuleBody {
    RechargeRuleBody {
        minimum_balance: given(&rule.minimum_balance),
        amount: given(&rule.amount),
        monthly_limit: rule.monthly_limit.as_ref().map(given),
    }
}

/// When which payment is asked for.
#[utoipa::path(
    tag = "billing",
    responses(
        (status = 200, body = RechargeRuleBody),
        (status = 404, body = Problem, description = "No payment is asked for", content_type = "application/problem+json"),
    )
)]
#[get("/credits/auto-recharge")]
pub(crate) async fn get_auto_recharge(state: web::Data<AppState>, caller: Caller) -> ApiResult<HttpResponse> {
    caller.require(Scope::BillingRead)?;
    let found = stored(&state, &caller).await?;
    let rule = found.and_then(|found| Some((found.version, found.value.recharge?)));
    let (version, rule) = rule.ok_or_else(|| ApiError::not_found("rule of automatic recharge"))?;
    Ok(answer(version, &recharge_view(&rule)))
}

/// Asks for a payment whenever less than a minimum is available: the event `credits.recharge_asked` goes to the feed and to
/// the tenant's endpoints, once, and the payment is recorded with `POST /v1/credits/purchases` and its `recharge_id`.
#[utoipa::path(
    tag = "billing",
    params(("If-Match" = Option<String>, Header)),
    request_body = RechargeRuleBody,
    responses(
        (status = 200, body = RechargeRuleBody),
        (status = 404, body = Problem, description = "The tenant does not pay in advance", content_type = "application/problem+json"),
        (status = 412, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[put("/credits/auto-recharge")]
pub(crate) async fn put_auto_recharge(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    body: Body<RechargeRuleBody>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::BillingWrite)?;
    let currency = credits::account(&state, &caller).await?.currency;
    let wanted = body.value;
    let amount = positive("/amount", &wanted.amount, Some(&currency))?;
    let limit = wanted.monthly_limit.as_ref();
    let limit = limit.map(|limit| positive("/monthly_limit", limit, Some(&currency))).transpose()?;
    if limit.as_ref().is_some_and(|limit| limit.amount < amount.amount) {
        return Err(ApiError::field("/monthly_limit", "must not be less than `amount`"));
    }
    let minimum_balance = positive("/minimum_balance", &wanted.minimum_balance, Some(&currency))?;
    let rule = RechargeRule { minimum_balance, amount, monthly_limit: limit };
    let shown = recharge_view(&rule);
    let version = change(&state, &caller, &request, |rules| rules.recharge = Some(rule)).await?;
    Ok(answer(version, &shown))
}

/// No payment is asked for any more. One that was asked for can still be made.
#[utoipa::path(
    tag = "billing",
    params(("If-Match" = Option<String>, Header)),
    responses((status = 204, description = "Done"), (status = 412, body = Problem, content_type = "application/problem+json"))
)]
#[delete("/credits/auto-recharge")]
pub(crate) async fn delete_auto_recharge(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::BillingWrite)?;
    change(&state, &caller, &request, |rules| rules.recharge = None).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What the tenant wants to be told about.
#[utoipa::path(
    tag = "billing",
    responses(
        (status = 200, body = LowBalanceBody),
        (status = 404, body = Problem, description = "Nobody is told", content_type = "application/problem+json"),
    )
)]
#[get("/credits/low-balance")]
pub(crate) async fn get_low_balance(state: web::Data<AppState>, caller: Caller) -> ApiResult<HttpResponse> {
    caller.require(Scope::BillingRead)?;
    let found = stored(&state, &caller).await?;
    let below = found.and_then(|found| Some((found.version, found.value.notify_below?)));
    let (version, below) = below.ok_or_else(|| ApiError::not_found("notice of a low balance"))?;
    Ok(answer(version, &LowBalanceBody { below: given(&below) }))
}

/// Tells the tenant when less is available: the event `credits.low` goes to the feed and to its endpoints, once until a
/// payment lifts the credits again.
#[utoipa::path(
    tag = "billing",
    params(("If-Match" = Option<String>, Header)),
    request_body = LowBalanceBody,
    responses(
        (status = 200, body = LowBalanceBody),
        (status = 404, body = Problem, description = "The tenant does not pay in advance", content_type = "application/problem+json"),
        (status = 412, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[put("/credits/low-balance")]
pub(crate) async fn put_low_balance(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    body: Body<LowBalanceBody>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::BillingWrite)?;
    let currency = credits::account(&state, &caller).await?.currency;
    let below = positive("/below", &body.value.below, Some(&currency))?;
    let shown = LowBalanceBody { below: given(&below) };
    let version = change(&state, &caller, &request, |rules| rules.notify_below = Some(below)).await?;
    Ok(answer(version, &shown))
}

/// Nobody is told any more.
#[utoipa::path(
    tag = "billing",
    params(("If-Match" = Option<String>, Header)),
    responses((status = 204, description = "Done"), (status = 412, body = Problem, content_type = "application/problem+json"))
)]
#[delete("/credits/low-balance")]
pub(crate) async fn delete_low_balance(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::BillingWrite)?;
    change(&state, &caller, &request, |rules| rules.notify_below = None).await?;
    Ok(HttpResponse::NoContent().finish())
}
