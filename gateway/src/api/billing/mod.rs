//! `/v1/billing`: what was charged, and why.

pub(crate) mod credits;
pub(crate) mod day;
pub(crate) mod difference;
pub(crate) mod ledger;
pub(crate) mod preview;
pub(crate) mod usage;

use protocol::api::billing::MoneyView;
use protocol::pricing::Money;

/// Money as callers see it.
pub(crate) fn money(money: &Money) -> MoneyView {
    MoneyView { amount: money.amount.to_string(), currency: money.currency.0.to_string() }
}

/// Why a line of the ledger costs what it costs, in words.
pub(crate) fn words(explanation: &serde_json::Value) -> String {
    explanation["text"].as_str().map_or_else(|| explanation.to_string(), str::to_owned)
}
