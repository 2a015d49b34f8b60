use std::collections::BTreeSet;

use domain::limits::RESERVED_FOR;
use domain::metering::Quote;
use protocol::directory::{CreditRules, RechargeRule};
use protocol::id::EndpointId;
use protocol::pricing::Money;
use store::records::{Credits as _, PageRequest, Purchase, Recharges as _};

use super::server::Server;
use super::*;
use crate::consumers::credits::step;
use crate::consumers::follow::Follower;
use crate::consumers::meter::Meter;

fn euro(amount: i64) -> Money {
    Money { amount: amount.into(), currency: Currency("EUR".into()) }
}

/// A tenant with little left and rules for that.
async fn short(endpoints: Vec<WebhookEndpoint>) -> World {
    let world = World::with(endpoints.clone()).await;
    let rule = RechargeRule { minimum_balance: euro(10), amount: euro(50), monthly_limit: Some(euro(60)) };
    let rules = CreditRules { tenant: ACME, notify_below: Some(euro(20)), recharge: Some(rule) };
    let documents = DirectoryDocuments { credit_rules: vec![rules], ..documents(endpoints) };
    world.shared.options.directory.store(Arc::new(Directory::build(documents)));
    world.records.open_credits(ACME, euro(5), NOON).await.unwrap();
    world
}

#[actix::test]
async fn d9_low_credits_reach_endpoints_signed_by_themselves() {
    let mut server = Server::start(Some("200 OK")).await;
    let endpoint = WebhookEndpoint {
        id: EndpointId(1),
        tenant: ACME,
        url: server.url(),
        events: vec!["credits.*".into()],
        secrets: vec!["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()],
        enabled: true,
    };
    let world = short(vec![endpoint]).await;
    let consumers = Consumers::start(world.shared.options.clone());
    let mut heard = BTreeSet::new();
    for _ in 0..2 {
        let request = server.received.recv().await.unwrap();
        assert!(request.headers["webhook-signature"].starts_with("v1,"));
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["data"]["available"], serde_json::json!({ "amount": "5", "currency": "EUR" }));
        heard.insert(body["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(heard, ["credits.low", "credits.recharge_asked"].map(str::to_owned).into());
    consumers.shutdown().await;
}

#[tokio::test]
async fn d9_a_month_that_ends_makes_room_for_another_payment() {
    let world = short(Vec::new()).await;
    assert_eq!(step(&world.shared).await.unwrap(), 2);
    assert_eq!(step(&world.shared).await.unwrap(), 0, "told, and one is under way");
    let asked = world.records.recharges(ACME, PageRequest::first(9)).await.unwrap().data;
    // Somebody paid less than what was asked for.
    let purchase =
        Purchase { reference: "part".into(), amount: euro(1), recharge: Some(asked[0].id), at: NOON };
    world.records.purchase_credits(ACME, purchase).await.unwrap();
    assert_eq!(step(&world.shared).await.unwrap(), 1, "held back: 50 of 60 were asked for");
    assert_eq!(step(&world.shared).await.unwrap(), 0);
    world.clock.set(NOON + SpanMs::hours(31 * 24));
    assert_eq!(step(&world.shared).await.unwrap(), 1);
    assert_eq!(world.records.recharges(ACME, PageRequest::first(9)).await.unwrap().data.len(), 2);
}

#[tokio::test]
async fn d9_credits_of_a_message_that_nobody_speaks_of_come_back_and_a_late_delivery_is_charged() {
    let mut world = World::new().await;
    let mut paying = documents(Vec::new());
    paying.tenants[0].credits = Some(euro(5));
    world.shared.options.directory.store(Arc::new(Directory::build(paying)));
    world.records.open_credits(ACME, euro(5), NOON).await.unwrap();
    let quote = Quote { price: euro(1), free_tier: None };
    world.records.reserve_credits(ACME, MessageId(1), quote, NOON).await.unwrap();
    let sums = async |world: &World| {
        let account = world.records.credits(ACME).await.unwrap().unwrap();
        (account.balance.to_string(), account.reserved.to_string())
    };
    world.clock.set(NOON + RESERVED_FOR);
    assert_eq!(step(&world.shared).await.unwrap(), 0, "its status may still come");
    world.clock.set(NOON + RESERVED_FOR + SpanMs(1));
    assert_eq!(step(&world.shared).await.unwrap(), 1);
    assert_eq!(step(&world.shared).await.unwrap(), 0);
    assert_eq!(sums(&world).await, ("5".into(), "0".into()));
    assert_eq!(world.shared.options.metrics.credits_reserved.get(), 0.0);
    world.commit(CHAT, vec![started(), status(1, MessageStatus::Delivered)]).await;
    world.project().await;
    let meter = Meter::new(world.shared.clone());
    Follower::new(world.shared.clone(), meter).await.unwrap().step().await.unwrap();
    assert_eq!(sums(&world).await, ("4.9752".into(), "0".into()), "0.0248 by the rate card");
}
