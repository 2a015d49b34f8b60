//! `GET /v1/billing/ledger` and `/v1/billing/reconciliation`.

use actix_web::{get, web};
use protocol::api::Page;
use protocol::api::billing::LedgerView;
use protocol::content::Category;
use protocol::id::{ConversationId, MessageId, NumberId};
use serde::Deserialize;
use serde_json::json;
use store::records::{LedgerEntry, LedgerQuery};
use utoipa::IntoParams;

use super::day::{Day, zone};
use super::{difference, money, words};
use crate::api::auth::{Caller, Scope};
use crate::api::page::{Paging, page};
use crate::api::problem::ApiResult;
use crate::api::query::Query;
use crate::state::AppState;

/// Query of the ledger.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct LedgerParams {
    /// Entries at most, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// From this day (`2026-11-01`, in the tenant's time zone) or instant.
    #[param(inline)]
    from: Option<Day>,
    /// To this day, inclusive, or to before this instant.
    #[param(inline)]
    to: Option<Day>,
    /// On this number.
    number_id: Option<NumberId>,
    /// In this conversation.
    conversation_id: Option<ConversationId>,
    /// Caused by this message.
    message_id: Option<MessageId>,
    /// Of this category.
    category: Option<Category>,
}

fn view(entry: LedgerEntry) -> LedgerView {
    let difference = difference::view(&entry);
    LedgerView {
        id: format!("{:032x}", entry.id),
        at: entry.at,
        number_id: entry.number,
        conversation_id: entry.conversation,
        message_id: entry.message,
        category: entry.category.name().to_owned(),
        origin: entry.origin.to_string(),
        policy: entry.policy.to_string(),
        market: entry.market.to_string(),
        charge: money(&entry.amount),
        explanation: words(&entry.explanation),
        provider_pricing: entry.provider.map(|pricing| json!(pricing)),
        cost: entry.cost.as_ref().map(money),
        differs: entry.differs,
        difference,
    }
}

async fn entries(
    state: &AppState,
    caller: &Caller,
    params: &LedgerParams,
    differs_only: bool,
) -> ApiResult<web::Json<Page<LedgerView>>> {
    caller.require(Scope::BillingRead)?;
    let paging = Paging { limit: params.limit, cursor: params.cursor.clone() }.request()?;
    let zone = zone(state, caller);
    let query = LedgerQuery {
        from: params.from.map(|day| day.first(&zone)),
        to: params.to.map(|day| day.last(&zone)),
        number: params.number_id,
        conversation: params.conversation_id,
        message: params.message_id,
        category: params.category,
        differs_only,
    };
    Ok(web::Json(page(state.records.ledger(caller.tenant, query, paging).await?, view)))
}

/// Every charge and every free use, newest first, each with its reason.
#[utoipa::path(tag = "billing", params(LedgerParams), responses((status = 200, body = Page<LedgerView>)))]
#[get("/billing/ledger")]
pub(crate) async fn list_ledger(
    state: web::Data<AppState>,
    caller: Caller,
    params: Query<LedgerParams>,
) -> ApiResult<web::Json<Page<LedgerView>>> {
    entries(&state, &caller, &params, false).await
}

/// Only the entries where the provider's own word on the message differs from our estimate of what it charges, and by how
/// much. What the tenant was charged stays.
#[utoipa::path(tag = "billing", params(LedgerParams), responses((status = 200, body = Page<LedgerView>)))]
#[get("/billing/reconciliation")]
pub(crate) async fn list_differences(
    state: web::Data<AppState>,
    caller: Caller,
    params: Query<LedgerParams>,
) -> ApiResult<web::Json<Page<LedgerView>>> {
    entries(&state, &caller, &params, true).await
}
