//! The feed, the stream of notifications, explanations.

use futures_util::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{ANNA_KEY, OTHER_KEY, text_to};
use crate::harness::{World, text_webhook};

#[actix_web::test]
async fn the_feed_is_ordered_and_resumes() {
    let world = World::start().await;
    world.written("393337000001", "wamid.feed.1", "TEST0001").await;
    world.written("393337000001", "wamid.feed.2", "Giulia").await;
    let done = |feed: &serde_json::Value| {
        feed["data"].as_array().is_some_and(|all| all.iter().any(|event| event["type"] == "flow.completed"))
    };
    let feed = world.get_until("/v1/events?limit=200", done).await;
    let events = feed["data"].as_array().unwrap();
    let places: Vec<u64> = events.iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
    assert!(places.is_sorted());
    let completed = events.iter().find(|event| event["type"] == "flow.completed").unwrap();
    assert_eq!(completed["data"]["answers"], json!([{ "step": "name", "type": "text", "value": "Giulia" }]));
    let received = events.iter().find(|event| event["type"] == "message.received").unwrap();
    assert_eq!(received["data"]["text"]["body"], "TEST0001", "{received}");
    let rest = world.get(format!("/v1/events?limit=200&after={}", places[2])).await.json();
    assert_eq!(rest["data"][0]["sequence"], places[3]);
    world.stop().await;
}

#[actix_web::test]
async fn d12_the_stream_of_notifications_survives_a_reconnect() {
    let world = World::start().await;
    let last = |id: &str| {
        world
            .call(Method::GET, "/v1/notifications/stream")
            .with_key(ANNA_KEY)
            .header("Last-Event-ID", id)
            .response()
    };
    world.written("393337000002", "wamid.sse.1", "/chat").await;
    assert!(
        world.webhook(&text_webhook("393337000002", "wamid.sse.2", "Ci siete?")).await.status().is_success()
    );
    let mut first = last("0").await.bytes_stream();
    let mut heard = String::new();
    while !heard.contains("new_message") || !heard.ends_with("\n\n") {
        heard.push_str(std::str::from_utf8(&first.next().await.unwrap().unwrap()).unwrap());
    }
    drop(first);
    let id = heard.lines().rev().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
    assert!(
        world.webhook(&text_webhook("393337000002", "wamid.sse.3", "Pronto?")).await.status().is_success()
    );
    let mut second = last(&id).await.bytes_stream();
    let again = loop {
        let chunk = second.next().await.unwrap().unwrap();
        let text = std::str::from_utf8(&chunk).unwrap().to_owned();
        if text.starts_with("id: ") {
            break text;
        }
    };
    let next: u64 = again.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().parse().unwrap();
    assert!(next > id.parse().unwrap(), "nothing twice: {heard} then {again}");
    drop(second);
    world.stop().await;
}

#[actix_web::test]
async fn f3_a_conversation_explains_itself() {
    let world = World::start().await;
    let conversation = world.written("393337000003", "wamid.why", "Buongiorno").await;
    let why = world.get(format!("/v1/explain/{}", conversation["id"].as_str().unwrap())).await.json();
    assert!(why["reasons"].to_string().contains("the window is open until"), "{why}");
    assert_eq!(why["log"][0]["type"], "conversation.started");
    let hold = |what: &str| {
        let path = format!("/v1/conversations/{}/{what}", conversation["id"].as_str().unwrap());
        world.call(Method::POST, path).answer()
    };
    assert_eq!(hold("pause").await.status, StatusCode::NO_CONTENT);
    let waiting = world.call(Method::POST, "/v1/messages").body(text_to("+393337000003", "Eccoci"));
    let id = waiting.answer().await.json()["id"].as_str().unwrap().to_owned();
    let queued = |why: &serde_json::Value| why["reasons"][0] == "its status is `queued`";
    let why = world.get_until(&format!("/v1/explain/{id}"), queued).await;
    assert_eq!(why["reasons"][1], "waits for: sending is paused for this conversation", "{why}");
    assert_eq!(world.get("/v1/explain/nonsense").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("/v1/dead-letters").await.json()["data"], json!([]));
    for nothing in ["/v1/nothing", "/v1/conversations/cnv_1", "/v1/messages/msg_1"] {
        assert_eq!(world.get(nothing).await.code(), "not_found", "{nothing}");
    }
    for (query, pointer) in [("limit=many", "?limit"), ("modee=bot", "?modee"), ("window=ajar", "?window")] {
        let refused = world.get(format!("/v1/conversations?{query}")).await.json();
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    world.stop().await;
}

#[actix_web::test]
async fn f3_a_conversation_is_replayed_from_its_events() {
    let world = World::start().await;
    let conversation = world.written("393337000009", "wamid.replay", "Buongiorno").await;
    let path = format!("/v1/conversations/{}", conversation["id"].as_str().unwrap());
    let direct = world.call(Method::PUT, format!("{path}/mode")).body(json!({ "mode": "direct" }));
    assert_eq!(direct.answer().await.status, StatusCode::NO_CONTENT);
    let reply = world.call(Method::POST, "/v1/messages").body(text_to("+393337000009", "Eccoci"));
    assert_eq!(reply.answer().await.status, StatusCode::ACCEPTED);
    let replay = world.get(format!("{path}/replay")).await.json();
    assert_eq!((&replay["equal"], &replay["differences"]), (&json!(true), &json!([])), "{replay}");
    assert_eq!(
        (&replay["stored"]["mode"], &replay["replayed"]["mode"]),
        (&json!("direct"), &json!("direct"))
    );
    assert!(replay["messages"].as_u64() >= Some(2) && replay["events"].as_u64() >= Some(4), "{replay}");
    let nobody = world.get("/v1/conversations/cnv_00000000000000000000000000/replay").await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    world.stop().await;
}

#[actix_web::test]
async fn e5_the_audit_is_filtered_and_exported_whole() {
    let world = World::start().await;
    for index in 0..3 {
        let body = json!({ "name": format!("audited {index}"), "members": [] });
        let made = world.call(Method::POST, "/v1/groups").body(body).answer().await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    }
    let page = world.get("/v1/audit?action=group.put&limit=2").await.json();
    assert_eq!(page["data"].as_array().unwrap().len(), 2);
    let subject = page["data"][0]["subject"].as_str().unwrap();
    let one = world.get(format!("/v1/audit?subject={subject}")).await.json();
    assert_eq!(one["data"].as_array().unwrap().len(), 1, "{one}");
    let kind = world.get("/v1/audit?subject=group/").await.json();
    assert_eq!(kind["data"].as_array().unwrap().len(), 3, "{kind}");
    let csv = world.get("/v1/audit/export?action=group.put").await;
    assert!(csv.kind.starts_with("text/csv"), "{csv:?}");
    assert_eq!(csv.text.lines().count(), 4, "a head and three lines: {csv:?}");
    let whole = world.get("/v1/audit/export?format=json&subject=group/").await;
    assert_eq!(whole.json()["data"].as_array().unwrap().len(), 3, "{whole:?}");
    let none = world.get("/v1/audit/export?format=json&action=nothing").await;
    assert_eq!(none.json()["data"], json!([]));
    for (query, pointer) in [
        ("by=anna", "?by"),
        ("from=yesterday", "?from"),
        ("to=1", "?to"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "?to"),
        ("conversation_id=cnv_1", "?conversation_id"),
        ("colour=red", "?colour"),
    ] {
        for path in ["/v1/audit", "/v1/audit/export"] {
            let refused = world.get(format!("{path}?{query}")).await;
            assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{path} {query}");
        }
    }
    assert_eq!(world.get("/v1/audit/export?format=xml").await.json()["errors"][0]["pointer"], "?format");
    let other = world.call(Method::GET, "/v1/audit/export?format=json&subject=group/").with_key(OTHER_KEY);
    assert_eq!(other.answer().await.json()["data"], json!([]));
    world.stop().await;
}
