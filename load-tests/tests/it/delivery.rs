use load_tests::simulator::Inbound;

use crate::harness::{ANNA, World, options, text};

#[actix_web::test]
async fn webhooks_are_signed_over_escaped_bytes() {
    let mut world = World::start();
    world.provider.inbound(Inbound::text(ANNA, "Sì 🎉")).unwrap();
    let webhook = world.webhook().await;
    assert!(webhook.raw.is_ascii());
    let raw = String::from_utf8(webhook.raw).unwrap();
    assert!(raw.contains(r"S\u00ec \ud83c\udf89"), "{raw}");
    assert_eq!(webhook.body["entry"][0]["changes"][0]["value"]["messages"][0]["text"]["body"], "Sì 🎉");
}

#[actix_web::test]
async fn a_webhook_is_repeated_until_it_is_answered_with_200() {
    let mut world = World::start();
    world.answer_with(&[503, 201]);
    world.provider.inbound(Inbound::text(ANNA, "ciao")).unwrap();
    let first = world.webhook().await;
    for _ in 0..2 {
        assert_eq!(world.webhook().await.raw, first.raw, "the same bytes again");
    }
}

#[actix_web::test]
async fn a_repetition_goes_to_the_next_address() {
    let mut world = World::start();
    let live = format!("http://{}/webhooks/whatsapp", world.callback);
    // Nobody can listen on port 0.
    world.provider.set_callbacks(&["http://127.0.0.1:0/".to_owned(), live]);
    for body in ["1", "2"] {
        world.provider.inbound(Inbound::text(ANNA, body)).unwrap();
        assert_eq!(world.value().await["messages"][0]["text"]["body"], body);
    }
}

#[actix_web::test]
async fn updates_of_one_moment_share_a_webhook() {
    let mut options = options();
    options.behaviour.delivery.batch_max = 3;
    options.behaviour.delivery.linger_ms = 1_000;
    let mut world = World::with(options);
    for body in ["1", "2", "3", "4"] {
        world.provider.inbound(Inbound::text(ANNA, body)).unwrap();
    }
    world.provider.advance_ms(1_000);
    let first = world.value().await;
    assert_eq!(first["messages"].as_array().unwrap().len(), 3);
    assert_eq!(first["contacts"].as_array().unwrap().len(), 1, "one contact, once");
    assert_eq!(world.value().await["messages"][0]["text"]["body"], "4");
}

#[actix_web::test]
async fn statuses_may_come_twice_reversed_and_without_delivered() {
    let mut options = options();
    options.behaviour.statuses.reorder_probability = 1.0;
    options.behaviour.statuses.double_probability = 1.0;
    options.behaviour.statuses.skip_delivered_probability = 1.0;
    let mut world = World::with(options);
    world.provider.inbound(Inbound::text(ANNA, "ciao")).unwrap();
    world.value().await;
    world.send(&text(ANNA, "x")).await;
    world.provider.advance_ms(1_000);
    let mut names = Vec::new();
    while names.len() < 4 {
        let value = world.value().await;
        let statuses = value["statuses"].as_array().unwrap().clone();
        names.extend(statuses.iter().map(|status| status["status"].as_str().unwrap().to_owned()));
    }
    assert_eq!(names, ["read", "read", "sent", "sent"]);
}
