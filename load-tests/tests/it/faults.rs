use load_tests::simulator::{Fault, FaultKind};
use serde_json::json;

use crate::harness::{ANNA, NUMBER, TOKEN, World, text};

#[actix_web::test]
async fn codes_and_pages_are_injected_by_recipient_and_count() {
    let world = World::start();
    world.provider.set_faults(vec![
        Fault { times: Some(1), ..Fault::always(FaultKind::Error(131_016)) },
        Fault { to: Some("44".into()), ..Fault::always(FaultKind::Http(502)) },
    ]);
    let (status, answer) = world.send(&text(ANNA, "x")).await;
    assert_eq!((status, &answer["error"]["code"]), (500, &json!(131_016)));
    assert_eq!(world.send(&text(ANNA, "x")).await.0, 200, "once only");
    let request = world.request(reqwest::Method::POST, &format!("/v24.0/{NUMBER}/messages"));
    let answer = request.bearer_auth(TOKEN).json(&text("+447700900123", "x")).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 502);
    assert_eq!(world.provider.ledger().len(), 1);
}

#[actix_web::test]
async fn a_reset_may_come_before_or_after_the_acceptance() {
    let world = World::start();
    let send = || {
        let request = world.request(reqwest::Method::POST, &format!("/v24.0/{NUMBER}/messages"));
        request.bearer_auth(TOKEN).json(&text(ANNA, "x")).send()
    };
    world.provider.set_faults(vec![Fault::always(FaultKind::ResetBefore)]);
    assert!(send().await.is_err());
    assert_eq!(world.provider.ledger().len(), 0);
    world.provider.set_faults(vec![Fault::always(FaultKind::AcceptThenReset)]);
    assert!(send().await.is_err());
    assert_eq!(world.provider.ledger().len(), 1);
}

#[actix_web::test]
async fn an_accepted_message_may_fail_later() {
    let mut world = World::start();
    world.provider.set_faults(vec![Fault::always(FaultKind::FailedStatus(131_026))]);
    assert_eq!(world.send(&text(ANNA, "x")).await.0, 200);
    world.provider.advance_ms(1_000);
    assert_eq!(world.statuses_until("failed").await[0]["errors"][0]["code"], 131_026);
}
