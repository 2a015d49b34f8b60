//! `POST /v1/billing/preview`: the price before the click.

use actix_web::{post, web};
use domain::conversation;
use domain::directory::TenantDirectory;
use domain::metering::{Book, Line, PairState, Wish, preview, preview_counters, time_zone};
use protocol::api::billing::{CostPreview, CoverView, RateCardView};
use protocol::api::message::SendRequest;
use protocol::api::problem::Problem;
use protocol::command::{Action, SendBody};
use protocol::entry::Address;
use protocol::pricing::Money;
use rust_decimal::Decimal;
use serde_json::json;
use store::records::Reservation;

use super::{credits, money};
use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::command::now;
use crate::api::known;
use crate::api::messages::{recipient, wish};
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// What a message would be charged if it were delivered now: by which rule and rate card, for which market, and whether
/// the credits cover it. The body is that of `POST /v1/messages`; nothing is sent. Of several
/// `attachments` each is charged so, unless the first one opens a conversation that the others are free in.
#[utoipa::path(
    tag = "billing",
    request_body = SendRequest,
    responses(
        (status = 200, body = CostPreview),
        (status = 422, body = Problem, description = "What a send is refused for before anything is charged", content_type = "application/problem+json"),
    )
)]
#[post("/billing/preview")]
pub(crate) async fn preview_cost(
    state: web::Data<AppState>,
    caller: Caller,
    body: Body<SendRequest>,
) -> ApiResult<web::Json<CostPreview>> {
    caller.require(Scope::MessagesWrite)?;
    let address = recipient::resolve(&state, &caller, &body.value).await?;
    let wishes = wish::wishes(&state, &caller, &body.value, &address).await?;
    let action = wishes.into_iter().next().ok_or_else(|| ApiError::field("/type", "asks for nothing"))?;
    let held = known::tenant(&state, &caller)?;
    conversation::check_send(&held, said(&action)?)?;
    let (category, template) = credits::charged_as(&held, &action).ok_or_else(|| {
        ApiError::field("/template", "is not a template of this tenant; GET /v1/templates lists them")
    })?;
    let directory = state.directory.load_full();
    let zone = time_zone(&held.tenant.time_zone);
    let book = Book::of(&held, Some(address.number), &directory.rate_cards, zone);
    let wish = Wish { category, template, at: now() };
    let line = line(&state, &book, &address, wish).await?.ok_or_else(|| {
        ApiError::field("/channel", "has no prices here: only WhatsApp messages are charged by the gateway")
    })?;
    let credits = cover(&state, &caller, &held, &book, (&address, wish)).await?;
    Ok(web::Json(view(&line, &book, credits)))
}

/// What a send says.
fn said(action: &Action) -> ApiResult<SendBody> {
    match action {
        Action::Send(body) => Ok(body.clone()),
        Action::SendOrSubmit { body, reply_to, .. } => {
            Ok(SendBody::Text { body: body.clone(), reply_to: reply_to.clone() })
        }
        _ => Err(ApiError::field("/type", "asks for nothing that is sent")),
    }
}

/// As the meter would book it, which has dealt with all that was delivered until a moment ago.
async fn line(state: &AppState, book: &Book<'_>, to: &Address, wish: Wish) -> ApiResult<Option<Line>> {
    let names = preview_counters(book, to, wish);
    let loaded = state.records.meter_load(vec![to.conversation], names.clone()).await?;
    let stored = loaded.states.into_iter().flatten().next();
    let pair = stored.and_then(|bytes| PairState::decode(&bytes)).unwrap_or_default();
    let counters = names.into_iter().zip(loaded.counters).collect();
    Ok(preview(&pair, book, &counters, (to, wish)))
}

fn view(line: &Line, book: &Book<'_>, credits: Option<CoverView>) -> CostPreview {
    let charge = &line.charge;
    let free = || Money { amount: Decimal::ZERO, currency: book.home_currency() };
    let amount = charge.amount.clone().or_else(|| (!charge.is_unpriced()).then(free));
    CostPreview {
        category: line.category.name().to_owned(),
        origin: line.origin.name().to_owned(),
        policy: charge.policy.name().to_owned(),
        rule: json!(charge.rule).as_str().unwrap_or_default().to_owned(),
        market: line.market.to_string(),
        charge: amount.as_ref().map(money),
        rate_card: charge.rate_card.as_ref().map(|card| RateCardView {
            name: card.name.to_string(),
            effective_from: card.effective_from.to_string(),
        }),
        free_tier_place: charge.free_tier_place,
        explanation: line.words(),
        credits,
    }
}

/// Whether a send would be refused for its price.
async fn cover(
    state: &AppState,
    caller: &Caller,
    held: &TenantDirectory,
    book: &Book<'_>,
    (to, wish): (&Address, Wish),
) -> ApiResult<Option<CoverView>> {
    if held.tenant.credits.is_none() {
        return Ok(None);
    }
    let account = credits::account(state, caller).await?;
    let shown = |amount| credits::shown(&account, amount);
    let quote = book.most(to.number, &to.contact, (wish.category, wish.at));
    let quote = quote.filter(|quote| quote.price.currency == account.currency);
    let required = quote.as_ref().map_or(Decimal::ZERO, |quote| quote.price.amount);
    let sufficient = match quote {
        Some(quote) => {
            !matches!(state.records.quote_credits(caller.tenant, quote).await?, Reservation::Short(_))
        }
        None => true,
    };
    Ok(Some(CoverView { required: shown(required), available: shown(account.available()), sufficient }))
}
