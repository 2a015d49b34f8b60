use load_tests::simulator::Inbound;
use serde_json::json;

use crate::harness::{ANNA, NUMBER, World, text};

#[actix_web::test]
async fn an_accepted_send_is_in_the_ledger_and_its_statuses_come_back() {
    let mut world = World::start();
    world.provider.inbound(Inbound::text(ANNA, "TEST0001")).unwrap();
    assert_eq!(world.value().await["messages"][0]["text"]["body"], "TEST0001");

    let (status, answer) = world.send(&text("+39 333 1234567", "Ciao")).await;
    assert_eq!(status, 200);
    assert_eq!(answer["contacts"][0], json!({ "input": "+39 333 1234567", "wa_id": ANNA }));
    let wamid = &answer["messages"][0]["id"];

    let ledger = world.provider.ledger();
    assert_eq!(ledger.len(), 1);
    assert_eq!(ledger[0].opaque_id.as_deref(), Some("v1.opaque"));
    assert_eq!((ledger[0].to.as_str(), ledger[0].position), (ANNA, 1));
    assert_eq!(ledger[0].body["text"]["body"], "Ciao");

    world.provider.advance_ms(1_000);
    let statuses = world.statuses_until("read").await;
    let names: Vec<_> = statuses.iter().map(|status| status["status"].as_str().unwrap()).collect();
    assert_eq!(names, ["sent", "delivered", "read"]);
    for status in &statuses {
        assert_eq!(&status["id"], wamid);
        assert_eq!(status["biz_opaque_callback_data"], "v1.opaque");
        assert_eq!(status["recipient_id"], ANNA);
        assert!(status.get("conversation").is_none(), "gone since v24.0");
    }
    assert_eq!(
        statuses[0]["pricing"],
        json!({ "billable": false, "pricing_model": "PMP", "type": "free_customer_service",
                "category": "service" })
    );
    assert!(statuses[2].get("pricing").is_none());
}

#[actix_web::test]
async fn any_version_answers_and_strangers_are_refused() {
    let world = World::start();
    for version in ["v19.0", "v24.0", "v31.7"] {
        let (status, _) = world.post(&format!("/{version}/{NUMBER}/messages"), &text(ANNA, "x")).await;
        assert_eq!(status, 200, "{version}");
    }
    let (status, answer) =
        world.post_as("wrong", &format!("/v24.0/{NUMBER}/messages"), &text(ANNA, "x")).await;
    assert_eq!((status, &answer["error"]["code"]), (401, &json!(190)));
    let (status, answer) = world.post("/v24.0/999/messages", &text(ANNA, "x")).await;
    assert_eq!(status, 400);
    assert_eq!((&answer["error"]["code"], &answer["error"]["error_subcode"]), (&json!(100), &json!(33)));
    assert_eq!(world.provider.stats().refused.len(), 2);
}

#[actix_web::test]
async fn a_read_receipt_is_not_a_message() {
    let world = World::start();
    let receipt = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.x",
                          "typing_indicator": { "type": "text" } });
    assert_eq!(world.send(&receipt).await, (200, json!({ "success": true })));
    assert_eq!(world.provider.ledger(), []);
    assert_eq!(world.provider.stats().receipts, 1);
}

#[actix_web::test]
async fn the_ledger_is_readable_over_http() {
    let world = World::start();
    for body in ["one", "two", "three"] {
        world.send(&text(ANNA, body)).await;
    }
    let page = world.request(reqwest::Method::GET, "/_simulator/ledger?after=1&limit=1");
    let page: serde_json::Value = page.send().await.unwrap().json().await.unwrap();
    assert_eq!(page["data"][0]["body"]["text"]["body"], "two");
    assert_eq!(page["next"], 2);
}
