use domain::credits::Step;
use futures_util::future::join_all;
use protocol::credit::RechargeState;
use protocol::directory::{CreditRules, RechargeRule};
use protocol::id::{RechargeId, TenantId};
use protocol::pricing::{Currency, Money};
use protocol::time::TimestampMs;
use store::records::*;

use super::facts::{ACME, OTHER, minute};
use super::{Backend, fresh};

fn euro(amount: i64) -> Money {
    Money { amount: amount.into(), currency: Currency("EUR".into()) }
}

fn rules() -> CreditRules {
    let rule = RechargeRule { minimum_balance: euro(10), amount: euro(50), monthly_limit: Some(euro(120)) };
    CreditRules { tenant: ACME, notify_below: Some(euro(20)), recharge: Some(rule) }
}

async fn follow(records: &impl Records, at: TimestampMs) -> Vec<Step> {
    records.follow_credits(rules(), minute(0), at).await.unwrap()
}

/// The names of what a tenant is told.
async fn told(records: &impl Records, tenant: TenantId) -> Vec<&'static str> {
    let query = EventQuery { tenant: Some(tenant), limit: 100, ..EventQuery::default() };
    records.events(query).await.unwrap().iter().map(|stored| stored.event.fact.name()).collect()
}

async fn asked(records: &impl Records) -> Vec<(RechargeId, RechargeState)> {
    let found = records.recharges(ACME, PageRequest::first(10)).await.unwrap().data;
    found.into_iter().map(|recharge| (recharge.id, recharge.state)).collect()
}

fn purchase(reference: &str, recharge: Option<RechargeId>) -> Purchase {
    Purchase { reference: reference.into(), amount: euro(50), recharge, at: minute(5) }
}

pub(super) async fn d9_low_credits_are_told_and_one_payment_is_asked_for<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    assert!(follow(&records, minute(1)).await.is_empty(), "no account, no rules");
    records.open_credits(ACME, euro(5), minute(0)).await.unwrap();
    records.open_credits(OTHER, euro(5), minute(0)).await.unwrap();
    assert_eq!(follow(&records, minute(1)).await.len(), 2);
    assert!(follow(&records, minute(2)).await.is_empty());
    assert_eq!(told(&records, ACME).await, ["credits.low", "credits.recharge_asked"]);
    let (id, _) = asked(&records).await[0];
    let standing = records.credit_standing(ACME, minute(0)).await.unwrap().unwrap();
    assert_eq!(standing.open.map(|open| (open.id, open.available)), Some((id, 5.into())));

    let unknown = records.purchase_credits(ACME, purchase("inv-0", Some(RechargeId(9)))).await;
    assert!(matches!(unknown, Err(RecordsError::Invalid { field: "recharge_id", .. })), "{unknown:?}");
    let foreign = records.purchase_credits(OTHER, purchase("inv-0", Some(id))).await;
    assert!(foreign.is_err(), "another tenant's");
    for _ in 0..2 {
        let account = records.purchase_credits(ACME, purchase("inv-1", Some(id))).await.unwrap();
        assert_eq!((account.balance, account.payments), (55.into(), 1), "counted once");
    }
    assert_eq!(asked(&records).await, [(id, RechargeState::Paid)]);
    assert_eq!(told(&records, ACME).await[2..], ["credits.recharge_ended"]);
    assert!(told(&records, OTHER).await.is_empty());
    let standing = records.credit_standing(ACME, minute(0)).await.unwrap().unwrap();
    assert_eq!((standing.open, standing.asked_this_month), (None, 50.into()));
    let later = records.credit_standing(ACME, minute(2)).await.unwrap().unwrap();
    assert_eq!(later.asked_this_month, 0.into(), "another month");
}

pub(super) async fn d9_a_declined_payment_counts_nowhere_and_ends_once<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    records.open_credits(ACME, euro(5), minute(0)).await.unwrap();
    follow(&records, minute(1)).await;
    let (id, _) = asked(&records).await[0];
    let decline = async |tenant, reason: &str| {
        records.decline_recharge(tenant, id, reason.to_owned(), minute(3)).await.unwrap()
    };
    assert_eq!(decline(OTHER, "no").await, None);
    for reason in ["the card is expired", "again"] {
        let declined = decline(ACME, reason).await.unwrap();
        assert_eq!(
            (declined.state, declined.detail.as_deref()),
            (RechargeState::Declined, Some("the card is expired"))
        );
    }
    assert!(follow(&records, minute(4)).await.is_empty(), "not asked again");
    let standing = records.credit_standing(ACME, minute(0)).await.unwrap().unwrap();
    assert_eq!(standing.asked_this_month, 0.into());
    records.purchase_credits(ACME, purchase("late", Some(id))).await.unwrap();
    assert_eq!(asked(&records).await, [(id, RechargeState::Paid)], "money that comes all the same counts");
}

pub(super) async fn d9_whoever_looks_at_once_asks_for_one_payment<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    records.open_credits(ACME, euro(5), minute(0)).await.unwrap();
    let looks = join_all((1..8).map(|at| follow(&records, minute(at)))).await;
    assert_eq!(looks.iter().filter(|steps| !steps.is_empty()).count(), 1);
    assert_eq!((asked(&records).await.len(), told(&records, ACME).await.len()), (1, 2));
    let late = minute(8) + domain::limits::RECHARGE_WITHIN;
    assert!(matches!(follow(&records, late).await[..], [Step::GiveUp(_)]), "nobody paid");
    assert_eq!(told(&records, ACME).await[2..], ["credits.recharge_ended"]);
}
