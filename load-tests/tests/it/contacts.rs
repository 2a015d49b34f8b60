use load_tests::simulator::{Contact, Inbound, Say};
use serde_json::json;

use crate::harness::{ANNA, World, options, text};

#[actix_web::test]
async fn f6_a_contact_with_a_username_hides_its_phone_number() {
    let mut options = options();
    options.behaviour.hide_phones = true;
    let user_id = "IT.13491208655302741918";
    options.contacts = vec![Contact {
        phone: ANNA.into(),
        user_id: Some(user_id.into()),
        username: Some("anna".into()),
        ..Contact::default()
    }];
    let mut world = World::with(options);
    world.provider.inbound(Inbound::text(ANNA, "ciao")).unwrap();
    let value = world.value().await;
    assert!(value["messages"][0].get("from").is_none());
    assert!(value["contacts"][0].get("wa_id").is_none());
    assert_eq!(value["messages"][0]["from_user_id"], user_id);
    assert_eq!(value["contacts"][0]["profile"]["username"], "@anna");

    let mut send = text(ANNA, "ciao");
    send["to"].take();
    send["recipient"] = json!(user_id);
    let (status, answer) = world.send(&send).await;
    assert_eq!(status, 200);
    assert_eq!(answer["contacts"][0], json!({ "input": user_id, "user_id": user_id }));
    world.provider.advance_ms(1_000);
    for status in world.statuses_until("read").await {
        assert!(status.get("recipient_id").is_none());
        assert_eq!(status["recipient_user_id"], user_id);
    }
}

#[actix_web::test]
async fn e1_the_answer_may_name_the_contact_otherwise() {
    let mut options = options();
    options.contacts = vec![Contact {
        phone: "+55 11 98765-4321".into(),
        wa_id: Some("551187654321".into()),
        ..Contact::default()
    }];
    let world = World::with(options);
    let (_, answer) = world.send(&text("+5511987654321", "oi")).await;
    assert_eq!(answer["contacts"][0], json!({ "input": "+5511987654321", "wa_id": "551187654321" }));
}

#[actix_web::test]
async fn system_messages_come_without_contacts() {
    let mut world = World::start();
    let change = json!({ "type": "user_changed_number", "wa_id": "393339999999", "body": "changed" });
    world.provider.inbound(Inbound::new(ANNA, Say::System(change))).unwrap();
    let value = world.value().await;
    assert_eq!(value["messages"][0]["system"]["wa_id"], "393339999999");
    assert!(value.get("contacts").is_none());
}

#[actix_web::test]
async fn a_contact_can_be_made_to_write_over_http() {
    let mut world = World::start();
    let inbound =
        json!({ "from": "+39 333 1234567", "name": "Anna", "button_reply": { "id": "y", "title": "Sì" } });
    let (status, answer) = world.post("/_simulator/inbound", &inbound).await;
    assert_eq!(status, 200);
    let value = world.value().await;
    assert_eq!(value["messages"][0]["id"], answer["id"]);
    assert_eq!(value["messages"][0]["interactive"]["button_reply"]["id"], "y");
    assert_eq!(value["contacts"][0]["profile"]["name"], "Anna");
}
