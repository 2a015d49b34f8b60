//! Whoever was told that something is done finds it at once.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::invite_to;
use crate::harness::World;

#[actix_web::test]
async fn what_was_written_is_read_back_at_once() {
    let world = World::start().await;
    for person in 0..20 {
        let phone = format!("+3933390000{person:02}");
        let sent = world.call(Method::POST, "/v1/messages").body(invite_to(&phone, &["Anna"])).answer().await;
        assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
        let sent = sent.json();
        let message = format!("/v1/messages/{}", sent["id"].as_str().unwrap());
        let conversation = format!("/v1/conversations/{}", sent["conversation_id"].as_str().unwrap());
        match person % 4 {
            0 => assert_eq!(world.get(message).await.json()["id"], sent["id"]),
            1 => assert_eq!(world.get(conversation.clone()).await.json()["id"], sent["conversation_id"]),
            2 => {
                let list = world.get(format!("{conversation}/messages")).await.json();
                assert_eq!(list["data"][0]["id"], sent["id"]);
            }
            _ => {
                let explained = world.get(format!("/v1/explain/{}", sent["id"].as_str().unwrap())).await;
                assert_eq!(explained.status, StatusCode::OK);
            }
        }
        let mode = world.call(Method::PUT, format!("{conversation}/mode")).body(json!({ "mode": "direct" }));
        assert_eq!(mode.answer().await.status, StatusCode::NO_CONTENT);
        let shown = world.get(conversation).await.json();
        assert_eq!(shown["mode"], "direct");
        let consent = format!("/v1/contacts/{}/consent", shown["contact"]["id"].as_str().unwrap());
        let out = json!({ "channel": "whatsapp", "consent": "opted_out" });
        assert_eq!(
            world.call(Method::PUT, consent.clone()).body(out).answer().await.status,
            StatusCode::NO_CONTENT
        );
        assert_eq!(world.get(consent).await.json()["data"][0]["consent"], "opted_out");
    }
    assert_eq!(world.get("/v1/messages/msg_00000000000000000000000000").await.status, StatusCode::NOT_FOUND);
    world.stop().await;
}
