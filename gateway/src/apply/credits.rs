//! Credits of an apply file, and what happens when they run low.

use protocol::directory::{CreditRules, RechargeRule};
use protocol::id::TenantId;
use protocol::pricing::{Currency, Money};
use rust_decimal::Decimal;

use super::file::{CreditsFile, RechargeFile};
use super::resolve::Resolver;
use crate::api::is_amount;

impl Resolver<'_> {
    /// The opening balance; the rules go where they belong.
    pub(super) fn credits(&mut self, path: &str, tenant: TenantId, file: CreditsFile) -> Option<Money> {
        let currency = self.currency(&format!("{path}.currency"), &file.currency)?;
        let below =
            file.low_balance.and_then(|below| self.amount(format!("{path}.low_balance"), below, &currency));
        let recharge = file.auto_recharge;
        let recharge =
            recharge.and_then(|rule| self.recharge(&format!("{path}.auto_recharge"), &rule, &currency));
        if below.is_some() || recharge.is_some() {
            self.out.credit_rules.push(CreditRules { tenant, notify_below: below, recharge });
        }
        Some(Money { amount: file.balance, currency })
    }

    fn recharge(&mut self, path: &str, file: &RechargeFile, currency: &Currency) -> Option<RechargeRule> {
        let minimum_balance = self.amount(format!("{path}.minimum_balance"), file.minimum_balance, currency);
        let amount = self.amount(format!("{path}.amount"), file.amount, currency);
        let limit = file.monthly_limit;
        let monthly_limit =
            limit.and_then(|limit| self.amount(format!("{path}.monthly_limit"), limit, currency));
        if limit.is_some_and(|limit| limit < file.amount) {
            self.problem(format!("{path}.monthly_limit"), "must not be less than `amount`");
        }
        Some(RechargeRule { minimum_balance: minimum_balance?, amount: amount?, monthly_limit })
    }

    fn amount(&mut self, path: String, amount: Decimal, currency: &Currency) -> Option<Money> {
        if !is_amount(amount) {
            self.problem(path, "must be above zero, with at most nine decimals");
            return None;
        }
        Some(Money { amount, currency: currency.clone() })
    }
}
