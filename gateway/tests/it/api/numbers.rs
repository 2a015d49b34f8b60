//! Numbers that are added later.

use std::path::Path;

use gateway::apply;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::invite_to;
use crate::harness::{TENANT, World, text_webhook};

/// Another WhatsApp number of the same tenant.
const SECOND: &str = r#"
      - { nickname: second, channel: whatsapp, phone: "+15550783882", phone_number_id: "106540352242923",
          waba_id: "102290129340398", app_secret: "s3cr3t-of-the-test-app", access_token: token }
"#;

async fn add_a_number(world: &World) {
    let text = TENANT.replace("{provider}", &world.provider.base_url);
    let text = text.replace("    templates:", &format!("{}    templates:", &SECOND[1..]));
    let resolved = apply::parse(Path::new("tenant.yaml"), &text).unwrap();
    let now = world.server.state.engine.now().await.unwrap();
    let written = apply::write(&*world.server.state.records, resolved, now).await.unwrap();
    assert_eq!((written.created, written.changed), (1, 0));
    world.server.state.keeper.refresh().await.unwrap();
}

async fn second(world: &World, is_ready: impl Fn(&Value) -> bool) -> Value {
    let named =
        |list: &Value| list["data"].as_array()?.iter().find(|number| number["nickname"] == "second").cloned();
    let list =
        world.get_until("/v1/numbers", |list| named(list).is_some_and(|one| is_ready(&one["ready"]))).await;
    named(&list).unwrap()["id"].clone()
}

async fn invite(world: &World, number: &Value, phone: &str) -> super::Answer {
    let mut body = invite_to(phone, &["Anna"]);
    body["number_id"] = number.clone();
    world.call(Method::POST, "/v1/messages").body(body).answer().await
}

#[actix_web::test]
async fn p7_e3_a_number_that_is_added_later_knows_who_opted_out_or_was_blocked() {
    let world = World::start().await;
    let conversation = world.written("393337000001", "wamid.late.1", "Ciao").await;
    assert!(
        world.webhook(&text_webhook("393337000001", "wamid.late.2", "#OPTOUT")).await.status().is_success()
    );
    let path = format!("/v1/conversations/{}", conversation["id"].as_str().unwrap());
    world.get_until(&path, |conversation| conversation["contact"]["consent"] == "opted_out").await;
    let conversation = world.written("393337000002", "wamid.late.3", "Ciao").await;
    let path = format!("/v1/conversations/{}", conversation["id"].as_str().unwrap());
    let blocked =
        world.call(Method::PUT, format!("{path}/block")).body(json!({ "blocked": true })).answer().await;
    assert_eq!(blocked.status, StatusCode::NO_CONTENT);

    add_a_number(&world).await;
    let number = second(&world, Value::is_boolean).await;
    let early = invite(&world, &number, "+393337000001").await;
    assert_eq!((early.status, early.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "number_not_ready"));
    // A crash in between leaves the number as it is: the next process goes on.
    let world = world.restart().await;
    let number = second(&world, |ready| *ready == true).await;
    assert_eq!(invite(&world, &number, "+393337000001").await.code(), "opted_out");
    assert_eq!(invite(&world, &number, "+393337000002").await.code(), "blocked");
    assert_eq!(invite(&world, &number, "+393337000003").await.status, StatusCode::ACCEPTED);
    // Loading the old file again does not make it new again.
    let world = world.restart().await;
    second(&world, |ready| *ready == true).await;
    world.stop().await;
}

#[actix_web::test]
async fn e2_a_consent_of_somebody_who_never_wrote_is_kept() {
    let world = World::start().await;
    let sent =
        world.call(Method::POST, "/v1/messages").body(invite_to("+393337000004", &["Anna"])).answer().await;
    assert_eq!(sent.status, StatusCode::ACCEPTED);
    let found = world.get_until("/v1/contacts?q=3337000004", |list| list["data"][0]["id"].is_string()).await;
    let path = format!("/v1/contacts/{}/consent", found["data"][0]["id"].as_str().unwrap());
    let out = json!({ "channel": "sms", "consent": "opted_out", "text": "by phone" });
    let done = world.call(Method::PUT, path.clone()).body(out).answer().await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{done:?}");
    let kept = world.get_until(&path, |list| list["data"][0]["channel"] == "sms").await;
    assert_eq!(kept["data"][0]["consent"], "opted_out");
    world.stop().await;
}

#[actix_web::test]
async fn f4_a_pause_of_a_number_or_of_everything_holds_messages_back() {
    let world = World::start().await;
    let numbers = world.get("/v1/numbers").await.json();
    let main = numbers["data"].as_array().unwrap().iter().find(|one| one["nickname"] == "main").unwrap();
    let number = format!("/v1/numbers/{}", main["id"].as_str().unwrap());
    let post = async |path: String| {
        let done = world.call(Method::POST, path).answer().await;
        assert_eq!(done.status, StatusCode::NO_CONTENT, "{done:?}");
    };
    post(format!("{number}/pause")).await;
    assert_eq!(world.get(number.clone()).await.json()["paused"], true);
    let body = invite_to("+393337000010", &["Anna"]);
    let sent = world.call(Method::POST, "/v1/messages").body(body).answer().await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
    let path = format!("/v1/explain/{}", sent.json()["conversation_id"].as_str().unwrap());
    let explained = world.get(path.clone()).await.json();
    let paused =
        |explained: &Value| explained["reasons"].to_string().contains("sending is paused for this number");
    assert!(paused(&explained), "{explained}");
    post("/v1/tenant/pause".to_owned()).await;
    post(format!("{number}/resume")).await;
    assert_eq!(world.get("/v1/tenant").await.json()["paused"], true);
    assert!(paused(&world.get(path).await.json()));
    assert!(world.provider.ledger().is_empty(), "nothing leaves");
    post("/v1/tenant/resume".to_owned()).await;
    world.heard("393337000010", 1).await;
    let unknown = world.call(Method::POST, "/v1/numbers/num_00000000000000000000000001/pause").answer().await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    world.stop().await;
}
