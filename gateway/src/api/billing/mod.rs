//! `/v1/billing`: what was charged, and why.

pub(crate) mod credits;
pub(crate) mod day;
pub(crate) mod difference;
pub(crate) mod ledger;
pub(crate) mod preview;
pub(crate) mod recharges;
pub(crate) mod rules;
pub(crate) mod statement;
pub(crate) mod usage;

use protocol::api::billing::{MoneyBody, MoneyView};
use protocol::limits::AMOUNT_DIGITS;
use protocol::pricing::{Currency, Money};
use protocol::text::{is_capitals, is_decimal};
use rust_decimal::Decimal;

use crate::api::known::{self, well_formed};
use crate::api::problem::{ApiError, ApiResult};

/// Money as callers see it.
pub(crate) fn money(money: &Money) -> MoneyView {
    MoneyView { amount: money.amount.to_string(), currency: money.currency.0.to_string() }
}

/// Money as callers give it.
pub(crate) fn given(money: &Money) -> MoneyBody {
    let MoneyView { amount, currency } = self::money(money);
    MoneyBody { amount, currency }
}

/// Why a line of the ledger costs what it costs, in words.
pub(crate) fn words(explanation: &serde_json::Value) -> String {
    explanation["text"].as_str().map_or_else(|| explanation.to_string(), str::to_owned)
}

/// What an amount must be below: as many digits as the records keep exactly.
const MAX_AMOUNT: u64 = 10u64.pow(AMOUNT_DIGITS);

/// Whether an amount is above zero and can be kept exactly.
pub(crate) fn is_amount(amount: Decimal) -> bool {
    amount > Decimal::ZERO && amount < MAX_AMOUNT.into() && amount.normalize().scale() <= AMOUNT_DIGITS
}

/// An amount above zero, in a currency if one is given.
pub(crate) fn positive(pointer: &str, given: &MoneyBody, currency: Option<&Currency>) -> ApiResult<Money> {
    let detail = "must be a decimal text above zero, such as `250.00`, with at most nine digits on each side";
    let places = [format!("{pointer}/amount"), format!("{pointer}/currency")];
    let wrong = [
        (!is_decimal(&given.amount)).then(|| known::wrong(&places[0], detail)),
        (!is_capitals(&given.currency, 3))
            .then(|| known::wrong(&places[1], "must be an ISO 4217 code such as `EUR`")),
    ];
    well_formed(wrong.into_iter().flatten())?;
    let [at_amount, at_currency] = places;
    let amount = given.amount.parse::<Decimal>().ok().filter(|amount| is_amount(*amount));
    let amount = amount.ok_or_else(|| ApiError::field(at_amount, detail))?;
    match currency.filter(|wanted| wanted.0 != given.currency) {
        Some(wanted) => {
            Err(ApiError::field(at_currency, format!("must be {}, as the credits are", wanted.0)))
        }
        None => Ok(Money { amount, currency: Currency(given.currency.as_str().into()) }),
    }
}
