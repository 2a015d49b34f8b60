//! The story that the demo tells, step by step.

use std::cell::RefCell;

use gateway::demo::{Demo, KEY, Story};
use gateway::server::{Listeners, ServerOptions};
use serde_json::Value;

use crate::harness::settings;

async fn get(base: &str, path: &str) -> Value {
    let call = reqwest::Client::new().get(format!("{base}/v1/{path}")).bearer_auth(KEY);
    serde_json::from_str(&call.send().await.unwrap().text().await.unwrap()).unwrap()
}

#[actix_web::test]
async fn the_demo_tells_what_really_happens() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let listeners = Listeners::bind(&settings).unwrap();
    let demo = Demo::start(ServerOptions { settings, apply: None, listeners }).await.unwrap();
    let base = format!("http://{}", demo.server.public);
    let told = RefCell::new(Vec::new());
    let audience = |what: &str| told.borrow_mut().push(what.to_owned());
    Story::new(&demo.provider, demo.numbers.first().copied(), base.clone(), &audience).play().await.unwrap();
    let told = told.into_inner();
    let expected = [
        "Giulia Verdi: Ciao, vorrei candidarmi TEST0001",
        "Giulia Verdi: Giulia Verdi",
        "Giulia Verdi: Sì",
        "Giulia Verdi sends a file",
        "Giulia's application is complete; her conversation is in direct mode now",
        "Marco Neri: Buongiorno, avete lavoro?",
        "Marco Neri: /chat",
        "Sara wrote yesterday: her 24-hour window is closed",
        "a free text to Sara: 422, code \"window_closed\"",
        "the approved template interview_invite to Sara: 202",
        "Sara Blu: Sì, volentieri!",
        "Sara answered: her window is open again",
        "the same free text to Sara: 202",
    ];
    assert_eq!(told[..expected.len()], expected, "{told:#?}");
    let bills = &told[expected.len()..];
    assert!(!bills.is_empty() && bills.iter().all(|line| line.starts_with("bill: ")), "{bills:?}");

    let giulia = &get(&base, "conversations?q=giulia").await["data"][0];
    assert_eq!((&giulia["mode"], &giulia["flow"]), (&Value::from("direct"), &Value::Null));
    assert_eq!(get(&base, "conversations?q=marco").await["data"][0]["mode"], "direct");
    assert_eq!(get(&base, "conversations?q=sara").await["data"][0]["window"]["open"], true);
    let events = get(&base, "events?limit=200").await;
    let kinds: Vec<_> = events["data"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "flow.completed").count(), 1);
    let to_sara = demo.provider.ledger().into_iter().filter(|entry| entry.to == "393479998877");
    let kinds: Vec<_> = to_sara.map(|entry| entry.message_type).collect();
    assert_eq!(kinds.first().map(String::as_str), Some("template"), "nothing before the template: {kinds:?}");
    demo.server.stop().await;
}
