//! Sends are paid from credits.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Answer, invite_to};
use crate::harness::{TENANT, World};

const CANDIDATE: &str = "+393336000009";

/// The test tenant, which has paid this in advance.
async fn with_credits(balance: &str) -> World {
    let begins = "tenants:\n  - name: ";
    let name = TENANT.split_once(begins).unwrap().1.lines().next().unwrap();
    let named = format!("{begins}{name}\n");
    let credits = format!("{named}    credits: {{ balance: \"{balance}\", currency: EUR }}\n");
    World::start_as(&TENANT.replacen(&named, &credits, 1), |_| {}).await
}

fn euro(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

async fn send(world: &World, key: &str) -> Answer {
    world.call(Method::POST, "/v1/messages").body(invite_to(CANDIDATE, &["Anna"])).once(key).answer().await
}

async fn buy(world: &World, amount: Value, reference: &str) -> Answer {
    let body = json!({ "amount": amount, "reference": reference });
    world.call(Method::POST, "/v1/credits/purchases").body(body).answer().await
}

#[actix_web::test]
async fn d9_sends_are_paid_from_credits_and_refused_without() {
    let world = with_credits("0.03").await;
    assert_eq!(world.get("/v1/credits").await.json()["available"], euro("0.03"));
    let first = send(&world, "first").await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{first:?}");
    let credits = world.get_until("/v1/credits", |credits| credits["balance"] == euro("0.01")).await;
    assert_eq!(credits["reserved"], euro("0"), "charged when it was delivered");
    let refused = send(&world, "second").await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::PAYMENT_REQUIRED, "insufficient_credits")
    );
    assert_eq!(send(&world, "first").await.json()["id"], first.json()["id"], "a repetition costs nothing");
    for _ in 0..2 {
        let bought = buy(&world, euro("1"), "inv-1").await;
        assert_eq!(bought.json()["balance"], euro("1.01"), "a payment counts once");
    }
    let third = send(&world, "third").await;
    let line = format!("/v1/billing/ledger?message_id={}", third.json()["id"].as_str().unwrap());
    world.get_until(&line, |ledger| ledger["data"][0].is_object()).await;
    let credits = world.get("/v1/credits").await.json();
    assert_eq!(
        credits["available"],
        euro("1.01"),
        "within the conversation that the first one opened: {credits}"
    );
    let entries = world.get("/v1/credits/entries").await.json();
    let amounts: Vec<_> =
        entries["data"].as_array().unwrap().iter().map(|entry| entry["amount"]["amount"].clone()).collect();
    assert_eq!(amounts, ["1", "-0.02", "0.03"], "{entries}");
    assert_eq!(world.provider.ledger().len(), 2);
    let metrics = world.operator("/metrics").await.1;
    assert!(metrics.contains("gateway_credits_reserved 0"), "nothing is on its way");
    world.stop().await;
}

#[actix_web::test]
async fn d9_wrong_payments_name_the_field_and_tenants_without_credits_are_told() {
    let world = with_credits("1").await;
    let table = [
        (json!({ "amount": "-1", "currency": "EUR" }), "inv", "/amount/amount"),
        (json!({ "amount": "a lot", "currency": "EUR" }), "inv", "/amount/amount"),
        (json!({ "amount": "1", "currency": "euro" }), "inv", "/amount/currency"),
        (json!({ "amount": "1", "currency": "USD" }), "inv", "/amount/currency"),
        (euro("1"), " ", "/reference"),
    ];
    for (amount, reference, pointer) in table {
        let refused = buy(&world, amount, reference).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{refused:?}");
        assert!(refused.json()["detail"].as_str().unwrap().contains(pointer), "{refused:?}");
    }
    let other = world.call(Method::GET, "/v1/credits").with_key(super::OTHER_KEY).answer().await;
    assert_eq!((other.status, other.code().as_str()), (StatusCode::NOT_FOUND, "no_credits"));
    assert_eq!(world.get("/v1/credits").await.json()["balance"], euro("1"), "nothing was half applied");
    world.stop().await;
}
