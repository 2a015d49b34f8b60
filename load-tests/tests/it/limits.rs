use serde_json::json;

use crate::harness::{ANNA, World, options, text};

#[actix_web::test]
async fn a_number_is_limited_inbound_and_outbound_together() {
    let world = World::start();
    for index in 0..30 {
        let from = format!("3933300000{index:02}");
        world.provider.inbound(load_tests::simulator::Inbound::text(&from, "ciao")).unwrap();
    }
    let mut accepted = 0;
    loop {
        let to = format!("3934400000{accepted:02}");
        let (status, answer) = world.send(&text(&to, "x")).await;
        if status != 200 {
            assert_eq!(answer["error"]["code"], 130_429);
            break;
        }
        accepted += 1;
    }
    assert_eq!(accepted, 50, "80 a second less 30 inbound");
    world.provider.advance_ms(100);
    assert_eq!(world.send(&text(ANNA, "x")).await.0, 200);
}

#[actix_web::test]
async fn a_pair_borrows_at_most_45() {
    let world = World::with(options());
    for index in 0..45 {
        assert_eq!(world.send(&text(ANNA, "x")).await.0, 200, "message {index}");
    }
    let (status, answer) = world.send(&text(ANNA, "x")).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!(131_056)));
    world.provider.advance_ms(6_000);
    assert_eq!(world.send(&text(ANNA, "x")).await.0, 200);
    assert_eq!(world.send(&text(ANNA, "x")).await.0, 400);
    assert_eq!(world.provider.stats().refused[&131_056], 2);
}
