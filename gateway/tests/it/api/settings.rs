//! Users, keys, flows: written with versions, seen at once.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::invite_to;
use crate::harness::World;

#[actix_web::test]
async fn a_key_may_do_what_its_scopes_say() {
    let world = World::start().await;
    let body = json!({ "name": "reader", "scopes": ["messages:read", "conversations:read"] });
    let made = world.call(Method::POST, "/v1/keys").body(body).answer().await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let (secret, id) = (made.json()["secret"].as_str().unwrap().to_owned(), made.json()["id"].clone());
    assert_eq!(
        world.call(Method::GET, "/v1/conversations").with_key(&secret).answer().await.status,
        StatusCode::OK
    );
    let refused =
        world.call(Method::POST, "/v1/messages").with_key(&secret).body(invite_to("+393335000002", &["x"]));
    assert_eq!(refused.answer().await.code(), "scope_missing");
    let listed = world.get("/v1/keys").await;
    assert!(!listed.text.contains(&secret), "secrets are shown once");
    let gone = world.call(Method::DELETE, format!("/v1/keys/{}", id.as_str().unwrap())).answer().await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let revoked = world.call(Method::GET, "/v1/conversations").with_key(&secret).answer().await;
    assert_eq!(revoked.status, StatusCode::UNAUTHORIZED);
    let typo = world
        .call(Method::POST, "/v1/keys")
        .body(json!({ "name": "x", "scopes": ["mesages:read"] }))
        .answer()
        .await;
    assert_eq!(typo.json()["errors"][0]["pointer"], "/scopes/0");
    world.stop().await;
}

#[actix_web::test]
async fn d1_a_disabled_number_does_not_send() {
    let world = World::start().await;
    let numbers = world.get("/v1/numbers").await.json();
    let all = numbers["data"].as_array().unwrap();
    let number = all.iter().find(|number| number["channel"] == "whatsapp").unwrap();
    let path = format!("/v1/numbers/{}", number["id"].as_str().unwrap());
    let off = world.call(Method::PATCH, path).body(json!({ "enabled": false })).answer().await;
    assert_eq!((off.status, off.json()["enabled"].clone()), (StatusCode::OK, json!(false)));
    let refused =
        world.call(Method::POST, "/v1/messages").body(invite_to("+393335000003", &["x"])).answer().await;
    assert_eq!(refused.code(), "number_disabled");
    world.stop().await;
}

#[actix_web::test]
async fn a8_flows_are_data_with_versions() {
    let world = World::start().await;
    let flow = json!({ "id": "JOB0002", "language": "it", "completion": "Fatto.",
                       "steps": [ { "key": "name", "ask": "Nome?", "type": "text" } ] });
    let put = |body: serde_json::Value| world.call(Method::PUT, "/v1/flows/job0002").body(body).answer();
    let first = put(flow.clone()).await;
    assert_eq!((first.status, first.json()["version"].clone()), (StatusCode::OK, json!(1)), "{first:?}");
    assert_eq!(put(flow.clone()).await.json()["version"], 1, "the same flow changes nothing");
    let mut changed = flow.clone();
    changed["completion"] = json!("Grazie.");
    assert_eq!(put(changed).await.json()["version"], 2);
    let mut wrong = flow;
    wrong["steps"] =
        json!([{ "key": "c", "ask": "?", "type": "choice" }, { "key": "c", "ask": "?", "type": "text" }]);
    let places: Vec<_> =
        put(wrong).await.json()["errors"].as_array().unwrap().iter().map(|e| e["pointer"].clone()).collect();
    assert_eq!(places, [json!("/steps/1/key"), json!("/steps/0/options")]);
    world.stop().await;
}

#[actix_web::test]
async fn endpoints_ask_for_events_that_exist() {
    let world = World::start().await;
    let add = |url: &str, events: &[&str]| {
        let body = json!({ "url": url, "events": events, "enabled": true });
        world.call(Method::POST, "/v1/webhook-endpoints").body(body).answer()
    };
    let made = add("http://127.0.0.1:9/a", &["flow.completed", "message.*"]).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let refused = add("http://127.0.0.1:9/b", &["flow.completed", "flow.complete", "massage.*"]).await;
    let pointers = |index: usize| refused.json()["errors"][index]["pointer"].clone();
    assert_eq!((pointers(0), pointers(1)), (json!("/events/1"), json!("/events/2")), "{refused:?}");
    world.stop().await;
}
