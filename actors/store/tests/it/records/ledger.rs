use bytes::Bytes;
use protocol::content::Category;
use protocol::id::{ConversationId, MessageId, NumberId};
use protocol::pricing::{Currency, Money, ProviderPricing};
use serde_json::json;
use store::records::*;

use super::facts::{ACME, NUMBER, OTHER, minute};
use super::{Backend, fresh};

fn euro(amount: &str) -> Money {
    Money { amount: amount.parse().unwrap(), currency: Currency("EUR".into()) }
}

fn entry(id: u128, day: &str, category: Category, amount: &str) -> LedgerEntry {
    LedgerEntry {
        id,
        tenant: ACME,
        number: NUMBER,
        conversation: ConversationId(5),
        message: Some(MessageId(id)),
        at: minute(id as i64),
        day: day.parse().unwrap(),
        category,
        origin: "business_initiated".into(),
        policy: "conversation".into(),
        market: "IT".into(),
        amount: euro(amount),
        cost: Some(euro("0.01")),
        explanation: json!({ "rule": "conversation_opened" }),
        provider: None,
        differs: false,
    }
}

fn commit(from: u64, to: u64, entries: Vec<LedgerEntry>) -> MeterCommit {
    let advance = Advance { consumer: "meter", from: EventSeq(from), to: EventSeq(to) };
    MeterCommit { entries, ..MeterCommit::of(advance) }
}

async fn list(records: &impl Records, query: LedgerQuery) -> Vec<u128> {
    let page = records.ledger(ACME, query, PageRequest::first(50)).await.unwrap();
    page.data.iter().map(|entry| entry.id).collect()
}

pub(super) async fn books_once_with_the_cursor<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let booked = entry(1, "2026-11-20", Category::Utility, "0.0248");
    records.meter_commit(commit(0, 3, vec![booked.clone()])).await.unwrap();
    let stale =
        records.meter_commit(commit(0, 3, vec![entry(2, "2026-11-20", Category::Utility, "1")])).await;
    assert!(matches!(stale, Err(RecordsError::CursorMoved("meter"))));
    let other = LedgerEntry { amount: euro("9"), ..booked.clone() };
    records.meter_commit(commit(3, 4, vec![other])).await.unwrap();
    let page = records.ledger(ACME, LedgerQuery::default(), PageRequest::first(9)).await.unwrap();
    assert_eq!(page.data, [booked]);
    assert_eq!(records.cursor("meter").await.unwrap(), EventSeq(4));
    let other_tenant = records.ledger(OTHER, LedgerQuery::default(), PageRequest::first(9)).await.unwrap();
    assert_eq!(other_tenant.data, []);
}

pub(super) async fn sums_are_exact<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let mut entries: Vec<_> = (0..100).map(|n| entry(n, "2026-11-20", Category::Utility, "0.0014")).collect();
    entries.push(entry(200, "2026-11-21", Category::Marketing, "0.1"));
    entries.push(entry(201, "2026-11-21", Category::Service, "0"));
    entries.push(entry(202, "2026-12-01", Category::Service, "5"));
    entries[0].number = NumberId(77);
    records.meter_commit(commit(0, 1, entries)).await.unwrap();
    let usage = async |group_by: &[UsageKey]| {
        let (from, to) = ("2026-11-01".parse().unwrap(), "2026-11-30".parse().unwrap());
        records.usage(ACME, UsageQuery { from, to, group_by: group_by.to_vec() }).await.unwrap()
    };
    let total = usage(&[]).await;
    assert_eq!(total.len(), 1);
    assert_eq!((total[0].entries, total[0].charged, total[0].amount.clone()), (102, 101, euro("0.24")));
    let by_category = usage(&[UsageKey::Category]).await;
    let utility = by_category.iter().find(|row| row.category == Some(Category::Utility)).unwrap();
    assert_eq!(utility.amount, euro("0.14"));
    assert_eq!(usage(&[UsageKey::Category, UsageKey::Number, UsageKey::Day]).await.len(), 4);
    let too_fine = commit(1, 2, vec![entry(300, "2026-11-20", Category::Utility, "0.00000000001")]);
    assert!(matches!(
        records.meter_commit(too_fine).await,
        Err(RecordsError::Invalid { field: "amount", .. })
    ));
}

pub(super) async fn ledger_is_filtered<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let mut entries: Vec<_> = (1..=4).map(|n| entry(n, "2026-11-20", Category::Utility, "0.1")).collect();
    entries[1].day = "2026-11-22".parse().unwrap();
    entries[2].category = Category::Marketing;
    entries[3].conversation = ConversationId(6);
    records.meter_commit(commit(0, 1, entries)).await.unwrap();
    let pricing = ProviderPricing {
        billable: Some(true),
        model: "PMP".into(),
        kind: Some("regular".into()),
        category: "marketing".into(),
        conversation_id: None,
        conversation_expires_at: None,
        conversation_origin: None,
    };
    let cost = ProviderCost { amount: None, explanation: json!({ "rule": "reported_free" }) };
    let word = ProviderWord { entry: 1, pricing: pricing.clone(), cost: Some(cost) };
    let word = MeterCommit { provider_words: vec![word], ..commit(1, 2, vec![]) };
    records.meter_commit(word).await.unwrap();
    let all = LedgerQuery::default();
    assert_eq!(list(&records, all.clone()).await, [4, 3, 2, 1], "newest first");
    assert_eq!(list(&records, LedgerQuery { from: "2026-11-21".parse().ok(), ..all.clone() }).await, [2]);
    assert_eq!(list(&records, LedgerQuery { to: "2026-11-21".parse().ok(), ..all.clone() }).await, [4, 3, 1]);
    assert_eq!(list(&records, LedgerQuery { category: Some(Category::Marketing), ..all.clone() }).await, [3]);
    assert_eq!(
        list(&records, LedgerQuery { conversation: Some(ConversationId(6)), ..all.clone() }).await,
        [4]
    );
    assert_eq!(list(&records, LedgerQuery { message: Some(MessageId(2)), ..all.clone() }).await, [2]);
    assert_eq!(list(&records, LedgerQuery { number: Some(NumberId(1)), ..all.clone() }).await, [0; 0]);
    assert_eq!(list(&records, LedgerQuery { differs_only: true, ..all.clone() }).await, [1]);
    let first = records.ledger(ACME, all.clone(), PageRequest::first(3)).await.unwrap();
    let rest = records.ledger(ACME, all, PageRequest { limit: 3, cursor: first.next }).await.unwrap();
    let heard = &rest.data[0];
    assert_eq!((&heard.provider, &heard.cost), (&Some(pricing), &None));
    assert_eq!(heard.explanation["cost"]["rule"], "reported_free");
    assert_eq!(heard.amount.amount.to_string(), "0.1", "what the tenant was charged stays");
}

pub(super) async fn the_meter_finds_its_memory<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let (known, unknown) = (ConversationId(1), ConversationId(2));
    let state = Bytes::from_static(b"state");
    let mut first = commit(0, 1, vec![]);
    first.states = vec![(known, Some(state.clone()))];
    first.counters = vec![("free/2026-11".into(), 7)];
    records.meter_commit(first).await.unwrap();
    let load = |counter: &str| records.meter_load(vec![unknown, known], vec![counter.into()]);
    let loaded = load("free/2026-11").await.unwrap();
    assert_eq!(loaded, MeterLoad { states: vec![None, Some(state)], counters: vec![7] });
    let forget = MeterCommit { states: vec![(known, None)], ..commit(1, 2, vec![]) };
    records.meter_commit(forget).await.unwrap();
    assert_eq!(
        load("free/2026-12").await.unwrap(),
        MeterLoad { states: vec![None, None], counters: vec![0] }
    );
}
