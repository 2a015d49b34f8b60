//! Amounts as billionths: exact, and SQL can add them up.

use compact_str::CompactString;
use protocol::pricing::{Currency, Money};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::super::{RecordsError, RecordsResult};

/// Decimals that are kept. Rate cards have four to six.
const DECIMALS: u32 = 9;

/// The amount in billionths.
pub(super) fn nano(money: &Money) -> RecordsResult<i64> {
    let invalid = || RecordsError::Invalid {
        field: "amount",
        detail: format!("{} must have at most {DECIMALS} decimals and be below nine billion", money.amount),
    };
    let scaled = money.amount.checked_mul(Decimal::from(10i64.pow(DECIMALS))).ok_or_else(invalid)?;
    if scaled.fract().is_zero() { scaled.to_i64().ok_or_else(invalid) } else { Err(invalid()) }
}

/// The amount that a number of billionths stands for.
pub(super) fn money(nano: i64, currency: CompactString) -> Money {
    Money { amount: Decimal::new(nano, DECIMALS).normalize(), currency: Currency(currency) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_survive_exactly_or_are_refused() {
        for text in ["0.0248", "0", "-1.5", "123456.000000001"] {
            let amount: Decimal = text.parse().unwrap();
            let euro = Money { amount, currency: Currency("EUR".into()) };
            assert_eq!(money(nano(&euro).unwrap(), "EUR".into()), euro);
        }
        for text in ["0.0000000001", "99999999999"] {
            let amount: Decimal = text.parse().unwrap();
            assert!(nano(&Money { amount, currency: Currency("EUR".into()) }).is_err(), "{text}");
        }
    }
}
