//! A gateway whose records are in PostgreSQL.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use self::server::Server;
use crate::api::text_to;
use crate::harness::{World, text_webhook};

#[path = "../../../actors/store/tests/it/records/server.rs"]
pub(crate) mod server;

const CANDIDATE: &str = "393338000001";

async fn write(world: &World, wamid: &str, text: &str) {
    assert_eq!(world.webhook(&text_webhook(CANDIDATE, wamid, text)).await.status(), StatusCode::OK);
}

fn texts(messages: &Value) -> Vec<&str> {
    let inbound =
        messages["data"].as_array().into_iter().flatten().filter(|one| one["direction"] == "inbound");
    inbound.filter_map(|one| one["text"]["body"].as_str()).collect()
}

#[actix_web::test]
async fn p1_postgres_may_crash_and_conversations_go_on_and_nothing_is_lost_or_doubled() {
    let mut postgres = Server::start();
    let url = postgres.url("postgres");
    let world = World::start_with(|settings| settings.records.url = url).await;
    let conversation = world.written(CANDIDATE, "wamid.1", "TEST0001").await;
    world.heard(CANDIDATE, 1).await;
    postgres.kill();
    write(&world, "wamid.2", "Anna").await;
    world.heard(CANDIDATE, 2).await;
    write(&world, "wamid.3", "Sì").await;
    write(&world, "wamid.3", "Sì").await;
    assert_eq!(world.get("/v1/conversations").await.status, StatusCode::SERVICE_UNAVAILABLE);
    let send = async || {
        let body = text_to(&format!("+{CANDIDATE}"), "A presto");
        world.call(Method::POST, "/v1/messages").body(body).once("while-away").answer().await
    };
    let (sent, again) = (send().await, send().await);
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
    assert_eq!(sent.json()["id"], again.json()["id"], "its key is remembered without the records");
    postgres.restart();
    write(&world, "wamid.4", "/chat").await;
    let path = format!("/v1/conversations/{}/messages?order=asc", conversation["id"].as_str().unwrap());
    let messages = world.get_until(&path, |messages| texts(messages).contains(&"/chat")).await;
    assert_eq!(texts(&messages), ["TEST0001", "Anna", "Sì", "/chat"]);
    let answers = messages["data"].as_array().unwrap().len() - 4;
    assert!(answers >= 2, "what the bot answered meanwhile is there too: {messages}");
    world.stop().await;
}
