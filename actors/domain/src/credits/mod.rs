//! When a tenant is told that its credits run low, and when a payment is asked for.
//!
//! The laws, each a property test:
//!
//! * **Once per crossing.** Reservations that come and go around a threshold tell nobody twice: only a payment arms
//!   either rule again.
//! * **One at a time.** No payment is asked for while another one is under way.
//! * **Capped.** What is asked for in a month never exceeds the limit of the rule.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use protocol::credit::RechargeState;
use protocol::directory::{CreditRules, RechargeRule};
use protocol::id::RechargeId;
use protocol::pricing::{Currency, Money};
use protocol::time::TimestampMs;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::limits::RECHARGE_WITHIN;

#[cfg(test)]
mod tests;

/// The credits of a tenant and what was done about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Of every amount.
    pub currency: Currency,
    /// What further messages may cost.
    pub available: Decimal,
    /// Payments that were counted so far.
    pub payments: u64,
    /// What was done before.
    pub memory: Memory,
    /// The payment under way.
    pub open: Option<Recharge>,
    /// What was asked for since the month began, without what was declined.
    pub asked_this_month: Decimal,
}

/// What was done about low credits, so that it is done once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// The tenant was told.
    pub told: Option<Told>,
    /// A payment was asked for, or held back.
    pub asked: Option<Asked>,
}

/// The tenant was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When so many payments had been counted.
    pub payments: u64,
    /// That less than this is available.
    pub below: Money,
}

/// A payment was asked for, or held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// When so many payments had been counted.
    pub payments: u64,
    /// By this rule.
    pub rule: RechargeRule,
    /// It was held back in the month that began then.
    pub held_back_in: Option<TimestampMs>,
}

/// A payment that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recharge {
    /// Derived from the tenant and the time.
    pub id: RechargeId,
    /// When it was asked for.
    pub asked_at: TimestampMs,
    /// How much.
    pub amount: Money,
    /// What was available then.
    pub available: Decimal,
    /// Where it stands.
    pub state: RechargeState,
    /// When it was paid, declined or given up.
    pub ended_at: Option<TimestampMs>,
    /// The name of the payment, or why there was none.
    pub detail: Option<String>,
}

/// What follows from a standing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Tell the tenant.
    Low {
        /// What it wanted to be told about.
        below: Money,
    },
    /// Ask for a payment.
    Ask(RechargeRule),
    /// The limit of the month holds it back.
    HoldBack {
        /// By this rule.
        rule: RechargeRule,
        /// The limit.
        limit: Money,
    },
    /// Nobody paid in time.
    GiveUp(Recharge),
}

/// When the month of an instant began, and when the next one begins, in a time zone.
#[must_use]
pub fn month(day: Date, zone: &TimeZone) -> (TimestampMs, TimestampMs) {
    let instant = |date: Date| {
        // A midnight that a clock change leaves out is the first instant after it; only the end of time has none.
        let zoned = date.to_zoned(zone.clone());
        zoned.map_or(TimestampMs(i64::MAX), |zoned| TimestampMs(zoned.timestamp().as_millisecond()))
    };
    let first = day.first_of_month();
    (instant(first), instant(day.last_of_month().tomorrow().unwrap_or(Date::MAX)))
}

/// What is to be done now, and what is to be remembered of it.
#[must_use]
pub fn judge(
    rules: &CreditRules,
    standing: &Standing,
    (month_from, now): (TimestampMs, TimestampMs),
) -> (Memory, Vec<Step>) {
    let (told, low) = tell(rules, standing);
    let (asked, recharge) = ask(rules, standing, month_from, now);
    (Memory { told, asked }, low.into_iter().chain(recharge).collect())
}

fn tell(rules: &CreditRules, standing: &Standing) -> (Option<Told>, Option<Step>) {
    let in_currency = |below: &&Money| below.currency == standing.currency;
    let Some(below) = rules.notify_below.as_ref().filter(in_currency) else { return (None, None) };
    let known = standing.memory.told.clone().filter(|told| told.below == *below);
    match known {
        None if standing.available < below.amount => {
            let told = Told { payments: standing.payments, below: below.clone() };
            (Some(told), Some(Step::Low { below: below.clone() }))
        }
        Some(told) if standing.available >= below.amount && standing.payments > told.payments => (None, None),
        known => (known, None),
    }
}

fn ask(
    rules: &CreditRules,
    standing: &Standing,
    month_from: TimestampMs,
    now: TimestampMs,
) -> (Option<Asked>, Option<Step>) {
    let known = standing.memory.asked.clone();
    if let Some(open) = &standing.open {
        let late = now - open.asked_at > RECHARGE_WITHIN;
        return (known, late.then(|| Step::GiveUp(open.clone())));
    }
    let in_currency = |rule: &&RechargeRule| rule.minimum_balance.currency == standing.currency;
    let Some(rule) = rules.recharge.as_ref().filter(in_currency) else { return (None, None) };
    let done = known.as_ref().is_some_and(|asked| {
        let same = asked.payments == standing.payments && asked.rule == *rule;
        same && asked.held_back_in.is_none_or(|month| month == month_from)
    });
    if done || standing.available >= rule.minimum_balance.amount {
        return (known, None);
    }
    let over = |limit: &&Money| standing.asked_this_month + rule.amount.amount > limit.amount;
    let limit = rule.monthly_limit.as_ref().filter(over);
    let asked =
        Asked { payments: standing.payments, rule: rule.clone(), held_back_in: limit.map(|_| month_from) };
    let step = match limit {
        Some(limit) => Step::HoldBack { rule: rule.clone(), limit: limit.clone() },
        None => Step::Ask(rule.clone()),
    };
    (Some(asked), Some(step))
}
