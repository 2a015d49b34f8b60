//! Bills that explain themselves.

use reqwest::Method;

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
