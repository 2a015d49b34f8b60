use domain::metering::Quote;
use protocol::id::{MessageId, TenantId};
use protocol::pricing::{Currency, Money};
use rust_decimal::Decimal;
use store::records::*;

use super::facts::{ACME, OTHER, minute};
use super::{Backend, fresh};

fn euro(amount: &str) -> Money {
    Money { amount: amount.parse().unwrap(), currency: Currency("EUR".into()) }
}

/// Balance and what is reserved of it.
async fn sums(records: &impl Records, tenant: TenantId) -> (String, String) {
    let account = records.credits(tenant).await.unwrap().unwrap();
    (account.balance.to_string(), account.reserved.to_string())
}

async fn reserve(records: &impl Records, message: u128, amount: &str) -> Reservation {
    let quote = Quote { price: euro(amount), free_tier: None };
    records.reserve_credits(ACME, MessageId(message), quote, minute(1)).await.unwrap()
}

async fn settle(records: &impl Records, from: u64, uses: Vec<CreditUse>) {
    let advance = Advance { consumer: "meter", from: EventSeq(from), to: EventSeq(from + 1) };
    let commit = MeterCommit { credits: uses, ..MeterCommit::of(advance) };
    records.meter_commit(commit).await.unwrap();
}

fn used(message: u128, charge: Option<&str>) -> CreditUse {
    CreditUse { tenant: ACME, message: MessageId(message), charge: charge.map(euro), at: minute(2) }
}

pub(super) async fn d9_a_message_is_reserved_then_charged_or_released<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    assert_eq!(records.credits(ACME).await.unwrap(), None);
    assert_eq!(reserve(&records, 1, "0.5").await, Reservation::NoAccount);
    records.open_credits(ACME, euro("1"), minute(0)).await.unwrap();
    records.open_credits(ACME, euro("99"), minute(0)).await.unwrap();
    assert_eq!(sums(&records, ACME).await, ("1".into(), "0".into()), "opened once");
    for _ in 0..2 {
        assert_eq!(reserve(&records, 1, "0.6").await, Reservation::Held, "the second time changes nothing");
    }
    let Reservation::Short(account) = reserve(&records, 2, "0.5").await else { panic!("not enough") };
    assert_eq!((account.available(), account.reserved), ("0.4".parse().unwrap(), "0.6".parse().unwrap()));
    assert_eq!(records.credits_reserved().await.unwrap(), "0.6".parse::<Decimal>().unwrap());
    assert_eq!(reserve(&records, 3, "0.4").await, Reservation::Held, "to the last cent");
    settle(&records, 0, vec![used(1, Some("0.25")), used(3, None)]).await;
    assert_eq!(sums(&records, ACME).await, ("0.75".into(), "0".into()));
    // A delivery that nothing was reserved for, dearer than what is left.
    settle(&records, 1, vec![used(4, Some("2"))]).await;
    assert_eq!(sums(&records, ACME).await, ("0".into(), "0".into()), "never negative");
    let entries = records.credit_entries(ACME, PageRequest::first(9)).await.unwrap().data;
    let total: Decimal = entries.iter().map(|entry| entry.amount.amount).sum();
    assert_eq!((entries.len(), total), (3, Decimal::ZERO), "the balance is the sum of its changes");
}

pub(super) async fn d9_a_purchase_counts_once_and_keeps_the_currency<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    records.open_credits(ACME, euro("0"), minute(0)).await.unwrap();
    records.open_credits(OTHER, euro("3"), minute(0)).await.unwrap();
    let purchase = |reference: &str, amount| Purchase {
        reference: reference.into(),
        amount,
        recharge: None,
        at: minute(1),
    };
    for _ in 0..2 {
        let account = records.purchase_credits(ACME, purchase("inv-1", euro("10.5"))).await.unwrap();
        assert_eq!(account.balance, "10.5".parse().unwrap());
    }
    let dollars = Money { currency: Currency("USD".into()), ..euro("1") };
    let refused = records.purchase_credits(ACME, purchase("inv-2", dollars)).await;
    assert!(matches!(refused, Err(RecordsError::Invalid { field: "amount/currency", .. })), "{refused:?}");
    let entries = records.credit_entries(ACME, PageRequest::first(1)).await.unwrap();
    assert_eq!(entries.data[0].reference.as_deref(), Some("inv-1"));
    assert_eq!((entries.data[0].kind, entries.next.is_none()), (CreditKind::Purchase, true));
    assert_eq!(sums(&records, OTHER).await.0, "3", "tenants are apart");
}

pub(super) async fn d8_answers_need_credits_only_beyond_the_free_tier<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    records.open_credits(ACME, euro("0"), minute(0)).await.unwrap();
    let quote = Quote { price: euro("0.02"), free_tier: Some(("free".into(), 1_000)) };
    let answer =
        async || records.reserve_credits(ACME, MessageId(1), quote.clone(), minute(1)).await.unwrap();
    assert_eq!(answer().await, Reservation::Held);
    assert_eq!(sums(&records, ACME).await, ("0".into(), "0".into()), "nothing is held for it");
    let advance = Advance { consumer: "meter", from: EventSeq(0), to: EventSeq(1) };
    let used_up = MeterCommit { counters: vec![("free".into(), 1_000)], ..MeterCommit::of(advance) };
    records.meter_commit(used_up).await.unwrap();
    assert!(matches!(answer().await, Reservation::Short(_)));
    assert!(matches!(records.quote_credits(ACME, quote.clone()).await.unwrap(), Reservation::Short(_)));
}

pub(super) async fn p9_messages_at_once_cannot_spend_the_same_credits<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    records.open_credits(ACME, euro("1"), minute(0)).await.unwrap();
    let all = (0..20).map(|message| reserve(&records, message, "0.1"));
    let held = futures_util::future::join_all(all).await;
    assert_eq!(held.iter().filter(|one| **one == Reservation::Held).count(), 10);
    assert_eq!(sums(&records, ACME).await, ("1".into(), "1".into()));
}

pub(super) async fn d9_a_statement_has_what_changed_within_its_span<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    assert_eq!(records.balance_at(ACME, minute(9)).await.unwrap(), None);
    records.open_credits(ACME, euro("5"), minute(0)).await.unwrap();
    records.open_credits(OTHER, euro("7"), minute(3)).await.unwrap();
    for (place, at) in [1, 3, 3, 4, 8].into_iter().enumerate() {
        let reference = format!("inv-{place}").into();
        let purchase = Purchase { reference, amount: euro("1"), recharge: None, at: minute(at) };
        records.purchase_credits(ACME, purchase).await.unwrap();
    }
    assert_eq!(balance(&records, 3).await, "6", "before the third minute");
    assert_eq!(balance(&records, 99).await, "10");
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = PageRequest { limit: 2, cursor };
        let page = records.credit_statement(ACME, (minute(3), minute(8)), page).await.unwrap();
        found.extend(page.data.into_iter().map(|line| line.entry.at));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, [minute(3), minute(3), minute(4)], "the end is not part of it");
}

pub(super) async fn d9_a_reservation_that_nobody_ends_is_released_once<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    for tenant in [ACME, OTHER] {
        records.open_credits(tenant, euro("1"), minute(0)).await.unwrap();
        for (message, at) in [(1, 1), (2, 5)] {
            let (message, quote) =
                (MessageId(tenant.0 * 100 + message), Quote { price: euro("0.3"), free_tier: None });
            records.reserve_credits(tenant, message, quote, minute(at)).await.unwrap();
        }
    }
    assert_eq!(records.release_credits(minute(1), minute(8)).await.unwrap(), 0, "none is older");
    // As two nodes do for a moment.
    let both = [minute(8), minute(9)].map(|at| records.release_credits(minute(5), at));
    let both = futures_util::future::join_all(both).await;
    assert_eq!(both.into_iter().map(Result::unwrap).sum::<usize>(), 2);
    for tenant in [ACME, OTHER] {
        assert_eq!(sums(&records, tenant).await, ("1".into(), "0.3".into()));
    }
    let message = MessageId(ACME.0 * 100 + 1);
    // It was delivered after all.
    let late = CreditUse { tenant: ACME, message, charge: Some(euro("0.25")), at: minute(9) };
    settle(&records, 0, vec![late]).await;
    assert_eq!(sums(&records, ACME).await, ("0.75".into(), "0.3".into()));
    let entries = records.message_credits(ACME, message).await.unwrap();
    let released = entries.iter().find(|entry| entry.kind == CreditKind::Release).unwrap();
    assert_eq!((&released.released, released.amount.amount), (&Some(euro("0.3")), Decimal::ZERO));
    assert_eq!(entries.len(), 2, "released and charged once");
    assert_eq!(records.message_credits(OTHER, message).await.unwrap(), [], "tenants are apart");
    let listed = records.credit_entries(ACME, PageRequest::first(9)).await.unwrap().data;
    assert_eq!(listed.iter().map(|entry| entry.amount.amount).sum::<Decimal>(), "0.75".parse().unwrap());
    let lines = records.credit_statement(ACME, (minute(0), minute(99)), PageRequest::first(9)).await.unwrap();
    assert!(lines.data.iter().any(|line| line.entry == *released && line.explanation.is_none()));
}

async fn balance(records: &impl Records, minutes: i64) -> String {
    records.balance_at(ACME, minute(minutes)).await.unwrap().unwrap().amount.to_string()
}
