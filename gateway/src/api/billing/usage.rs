//! `GET /v1/billing/usage`.

use actix_web::{get, web};
use protocol::api::Page;
use protocol::api::billing::UsageView;
use protocol::api::problem::Problem;
use serde::Deserialize;
use store::records::{UsageKey, UsageQuery, UsageRow};
use utoipa::IntoParams;

use super::day::{Day, zone};
use super::money;
use crate::api::auth::{Caller, Scope};
use crate::api::command::now;
use crate::api::problem::{ApiError, ApiResult};
use crate::api::query::Query;
use crate::state::AppState;

/// Query of the sums.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsageParams {
    /// From this day (`2026-11-01`, in the tenant's time zone) or instant; the first of this month when left out.
    #[param(inline)]
    from: Option<Day>,
    /// To this day, inclusive, or to before this instant; today when left out.
    #[param(inline)]
    to: Option<Day>,
    /// Any of `category`, `number`, `day`, separated by commas.
    #[serde(default)]
    #[param(pattern = "^( *(category|number|day) *(, *(category|number|day) *)*)?$")]
    group_by: String,
}

fn keys(text: &str) -> ApiResult<Vec<UsageKey>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|key| match key.trim_matches(' ') {
            "category" => Ok(UsageKey::Category),
            "number" => Ok(UsageKey::Number),
            "day" => Ok(UsageKey::Day),
            _ => Err(ApiError::malformed(
                "?group_by",
                "may name `category`, `number` and `day`, separated by commas",
            )),
        })
        .collect()
}

fn view(row: UsageRow) -> UsageView {
    UsageView {
        category: row.category.map(|category| category.name().to_owned()),
        number_id: row.number,
        day: row.day.map(|day| day.to_string()),
        charged: row.charged,
        free: row.entries - row.charged,
        total: money(&row.amount),
    }
}

/// Sums over the ledger.
#[utoipa::path(
    tag = "billing",
    params(UsageParams),
    responses((status = 200, body = Page<UsageView>), (status = 422, body = Problem, content_type = "application/problem+json"))
)]
#[get("/billing/usage")]
pub(crate) async fn get_usage(
    state: web::Data<AppState>,
    caller: Caller,
    params: Query<UsageParams>,
) -> ApiResult<web::Json<Page<UsageView>>> {
    caller.require(Scope::BillingRead)?;
    let zone = zone(&state, &caller);
    let today = now().to_jiff().to_zoned(zone.clone()).date();
    let from = params.from.map_or(today.first_of_month(), |day| day.first(&zone));
    let to = params.to.map_or(today, |day| day.last(&zone));
    if to < from {
        return Err(ApiError::field("?to", "must not be before `from`"));
    }
    let query = UsageQuery { from, to, group_by: keys(&params.group_by)? };
    let rows = state.records.usage(caller.tenant, query).await?;
    Ok(web::Json(Page { data: rows.into_iter().map(view).collect(), next: None }))
}
