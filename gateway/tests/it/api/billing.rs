//! Bills that explain themselves.

use load_tests::simulator::{Inbound, PricingPolicy};
use reqwest::Method;
use serde_json::{Value, json};

use super::invite_to;
use crate::harness::World;

#[actix_web::test]
async fn d8_p9_a_delivered_template_is_billed_and_explained() {
    let world = World::start().await;
    let sent =
        world.call(Method::POST, "/v1/messages").body(invite_to("+393336000001", &["Anna"])).answer().await;
    let id = sent.json()["id"].as_str().unwrap().to_owned();
    let ledger =
        world.get_until(&format!("/v1/billing/ledger?message_id={id}"), |l| l["data"][0].is_object()).await;
    let line = &ledger["data"][0];
    assert_eq!((line["category"].as_str(), line["market"].as_str()), (Some("utility"), Some("IT")), "{line}");
    assert_eq!(line["origin"], "business_initiated");
    assert_eq!(line["charge"], serde_json::json!({ "amount": "0.02", "currency": "EUR" }));
    let today = jiff::Timestamp::now().in_tz("Europe/Rome").unwrap().date();
    let usage =
        world.get(format!("/v1/billing/usage?from={today}&to={today}&group_by=category")).await.json();
    assert_eq!(usage["data"][0]["charged"], 1, "{usage}");
    let to = jiff::Timestamp::now() + jiff::Span::new().hours(1);
    for span in [String::new(), format!("from=2026-01-01T00:00:00Z&to={to}")] {
        let same = world.get(format!("/v1/billing/usage?group_by=category&{span}")).await.json();
        assert_eq!(same, usage, "{span}");
    }
    let why = world.get(format!("/v1/explain/{id}")).await.json();
    let reasons = why["reasons"].to_string();
    assert!(reasons.contains("billed as utility"), "{why}");
    assert!(why["log"].as_array().unwrap().iter().any(|event| event["type"] == "message.queued"), "{why}");
    world.stop().await;
}

/// The provider charges nothing while the window is open; by the rules of the day it would.
async fn generous() -> World {
    let world = World::start().await;
    world.provider.adjust(|behaviour| behaviour.pricing.policy = Some(PricingPolicy::Template));
    world.provider.inbound(Inbound::text("+393336000002", "/chat")).unwrap();
    let is_open = |list: &Value| list["data"][0]["window"]["open"] == true;
    world.get_until("/v1/conversations?q=393336000002", is_open).await;
    world
}

#[actix_web::test]
async fn f5_what_the_provider_charges_otherwise_is_listed_message_by_message() {
    let world = generous().await;
    let sent =
        world.call(Method::POST, "/v1/messages").body(invite_to("+393336000002", &["Anna"])).answer().await;
    let id = sent.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/billing/reconciliation?message_id={id}");
    let listed = world.get_until(&path, |list| list["data"][0].is_object()).await;
    let (line, difference) = (&listed["data"][0], &listed["data"][0]["difference"]);
    assert_eq!((&line["differs"], &line["charge"]["amount"]), (&json!(true), &json!("0.02")), "{line}");
    assert_eq!(difference["estimated"], json!({ "amount": "0.02", "currency": "EUR" }), "{line}");
    assert_eq!(difference["reported"]["amount"], "0", "{line}");
    assert_eq!(difference["amount"], json!({ "amount": "-0.02", "currency": "EUR" }), "{line}");
    assert!(difference["explanation"].as_str().unwrap().contains("does not charge"), "{line}");
    assert!(world.operator("/metrics").await.1.contains("gateway_billing_differences_total 1"));
    let why = world.get(format!("/v1/explain/{id}")).await.json()["reasons"].to_string();
    assert!(why.contains("the provider's cost differs by -0.02 EUR"), "{why}");
    let other = world.call(Method::GET, &path).with_key(super::OTHER_KEY).answer().await;
    assert_eq!(other.json()["data"], json!([]));
    world.stop().await;
}

#[actix_web::test]
async fn f7_d8_the_price_before_the_click_is_the_one_on_the_bill() {
    let world = World::start().await;
    let body = invite_to("+393336000003", &["Anna"]);
    let preview =
        async |body: Value| world.call(Method::POST, "/v1/billing/preview").body(body).answer().await;
    let shown = preview(body.clone()).await.json();
    assert_eq!(shown["charge"], json!({ "amount": "0.02", "currency": "EUR" }), "{shown}");
    assert_eq!((&shown["rule"], &shown["market"]), (&json!("conversation_opened"), &json!("IT")));
    assert!(shown["rate_card"]["name"].is_string() && shown["credits"].is_null(), "{shown}");
    assert!(world.provider.ledger().is_empty(), "nothing was sent");
    let sent = world.call(Method::POST, "/v1/messages").body(body.clone()).answer().await;
    let path = format!("/v1/billing/ledger?message_id={}", sent.json()["id"].as_str().unwrap());
    let line = world.get_until(&path, |l| l["data"][0].is_object()).await["data"][0].clone();
    assert_eq!((&line["charge"], &line["explanation"]), (&shown["charge"], &shown["explanation"]));
    let again = preview(body).await.json();
    assert_eq!((&again["rule"], &again["charge"]["amount"]), (&json!("within_conversation"), &json!("0")));
    world.stop().await;
}

#[actix_web::test]
async fn f7_a_preview_of_what_cannot_be_sent_names_the_field() {
    let world = World::start().await;
    for (body, pointer) in [
        (json!({ "channel": "whatsapp", "type": "text", "text": { "body": "Ciao" } }), "/to"),
        (json!({ "channel": "whatsapp", "to": "12", "type": "text", "text": { "body": "Ciao" } }), "/to"),
        (json!({ "channel": "whatsapp", "to": "+393336000003", "type": "text" }), "/text"),
        (
            json!({ "channel": "whatsapp", "to": "+393336000003", "type": "template",
                 "template": { "name": "nobody", "language": "it" } }),
            "/template/name",
        ),
        (json!({ "channel": "fax", "to": "+393336000003", "type": "text" }), "/channel"),
        (json!({ "channel": "whatsapp", "to": "+393336000003", "type": "text", "colour": 1 }), "/colour"),
    ] {
        let refused = world.call(Method::POST, "/v1/billing/preview").body(body.clone()).answer().await;
        assert!(refused.refuses(pointer), "{body}: {refused:?}");
    }
    world.stop().await;
}
