//! Cards find their people, also when that is interrupted.

use reqwest::{Method, StatusCode};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::{World, text_webhook, with_names};

const PHONE: &str = "393338000066";

/// The person writes; the provider tells the user id, and the phone number or not.
fn webhook(wamid: &str, with_phone: bool) -> String {
    with_names(&text_webhook(PHONE, wamid, "/chat"), "IT.66", with_phone).to_string()
}

impl World {
    async fn restarts_of_cards(&self) -> u64 {
        tokio::task::yield_now().await;
        let views = self.server.state.consumers.views();
        views.iter().find(|view| view.name == "cards").unwrap().restarts
    }
}

#[actix_web::test]
async fn f6_a_card_that_is_stopped_before_it_moves_has_its_effects_once() {
    let world = World::start().await;
    let record = json!({ "phone": format!("+{PHONE}"), "first_name": "Elsa", "owner": { "role": "admin" },
                         "vacancy": { "id": "vac-6", "title": "Cuoca" } });
    let card = world.call(Method::POST, "/v1/contacts").body(record).answer().await;
    assert_eq!(card.status, StatusCode::CREATED, "{card:?}");
    let path = format!("/v1/contacts/{}", card.json()["id"].as_str().unwrap());
    // The commands to the conversation are durable, and the card cannot move.
    let records = Connection::open(world.folder.path().join("records.sqlite")).unwrap();
    records.busy_timeout(std::time::Duration::from_secs(60)).unwrap();
    let stop = "CREATE TRIGGER stop BEFORE DELETE ON documents WHEN old.kind = 'contact' \
                BEGIN SELECT RAISE(ABORT, 'stopped by the test'); END";
    records.execute_batch(stop).unwrap();
    assert!(world.webhook(&webhook("wamid.elsa.1", false)).await.status().is_success());
    world.get_until("/v1/conversations?q=test", |list| list["data"][0].is_object()).await;
    assert!(world.webhook(&webhook("wamid.elsa.2", true)).await.status().is_success());
    let owned = "/v1/conversations?vacancy=vac-6&owner=admin";
    let before = world.get_until(owned, |list| list["data"][0].is_object()).await;
    assert_ne!(before["data"][0]["contact"]["id"], card.json()["id"]);
    while world.restarts_of_cards().await < 2 {}
    assert_eq!(world.get(path.clone()).await.status, StatusCode::OK, "it has not moved");
    records.execute_batch("DROP TRIGGER stop").unwrap();
    let there =
        world.get_until("/v1/contacts?q=elsa", |list| list["data"][0]["id"] != card.json()["id"]).await;
    assert_eq!(there["data"].as_array().unwrap().len(), 1, "one person: {there}");
    assert_eq!(world.get(path).await.status, StatusCode::NOT_FOUND);
    let events = world.get("/v1/events?limit=200").await.json();
    let count = |kind: &str, says: Value| {
        let all = events["data"].as_array().unwrap().iter().filter(|event| event["type"] == kind);
        all.filter(|event| event["data"]["owner"] == says || event["data"]["vacancy"]["id"] == says).count()
    };
    assert_eq!(count("conversation.owner_changed", json!({ "role": "admin" })), 1, "{events}");
    assert_eq!(count("conversation.vacancy_changed", json!("vac-6")), 1, "{events}");
    let audit = world.get("/v1/audit?action=command.refused").await.json();
    assert_eq!(audit["data"], json!([]), "repetitions are not refused either");
    world.stop().await;
}
