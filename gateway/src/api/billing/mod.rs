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

use protocol::api::billing::MoneyView;
use protocol::pricing::{Currency, Money};
use rust_decimal::Decimal;

use crate::api::problem::{ApiError, ApiResult};

/// Money as callers see it.
pub(crate) fn money(money: &Money) -> MoneyView {
    MoneyView { amount: money.amount.to_string(), currency: money.currency.0.to_string() }
}

/// Why a line of the ledger costs what it costs, in words.
pub(crate) fn words(explanation: &serde_json::Value) -> String {
    explanation["text"].as_str().map_or_else(|| explanation.to_string(), str::to_owned)
}

/// Decimals of an amount, and what it must be below: what the records keep exactly.
const MAX_DECIMALS: u32 = 9;
const MAX_AMOUNT: i64 = 1_000_000_000;

/// Whether an amount is above zero and can be kept exactly.
pub(crate) fn is_amount(amount: Decimal) -> bool {
    amount > Decimal::ZERO && amount < MAX_AMOUNT.into() && amount.normalize().scale() <= MAX_DECIMALS
}

/// An amount above zero, in a currency if one is given.
pub(crate) fn positive(pointer: &str, given: &MoneyView, currency: Option<&Currency>) -> ApiResult<Money> {
    let detail = "must be a decimal text above zero, such as `250.00`, with at most nine decimals";
    let wrong = || ApiError::field(format!("{pointer}/amount"), detail);
    let amount = given.amount.parse::<Decimal>().map_err(|_| wrong())?;
    if !is_amount(amount) {
        return Err(wrong());
    }
    let pointer = format!("{pointer}/currency");
    let code = &given.currency;
    if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(ApiError::field(pointer, "must be an ISO 4217 code such as `EUR`"));
    }
    match currency.filter(|wanted| wanted.0 != *code) {
        Some(wanted) => Err(ApiError::field(pointer, format!("must be {}, as the credits are", wanted.0))),
        None => Ok(Money { amount, currency: Currency(code.as_str().into()) }),
    }
}
