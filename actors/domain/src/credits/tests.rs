use jiff::civil::date;
use proptest::prelude::*;
use protocol::id::TenantId;

use super::*;
use crate::metering::time_zone;

const NOW: TimestampMs = TimestampMs(1_794_398_400_000);
const MONTH: TimestampMs = TimestampMs(1_793_000_000_000);

fn euro(amount: i64) -> Money {
    Money { amount: amount.into(), currency: Currency("EUR".into()) }
}

fn rules(limit: Option<i64>) -> CreditRules {
    let rule = RechargeRule { minimum_balance: euro(10), amount: euro(50), monthly_limit: limit.map(euro) };
    CreditRules { tenant: TenantId(1), notify_below: Some(euro(20)), recharge: Some(rule) }
}

fn standing(available: i64) -> Standing {
    Standing {
        currency: Currency("EUR".into()),
        available: available.into(),
        payments: 0,
        memory: Memory::default(),
        open: None,
        asked_this_month: Decimal::ZERO,
    }
}

fn recharge(id: u128, asked_at: TimestampMs) -> Recharge {
    Recharge {
        id: RechargeId(id),
        asked_at,
        amount: euro(50),
        available: Decimal::ONE,
        state: RechargeState::Asked,
        ended_at: None,
        detail: None,
    }
}

fn names(steps: &[Step]) -> Vec<&'static str> {
    let name = |step: &Step| match step {
        Step::Low { .. } => "low",
        Step::Ask(_) => "ask",
        Step::HoldBack { .. } => "hold back",
        Step::GiveUp(_) => "give up",
    };
    steps.iter().map(name).collect()
}

#[test]
fn d9_low_credits_are_told_once_until_a_payment_lifts_them() {
    let rules = CreditRules { recharge: None, ..rules(None) };
    let mut now = standing(25);
    let look = |now: &mut Standing, available: i64| {
        now.available = available.into();
        let (memory, steps) = judge(&rules, now, (MONTH, NOW));
        now.memory = memory;
        names(&steps)
    };
    assert!(look(&mut now, 20).is_empty(), "not below yet");
    assert_eq!(look(&mut now, 19), ["low"]);
    for available in [18, 21, 19, 25, 5] {
        assert!(look(&mut now, available).is_empty(), "a reservation that ended is no payment");
    }
    now.payments = 1;
    assert!(look(&mut now, 15).is_empty(), "still low");
    assert!(look(&mut now, 40).is_empty());
    assert_eq!(look(&mut now, 19), ["low"], "another crossing");
}

#[test]
fn d9_a_payment_is_asked_for_once_and_again_after_one_that_did_not_suffice() {
    let rules = CreditRules { notify_below: None, ..rules(None) };
    let mut now = standing(9);
    let (memory, steps) = judge(&rules, &now, (MONTH, NOW));
    assert_eq!(names(&steps), ["ask"]);
    now.memory = memory;
    now.open = Some(recharge(1, NOW));
    assert!(judge(&rules, &now, (MONTH, NOW)).1.is_empty(), "one is under way");
    now.open = None;
    assert!(judge(&rules, &now, (MONTH, NOW)).1.is_empty(), "it was declined: not asked again");
    now.payments = 1;
    assert_eq!(names(&judge(&rules, &now, (MONTH, NOW)).1), ["ask"], "paid, and still below");
    let other = CreditRules {
        recharge: rules.recharge.clone().map(|rule| RechargeRule { amount: euro(60), ..rule }),
        ..rules
    };
    now.payments = 0;
    assert_eq!(names(&judge(&other, &now, (MONTH, NOW)).1), ["ask"], "another rule");
}

#[test]
fn d9_the_limit_of_the_month_holds_a_payment_back_and_says_so_once() {
    let rules = CreditRules { notify_below: None, ..rules(Some(120)) };
    let mut now = Standing { asked_this_month: 100.into(), ..standing(1) };
    let (memory, steps) = judge(&rules, &now, (MONTH, NOW));
    assert_eq!(names(&steps), ["hold back"]);
    now.memory = memory;
    assert!(judge(&rules, &now, (MONTH, NOW)).1.is_empty());
    now.asked_this_month = Decimal::ZERO;
    let next = (NOW, NOW);
    assert_eq!(names(&judge(&rules, &now, next).1), ["ask"], "another month");
}

#[test]
fn d9_a_payment_that_nobody_makes_is_given_up() {
    let rules = rules(None);
    let mut now = Standing { open: Some(recharge(1, NOW)), ..standing(30) };
    assert!(judge(&rules, &now, (MONTH, NOW + RECHARGE_WITHIN)).1.is_empty());
    let late = NOW + RECHARGE_WITHIN + protocol::time::SpanMs(1);
    assert_eq!(names(&judge(&rules, &now, (MONTH, late)).1), ["give up"]);
    now.currency = Currency("USD".into());
    now.open = None;
    now.available = Decimal::ZERO;
    assert!(judge(&rules, &now, (MONTH, NOW)).1.is_empty(), "rules in another currency do not apply");
}

#[test]
fn d9_months_begin_at_midnight_of_the_tenant() {
    let (from, to) = month(date(2026, 11, 21), &time_zone("Europe/Rome"));
    let shown = |at: TimestampMs| at.to_jiff().to_string();
    assert_eq!((shown(from), shown(to)), ("2026-10-31T23:00:00Z".into(), "2026-11-30T23:00:00Z".into()));
}

proptest! {
    #[test]
    fn d9_whatever_happens_one_payment_is_under_way_and_the_limit_holds(
        steps in prop::collection::vec((0..60i64, 0..4u8), 1..60),
    ) {
        let rules = rules(Some(150));
        let mut now = standing(60);
        let mut asked = Decimal::ZERO;
        for (available, then) in steps {
            now.available = available.into();
            let (memory, found) = judge(&rules, &now, (MONTH, NOW));
            now.memory = memory;
            for step in found {
                if let Step::Ask(rule) = step {
                    prop_assert!(now.open.is_none(), "one at a time");
                    asked += rule.amount.amount;
                    now.asked_this_month += rule.amount.amount;
                    now.open = Some(recharge(1, NOW));
                }
            }
            prop_assert!(asked <= Decimal::from(150));
            prop_assert!(judge(&rules, &now, (MONTH, NOW)).1.is_empty(), "nothing is left to do");
            match then {
                0 => now.open = None,
                1 if now.open.take().is_some() => now.payments += 1,
                _ => {}
            }
        }
    }
}
