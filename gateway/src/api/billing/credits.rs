//! `/v1/credits`: what the tenant has paid in advance.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use domain::credits::Recharge;
use domain::directory::TenantDirectory;
use domain::limits::RESERVED_FOR;
use domain::metering::{Book, time_zone};
use protocol::api::Page;
use protocol::api::billing::{CreditEntryView, CreditsView, MoneyView, PurchaseBody};
use protocol::api::problem::Problem;
use protocol::command::{Action, Refusal, SendBody};
use protocol::content::Category;
use protocol::directory::TemplateKind;
use protocol::entry::Address;
use protocol::limits::REFERENCE_CHARS;
use protocol::pricing::Money;
use protocol::time::SpanMs;
use rust_decimal::Decimal;
use store::records::{CreditAccount, CreditEntry, CreditKind, Purchase, Reservation};

use super::{money, positive, recharges};
use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::command::{self, now};
use crate::api::idempotency::{self, Answer};
use crate::api::known::{line, well_formed};
use crate::api::page::{Paging, page};
use crate::api::problem::{ApiError, ApiResult};
use crate::api::query::Query;
use crate::state::AppState;

async fn view(state: &AppState, caller: &Caller, account: &CreditAccount) -> ApiResult<CreditsView> {
    Ok(CreditsView {
        balance: shown(account, account.balance),
        reserved: shown(account, account.reserved),
        available: shown(account, account.available()),
        recharge: under_way(state, caller).await?.map(recharges::view),
    })
}

/// An amount in the currency of an account.
pub(super) fn shown(account: &CreditAccount, amount: Decimal) -> MoneyView {
    money(&Money { amount: amount.normalize(), currency: account.currency.clone() })
}

/// The payment that was asked for and has not come.
async fn under_way(state: &AppState, caller: &Caller) -> ApiResult<Option<Recharge>> {
    // Which month it is does not matter to that.
    let standing = state.records.credit_standing(caller.tenant, now()).await?;
    Ok(standing.and_then(|standing| standing.open))
}

/// The account of the caller's tenant; it begins with what is configured.
pub(super) async fn account(state: &AppState, caller: &Caller) -> ApiResult<CreditAccount> {
    if let Some(account) = state.records.credits(caller.tenant).await? {
        return Ok(account);
    }
    let directory = state.directory.load_full();
    let held = directory.tenants.get(&caller.tenant);
    let opening = held.and_then(|held| held.tenant.credits.clone()).ok_or_else(|| {
        let detail = "the tenant does not pay in advance; give it `credits` in the apply file";
        ApiError::new(StatusCode::NOT_FOUND, "no_credits", "The tenant has no credits", detail)
    })?;
    Ok(state.records.open_credits(caller.tenant, opening, now()).await?)
}

/// What was paid in advance, and what is left of it.
#[utoipa::path(
    tag = "billing",
    responses(
        (status = 200, body = CreditsView),
        (status = 404, body = Problem, description = "The tenant does not pay in advance", content_type = "application/problem+json"),
    )
)]
#[get("/credits")]
pub(crate) async fn get_credits(
    state: web::Data<AppState>,
    caller: Caller,
) -> ApiResult<web::Json<CreditsView>> {
    caller.require(Scope::BillingRead)?;
    let account = account(&state, &caller).await?;
    Ok(web::Json(view(&state, &caller, &account).await?))
}

/// Records a payment. The same reference again changes nothing.
#[utoipa::path(
    tag = "billing",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = PurchaseBody,
    responses(
        (status = 200, body = CreditsView),
        (status = 404, body = Problem, description = "The tenant does not pay in advance", content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/credits/purchases")]
pub(crate) async fn purchase_credits(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    body: Body<PurchaseBody>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::BillingWrite)?;
    let Body { value, fingerprint } = body;
    well_formed(line("/reference", &value.reference, REFERENCE_CHARS))?;
    let amount = positive("/amount", &value.amount, None)?;
    idempotency::once(&state, &caller, &request, fingerprint, async || {
        account(&state, &caller).await?;
        let (reference, recharge) = (value.reference.trim().into(), value.recharge_id);
        let purchase = Purchase { reference, amount, recharge, at: now() };
        let account = state.records.purchase_credits(caller.tenant, purchase).await?;
        Answer::json(StatusCode::OK, None, &view(&state, &caller, &account).await?)
    })
    .await
}

/// Every change of the balance, newest first. Their sum is the balance.
#[utoipa::path(tag = "billing", params(Paging), responses((status = 200, body = Page<CreditEntryView>)))]
#[get("/credits/entries")]
pub(crate) async fn list_credit_entries(
    state: web::Data<AppState>,
    caller: Caller,
    paging: Query<Paging>,
) -> ApiResult<web::Json<Page<CreditEntryView>>> {
    caller.require(Scope::BillingRead)?;
    let found = state.records.credit_entries(caller.tenant, paging.request()?).await?;
    Ok(web::Json(page(found, entry)))
}

pub(super) fn entry(entry: CreditEntry) -> CreditEntryView {
    let kind = match entry.kind {
        CreditKind::Opening => "opening",
        CreditKind::Purchase => "purchase",
        CreditKind::Charge => "charge",
        CreditKind::Release => "release",
    };
    CreditEntryView {
        at: entry.at,
        kind: kind.to_owned(),
        amount: money(&entry.amount),
        released: entry.released.as_ref().map(money),
        message_id: entry.message,
        reference: entry.reference.map(|reference| reference.to_string()),
    }
}

/// Why what was reserved for a message is available again.
pub(crate) fn words(entry: &CreditEntry) -> Option<String> {
    let Money { amount, currency } = entry.released.as_ref()?;
    let days = RESERVED_FOR.0 / SpanMs::hours(24).0;
    Some(format!(
        "{amount} {} that were reserved for it are available again since {}: the provider did not say within {days} days \
         what became of the message; if it still says that it was delivered, it is charged",
        currency.0, entry.at
    ))
}

/// What a send is charged as, and whether it is a template; `None` when there is no such template.
pub(super) fn charged_as(held: &TenantDirectory, wish: &Action) -> Option<(Category, bool)> {
    Some(match wish {
        Action::Send(SendBody::Template { name, language, .. }) => {
            let template = held.templates.get(name)?.get(language).filter(|found| found.is_there())?;
            match template.kind {
                TemplateKind::Approved => (template.category, true),
                // Ready-made text.
                TemplateKind::Custom => (Category::Service, false),
            }
        }
        // Whether it leaves as a template is known later: the dearer of both has to be there.
        Action::SendOrSubmit { approval, .. } => (approval.category, true),
        _ => (Category::Service, false),
    })
}

/// Refuses a send that the tenant's credits do not cover, unless it repeats one that was taken. It is asked again before
/// the message leaves: messages of the bot, and those that wait, are taken from the same credits.
pub(crate) async fn require_funds(
    state: &AppState,
    caller: &Caller,
    request: &HttpRequest,
    (address, wish): (&Address, &Action),
) -> ApiResult<()> {
    let directory = state.directory.load_full();
    let Some(held) = directory.tenants.get(&caller.tenant).filter(|held| held.tenant.credits.is_some())
    else {
        return Ok(());
    };
    // A template that does not exist is refused for that.
    let Some((category, _)) = charged_as(held, wish) else { return Ok(()) };
    let book = Book::of(held, Some(address.number), &directory.rate_cards, time_zone(&held.tenant.time_zone));
    let sent = (category, now());
    let Some(quote) = book.most(address.number, &address.contact, sent) else { return Ok(()) };
    let (price, code) = (quote.price.amount, quote.price.currency.0.clone());
    account(state, caller).await?;
    let Reservation::Short(account) = state.records.quote_credits(caller.tenant, quote).await? else {
        return Ok(());
    };
    if command::is_repeated(state, caller, request).await? {
        return Ok(());
    }
    let left = account.available().normalize();
    let mut detail = format!("it may cost {price} {code} and {left} {code} are available: buy credits");
    if let Some(asked) = under_way(state, caller).await? {
        let Money { amount, currency } = &asked.amount;
        detail.push_str(&format!("; {amount} {} were asked for at {}", currency.0, asked.asked_at));
    }
    let refusal = Refusal::InsufficientCredits { detail };
    command::note_refusal(state, caller, address.clone(), refusal.clone()).await;
    Err(refusal.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d9_a_release_says_how_much_and_why() {
        let euro = |amount: Decimal| Money { amount, currency: protocol::pricing::Currency("EUR".into()) };
        let entry = CreditEntry {
            id: 1,
            at: protocol::time::TimestampMs(1_794_398_400_000),
            kind: CreditKind::Release,
            amount: euro(Decimal::ZERO),
            released: Some(euro("0.0248".parse().unwrap())),
            message: Some(protocol::id::MessageId(1)),
            reference: None,
        };
        let text = words(&entry).unwrap();
        assert!(text.starts_with("0.0248 EUR") && text.contains("37 days"), "{text}");
        assert_eq!(words(&CreditEntry { released: None, ..entry }), None);
    }
}
