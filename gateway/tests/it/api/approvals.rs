//! Free-form to a contact that was silent for too long: submitted for approval, sent once.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Answer, text_to};
use crate::harness::World;

const TEXT: &str = "Sei ancora interessato al posto?";

fn submission(phone: &str, text: &str) -> Value {
    let mut body = text_to(phone, text);
    body["approval"] = json!({ "category": "utility" });
    body
}

impl World {
    async fn submit(&self, phone: &str, text: &str) -> Answer {
        let sent = self.call(Method::POST, "/v1/messages").body(submission(phone, text)).answer().await;
        assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
        sent
    }

    pub(super) async fn message_until(&self, sent: &Answer, status: &str) -> Value {
        let path = format!("/v1/messages/{}", sent.json()["id"].as_str().unwrap());
        self.get_until(&path, |message| message["status"] == status).await
    }

    /// Reviews of the provider end so; `None` leaves them open.
    fn reviews_end(&self, verdict: Option<&str>) {
        self.provider.adjust(|manners| {
            manners.review.verdict = verdict.map(str::to_owned);
            manners.review.after_ms = 0;
        });
    }
}

#[actix_web::test]
async fn c4_a_text_outside_the_window_is_submitted_and_sent_once_when_approved() {
    let world = World::start().await;
    world.reviews_end(None);
    let sent = world.submit("+393336000001", TEXT).await;
    assert_eq!(sent.json()["status"], "awaiting_approval");
    let waiting = world.message_until(&sent, "awaiting_approval").await;
    assert_eq!(waiting["text"]["body"], TEXT);
    let made = world.get_until("/v1/templates", |list| list["data"][1]["provider_id"].is_string()).await;
    let made =
        made["data"].as_array().unwrap().iter().find(|template| template["body"] == TEXT).unwrap().clone();
    assert_eq!((&made["status"], &made["language"]), (&json!("pending"), &json!("it")));
    assert!(world.provider.ledger().is_empty(), "nothing leaves before");
    let why = world.get(format!("/v1/explain/{}", sent.json()["id"].as_str().unwrap())).await;
    assert!(why.text.contains("approval"), "{why:?}");
    world.provider.judge_template(made["name"].as_str().unwrap(), "APPROVED");
    let heard = world.heard("393336000001", 1).await;
    assert_eq!(heard[0].body["template"]["name"], made["name"]);
    world
        .get_until(&format!("/v1/messages/{}", sent.json()["id"].as_str().unwrap()), |m| {
            m["provider_id"].is_string()
        })
        .await;
    let again = world.submit("+393336000002", TEXT).await;
    assert_eq!(again.json()["status"], "queued", "the wording is approved now");
    world.heard("393336000002", 1).await;
    assert_eq!(world.heard("393336000001", 1).await.len(), 1, "once");
    world.stop().await;
}

#[actix_web::test]
async fn c4_a_rejected_text_comes_back_with_the_providers_reason() {
    let world = World::start().await;
    world.reviews_end(Some("REJECTED"));
    let sent = world.submit("+393336000003", TEXT).await;
    let refused = world.message_until(&sent, "refused").await;
    assert_eq!(refused["errors"][0]["title"], "template_rejected");
    assert_eq!(refused["errors"][0]["detail"], "INVALID_FORMAT");
    let again =
        world.call(Method::POST, "/v1/messages").body(submission("+393336000003", TEXT)).answer().await;
    assert_eq!(again.json()["errors"][0]["pointer"], "/text/body", "{again:?}");
    assert!(world.provider.ledger().is_empty());
    world.stop().await;
}

#[actix_web::test]
async fn c4_a_contact_that_writes_meanwhile_gets_the_text_as_it_is() {
    let world = World::start().await;
    world.reviews_end(None);
    let sent = world.submit("+393336000004", TEXT).await;
    world.message_until(&sent, "awaiting_approval").await;
    world.written("393336000004", "wamid.c4", "/chat").await;
    let heard = world.heard("393336000004", 2).await;
    assert!(heard.iter().any(|entry| entry.body["text"]["body"] == TEXT), "{heard:?}");
    assert!(heard.iter().all(|entry| entry.body["type"] == "text"), "{heard:?}");
    world.stop().await;
}

#[actix_web::test]
async fn c4_an_approved_template_with_the_same_wording_is_used() {
    let world = World::start().await;
    let wording = |text: Value| world.call(Method::POST, "/v1/templates/match").body(text).answer();
    let long = wording(json!({ "text": "x".repeat(4_097) })).await;
    assert_eq!(long.json()["errors"][0]["pointer"], "/text", "{long:?}");
    let shown = wording(json!({ "text": "Ciao Anna" })).await.json();
    assert_eq!(
        shown["template"],
        json!({ "name": "invite", "language": "it", "parameters": ["Anna"] }),
        "F7"
    );
    assert_eq!(wording(json!({ "text": "Salve" })).await.json()["template"], Value::Null);
    for (body, pointer) in [
        (json!({}), "/text"),
        (json!({ "text": 1 }), "/text"),
        (json!({ "text": "x", "number_id": 1 }), "/number_id"),
    ] {
        assert_eq!(wording(body).await.json()["errors"][0]["pointer"], pointer);
    }
    let sent = world.submit("+393336000005", "Ciao Anna").await;
    assert_eq!(sent.json()["status"], "queued");
    let heard = world.heard("393336000005", 1).await;
    assert_eq!(heard[0].body["template"]["components"][0]["parameters"][0]["text"], "Anna");
    assert_eq!(world.get("/v1/templates").await.json()["data"].as_array().unwrap().len(), 1);
    world.stop().await;
}

#[actix_web::test]
async fn c4_a_wait_survives_a_restart_and_ends_at_its_deadline() {
    let world = World::start().await;
    world.reviews_end(None);
    let mut body = submission("+393336000006", TEXT);
    body["approval"]["within_seconds"] = json!(2);
    let sent = world.call(Method::POST, "/v1/messages").body(body).answer().await;
    let world = world.restart().await;
    let refused = world.message_until(&sent, "refused").await;
    assert_eq!(refused["errors"][0]["title"], "approval_expired");
    world.stop().await;
}

#[actix_web::test]
async fn c4_each_wrong_field_of_an_approval_is_named() {
    let world = World::start().await;
    for (field, value, pointer) in [
        ("category", json!("service"), "/approval/category"),
        ("category", json!(1), "/approval/category"),
        ("language", json!("klingon"), "/approval/language"),
        ("language", json!(1), "/approval/language"),
        ("within_seconds", json!(0), "/approval/within_seconds"),
        ("within_seconds", json!(604_801), "/approval/within_seconds"),
        ("within_seconds", json!("soon"), "/approval/within_seconds"),
        ("colour", json!("red"), "/approval/colour"),
    ] {
        let mut body = submission("+393336000007", TEXT);
        body["approval"][field] = value;
        let refused = world.call(Method::POST, "/v1/messages").body(body.clone()).answer().await;
        assert!(refused.refuses(pointer), "{body}: {refused:?}");
    }
    let mut template = super::invite_to("+393336000007", &["Anna"]);
    template["approval"] = json!({});
    let refused = world.call(Method::POST, "/v1/messages").body(template).answer().await;
    assert_eq!(refused.json()["errors"][0]["pointer"], "/approval");
    for text in ["x".repeat(1_025), "Ciao\n\n\nAnna".into(), "Ciao\tAnna".into(), "Ciao     Anna".into()] {
        let refused =
            world.call(Method::POST, "/v1/messages").body(submission("+393336000007", &text)).answer();
        let refused = refused.await;
        assert_eq!(refused.json()["errors"][0]["pointer"], "/text/body", "{refused:?}");
    }
    let custom = json!({ "name": "long", "kind": "custom", "language": "it", "body": "x".repeat(1_025) });
    let made = world.call(Method::POST, "/v1/templates").body(custom).answer().await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let body = json!({ "to": "+393336000007", "type": "template", "template": { "name": "long", "language": "it" },
                       "approval": {} });
    let refused = world.call(Method::POST, "/v1/messages").body(body).answer().await;
    assert_eq!(refused.json()["errors"][0]["pointer"], "/template", "{refused:?}");
    let plain = world.call(Method::POST, "/v1/messages").body(text_to("+393336000007", TEXT)).answer().await;
    assert_eq!(plain.code(), "window_closed", "only who asks for it is submitted");
    world.stop().await;
}
