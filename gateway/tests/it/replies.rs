//! From a webhook to what reaches the provider.

use load_tests::simulator::Inbound;

use crate::harness::{World, text_webhook};

#[actix_web::test]
async fn a2_a_flow_id_starts_its_application_and_a6_completion_ends_it() {
    let world = World::start().await;
    world.provider.inbound(Inbound::text("+393332000001", "Ciao, vorrei candidarmi test0001")).unwrap();
    let asked = world.heard("393332000001", 1).await;
    assert!(asked[0].body.to_string().contains("Come ti chiami?"), "{}", asked[0].body);
    assert!(asked[0].opaque_id.is_some(), "statuses find their way back by it");
    world.provider.inbound(Inbound::text("+393332000001", "Giulia")).unwrap();
    let told = world.heard("393332000001", 2).await;
    assert!(told.iter().any(|entry| entry.body.to_string().contains("Grazie.")), "{told:?}");
    world.stop().await;
}

#[actix_web::test]
async fn p3_a_repeated_webhook_is_answered_and_changes_nothing() {
    let world = World::start().await;
    let first = text_webhook("393332000002", "wamid.repeated", "TEST0001");
    for _ in 0..3 {
        assert!(world.webhook(&first).await.status().is_success());
    }
    // Another conversation's reply comes after whatever the repetitions could have caused on this shard or another:
    // the answer to a second message of the same contact does so for certain.
    world.heard("393332000002", 1).await;
    assert!(world.webhook(&text_webhook("393332000002", "wamid.next", "Anna")).await.status().is_success());
    let heard = world.heard("393332000002", 2).await;
    let questions = heard.iter().filter(|entry| entry.body.to_string().contains("Come ti chiami?"));
    assert_eq!(questions.count(), 1, "{heard:?}");
    world.stop().await;
}

#[actix_web::test]
async fn p1_an_application_goes_on_after_a_restart() {
    let world = World::start().await;
    world.provider.inbound(Inbound::text("+393332000003", "TEST0001")).unwrap();
    world.heard("393332000003", 1).await;
    let world = world.restart().await;
    world.provider.inbound(Inbound::text("+393332000003", "Marco")).unwrap();
    let told = world.heard("393332000003", 2).await;
    assert!(told[1].body.to_string().contains("Grazie."), "{}", told[1].body);
    world.stop().await;
}
