//! `/v1/billing`: what was charged, and why.

pub(crate) mod ledger;
pub(crate) mod usage;

use protocol::api::billing::MoneyView;
use protocol::pricing::Money;

/// Money as callers see it.
pub(crate) fn money(money: &Money) -> MoneyView {
    MoneyView { amount: money.amount.to_string(), currency: money.currency.0.to_string() }
}
