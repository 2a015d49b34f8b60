//! How what the provider says that it charges differs from our estimate.

use domain::metering::Rule;
use protocol::api::billing::DifferenceView;
use protocol::pricing::{Currency, Money};
use rust_decimal::Decimal;
use serde::Deserialize;
use store::records::LedgerEntry;

use super::money;

/// A charge as the ledger keeps it in its explanation.
#[derive(Deserialize)]
struct Side {
    rule: Rule,
    amount: Option<Money>,
}

impl Side {
    /// Zero where it is free; `None` where no rate card prices it.
    fn amount(&self, currency: &Currency) -> Option<Money> {
        let free = || Money { amount: Decimal::ZERO, currency: currency.clone() };
        self.amount.clone().or_else(|| (!self.rule.is_charged()).then(free))
    }
}

/// The difference of an entry, if there is one.
pub(crate) fn view(entry: &LedgerEntry) -> Option<DifferenceView> {
    let side = |name: &str| Side::deserialize(entry.explanation.get(name)?).ok();
    let (estimate, cost) = (side("estimate")?, side("cost")?);
    let priced = estimate.amount.as_ref().or(cost.amount.as_ref());
    let currency = priced.map_or_else(|| entry.amount.currency.clone(), |money| money.currency.clone());
    let (estimated, reported) = (estimate.amount(&currency), cost.amount(&currency));
    let amount = match (&estimated, &reported) {
        (Some(estimated), Some(reported)) if estimated.currency == reported.currency => {
            Some(Money { amount: reported.amount - estimated.amount, currency })
        }
        _ => None,
    };
    Some(DifferenceView {
        estimated: estimated.as_ref().map(money),
        reported: reported.as_ref().map(money),
        amount: amount.as_ref().map(money),
        explanation: format!("{}, but we expected: {}", cost.rule.words(), estimate.rule.words()),
    })
}

/// The same for `explain`.
pub(crate) fn words(entry: &LedgerEntry) -> Option<String> {
    let DifferenceView { amount, explanation, .. } = view(entry)?;
    let by = amount.map(|money| format!(" by {} {}", money.amount, money.currency)).unwrap_or_default();
    Some(format!("the provider's cost differs{by}: {explanation}"))
}
