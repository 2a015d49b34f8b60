use load_tests::simulator::{Inbound, WindowRule};
use serde_json::json;

use crate::harness::{ANNA, World, text};

const DAY_MS: i64 = 24 * 3_600_000;

#[actix_web::test]
async fn a1_free_form_outside_the_window_fails_later() {
    let mut world = World::start();
    let (status, _) = world.send(&text(ANNA, "nobody wrote")).await;
    assert_eq!(status, 200);
    world.provider.advance_ms(1_000);
    let failed = &world.statuses_until("failed").await[0];
    assert_eq!(failed["errors"][0]["code"], 131_047);
    assert!(failed.get("pricing").is_none());
    assert!(failed.get("recipient_user_id").is_none(), "not on failed when sent to a phone number");
}

#[actix_web::test]
async fn a1_the_window_is_24_hours_from_the_contacts_message() {
    let world = World::start();
    world.provider.adjust(|behaviour| behaviour.window = WindowRule::Refused);
    world.provider.inbound(Inbound { age_ms: DAY_MS - 1_000, ..Inbound::text(ANNA, "ieri") }).unwrap();
    assert_eq!(world.send(&text(ANNA, "in time")).await.0, 200);
    world.provider.advance_ms(1_000);
    let (status, answer) = world.send(&text(ANNA, "too late")).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!(131_047)));
}

#[actix_web::test]
async fn a_free_entry_point_lasts_72_hours_and_shows_its_conversation() {
    let mut world = World::start();
    let referral = json!({ "source_type": "ad", "source_id": "1", "ctwa_clid": "c" });
    world.provider.inbound(Inbound { referral: Some(referral), ..Inbound::text(ANNA, "ad") }).unwrap();
    assert_eq!(world.value().await["messages"][0]["referral"]["source_type"], "ad");
    world.send(&text(ANNA, "welcome")).await;
    world.provider.advance_ms(1_000);
    let sent = &world.statuses_until("read").await[0];
    assert_eq!(sent["pricing"]["type"], "free_entry_point");
    assert_eq!(sent["conversation"]["origin"]["type"], "referral_conversion");
}
