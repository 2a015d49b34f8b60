use domain::metering::Quote;
use futures_util::FutureExt as _;
use protocol::entry::ProviderStatus;
use protocol::id::ProviderId;
use protocol::pricing::Money;
use store::records::{
    Credits as _, Events as _, Ledger as _, LedgerEntry, LedgerQuery, PageRequest, Projection as _,
};

use super::*;
use crate::consumers::follow::Follower;
use crate::consumers::meter::Meter;
use crate::limits::FOLLOW_EVENTS;
use crate::metrics::FollowerKind;

async fn ledger(world: &World) -> Vec<LedgerEntry> {
    world.records.ledger(ACME, LedgerQuery::default(), PageRequest::first(100)).await.unwrap().data
}

async fn meter(world: &World) -> Follower<Meter> {
    Follower::new(world.shared.clone(), Meter::new(world.shared.clone())).await.unwrap()
}

#[tokio::test]
async fn facts_are_projected_once_and_forgotten_by_the_engine_when_durable() {
    let mut world = World::new().await;
    world.commit(CHAT, vec![started(), status(1, MessageStatus::Delivered)]).await;
    assert_eq!(world.project().await, 2);
    let mut projector = Projector::new(world.shared.clone()).await.unwrap();
    projector.sync().await.unwrap();
    assert_eq!(
        world.engine.facts(Default::default(), Default::default(), 10).now_or_never().map(|_| ()),
        None,
        "nothing left"
    );
    // A projector that died before the engine forgot offers the same facts again.
    assert_eq!(world.records.last_event().await.unwrap(), EventSeq(2));
    assert_eq!(world.records.projected().await.unwrap(), projector.reached());
}

#[tokio::test]
async fn a_damaged_fact_holds_nobody_up() {
    let mut world = World::new().await;
    world.commit_bytes(vec![bytes::Bytes::from_static(b"damaged")]).await;
    world.commit(CHAT, vec![started()]).await;
    assert_eq!(world.project().await, 2);
    assert_eq!(world.records.last_event().await.unwrap(), EventSeq(1));
}

#[tokio::test]
async fn a_follower_shows_how_late_it_is_while_more_is_waiting() {
    let mut world = World::new().await;
    let mut facts = vec![started()];
    facts.resize_with(FOLLOW_EVENTS + 1, || status(1, MessageStatus::Sent));
    world.commit(CHAT, facts).await;
    world.project().await;
    world.clock.advance(SpanMs(1_500));
    let lag = world.shared.options.metrics.consumer_lag.of(FollowerKind::Meter);
    let mut meter = meter(&world).await;
    assert_eq!((meter.step().await.unwrap(), lag.get()), (FOLLOW_EVENTS, 1.5));
    assert_eq!((meter.step().await.unwrap(), lag.get()), (1, 0.0));
}

#[tokio::test]
async fn d8_a_delivered_message_is_billed_once_across_batches_and_restarts() {
    let mut world = World::new().await;
    world
        .commit(CHAT, vec![started(), status(1, MessageStatus::Sent), status(1, MessageStatus::Delivered)])
        .await;
    world.project().await;
    assert_eq!(meter(&world).await.step().await.unwrap(), 3);
    world.commit(CHAT, vec![status(1, MessageStatus::Read), status(2, MessageStatus::Read)]).await;
    world.project().await;
    let mut second = meter(&world).await;
    assert_eq!(second.step().await.unwrap(), 2);
    assert_eq!(second.step().await.unwrap(), 0);

    let lines = ledger(&world).await;
    assert_eq!(lines.len(), 2);
    let opener = lines.iter().find(|line| line.message == Some(MessageId(1))).unwrap();
    assert_eq!(opener.amount.amount.to_string(), "0.0248");
    assert_eq!(opener.market, "IT");
    let text = opener.explanation["text"].as_str().unwrap();
    assert!(text.contains("opened a conversation") && text.contains("meta-2026-10"), "{text}");
    let within = lines.iter().find(|line| line.message == Some(MessageId(2))).unwrap();
    assert!(within.amount.amount.is_zero());
    assert!(within.explanation["text"].as_str().unwrap().contains("already open"));
    assert_eq!(within.cost.as_ref().unwrap().amount.to_string(), "0.0248", "the provider charges by message");
}

#[tokio::test]
async fn a_second_meter_on_the_same_records_is_refused() {
    let mut world = World::new().await;
    world.commit(CHAT, vec![started(), status(1, MessageStatus::Delivered)]).await;
    world.project().await;
    let (mut one, mut other) = (meter(&world).await, meter(&world).await);
    one.step().await.unwrap();
    let error = other.step().await.unwrap_err();
    assert!(matches!(error, ConsumerError::Records(store::records::RecordsError::CursorMoved(_))), "{error}");
    assert_eq!(ledger(&world).await.len(), 1);
}

#[tokio::test]
async fn d9_what_is_held_back_holds_its_credits_until_it_fails_even_when_its_conversation_forgot_it() {
    let mut world = World::new().await;
    let euro = |text: &str| Money { amount: text.parse().unwrap(), currency: Currency("EUR".into()) };
    let mut paying = documents(Vec::new());
    paying.tenants[0].credits = Some(euro("5"));
    world.shared.options.directory.store(Arc::new(Directory::build(paying)));
    world.records.open_credits(ACME, euro("5"), NOON).await.unwrap();
    for message in [1, 2] {
        let quote = Quote { price: euro("1"), free_tier: None };
        world.records.reserve_credits(ACME, MessageId(message), quote, NOON).await.unwrap();
    }
    let forgotten = Fact::StatusUnmatched {
        provider_id: ProviderId::new("wamid.2"),
        message: Some(MessageId(2)),
        status: ProviderStatus::Failed,
        at: NOON,
        pricing: None,
        errors: Vec::new(),
    };
    let steps = [
        (vec![started(), status(1, MessageStatus::Held), status(2, MessageStatus::Held)], 2),
        (vec![status(1, MessageStatus::Failed)], 1),
        (vec![forgotten], 0),
    ];
    for (facts, reserved) in steps {
        world.commit(CHAT, facts).await;
        world.project().await;
        meter(&world).await.step().await.unwrap();
        let account = world.records.credits(ACME).await.unwrap().unwrap();
        assert_eq!((account.reserved, account.balance), (reserved.into(), 5.into()));
    }
}

#[tokio::test]
async fn f5_a_late_word_of_the_provider_joins_the_line() {
    let mut world = World::new().await;
    world.commit(CHAT, vec![started(), status(1, MessageStatus::Delivered)]).await;
    let Fact::StatusChanged { message, at, category, template, errors, queued_at, provider_id, .. } =
        status(1, MessageStatus::Read)
    else {
        panic!("not a status");
    };
    let pricing = Some(protocol::pricing::ProviderPricing {
        billable: Some(false),
        model: "PMP".into(),
        kind: Some("free_customer_service".into()),
        category: "utility".into(),
        conversation_id: None,
        conversation_expires_at: None,
        conversation_origin: None,
    });
    let (status, errors) = (MessageStatus::Read, errors);
    let read = Fact::StatusChanged {
        message,
        status,
        at,
        provider_id,
        category,
        template,
        pricing,
        errors,
        queued_at,
    };
    world.commit(CHAT, vec![read]).await;
    world.project().await;
    meter(&world).await.step().await.unwrap();
    let lines = ledger(&world).await;
    assert!(lines[0].differs && lines[0].provider.is_some());
    assert_eq!(lines[0].cost, None, "the provider's word wins");
    assert_eq!(lines[0].explanation["estimate"]["rule"], "message_delivered");
}
