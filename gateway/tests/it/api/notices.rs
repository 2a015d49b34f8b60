//! How people are told what happens while they are away.

use std::io::{BufRead as _, Write as _};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{ANNA_KEY, Answer};
use crate::harness::{World, text_webhook};

/// A public key of a browser (RFC 8291, appendix A).
pub(super) const POINT: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";

const PATH: &str = "/v1/notifications/settings";

async fn put(world: &World, body: Value) -> Answer {
    world.call(Method::PUT, PATH).with_key(ANNA_KEY).body(body).answer().await
}

async fn get(world: &World) -> Answer {
    world.call(Method::GET, PATH).with_key(ANNA_KEY).answer().await
}

fn with_mail(settings: &mut gateway::config::Settings) {
    settings.mail.url = "smtp://127.0.0.1:1".to_owned();
    settings.mail.from = "gateway@tests.example".to_owned();
}

#[actix_web::test]
async fn d12_people_say_how_they_are_told() {
    let world = World::start_with(with_mail).await;
    let at_first = get(&world).await.json();
    assert_eq!((&at_first["email"], &at_first["digest"]), (&json!(false), &json!("off")), "{at_first}");
    let wishes = json!({
        "email": true, "time_zone": "Europe/Kyiv", "quiet_hours": { "from": "20:00", "to": "08:00" },
        "digest": "daily", "digest_at": "09:00",
    });
    let stored = put(&world, wishes.clone()).await;
    assert_eq!((stored.status, stored.json()), (StatusCode::OK, wishes.clone()), "{stored:?}");
    let found = get(&world).await;
    assert_eq!((found.json(), &found.etag), (wishes, &stored.etag));
    let stale = world.call(Method::PUT, PATH).with_key(ANNA_KEY).header("If-Match", "\"1\"");
    assert_eq!(stale.body(json!({})).answer().await.status, StatusCode::PRECONDITION_FAILED);
    for (body, pointer) in [
        (json!({ "email": "yes" }), "/email"),
        (json!({ "mail": true }), "/mail"),
        (json!({ "time_zone": "Rome" }), "/time_zone"),
        (json!({ "quiet_hours": { "from": "20:00" } }), "/quiet_hours/to"),
        (json!({ "quiet_hours": { "from": "8pm", "to": "08:00" } }), "/quiet_hours/from"),
        (json!({ "quiet_hours": { "from": "08:00", "to": "08:00" } }), "/quiet_hours/to"),
        (json!({ "digest": "weekly" }), "/digest"),
        (json!({ "digest": "daily" }), "/digest_at"),
        (json!({ "digest_at": "09:00" }), "/digest_at"),
        (
            json!({ "digest": "daily", "digest_at": "07:00", "quiet_hours": { "from": "20:00", "to": "08:00" } }),
            "/digest_at",
        ),
    ] {
        let refused = put(&world, body.clone()).await;
        assert!(refused.refuses(pointer), "{body}: {refused:?}");
    }
    assert_eq!(world.get(PATH).await.code(), "user_required");
    world.stop().await;
}

/// Takes one mail; answers its text.
fn mail_server() -> (String, tokio::task::JoinHandle<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let mail = tokio::task::spawn_blocking(move || {
        let (stream, _) = listener.accept().unwrap();
        let (mut writer, mut text) = (stream.try_clone().unwrap(), None::<String>);
        writer.write_all(b"220 test\r\n").unwrap();
        for line in std::io::BufReader::new(stream).lines() {
            let line = line.unwrap();
            let answer = match (&mut text, line.as_str()) {
                (None, "DATA") => {
                    text = Some(String::new());
                    "354 go on\r\n"
                }
                (Some(_), ".") => {
                    writer.write_all(b"250 taken\r\n").unwrap();
                    break;
                }
                (Some(text), line) => {
                    text.extend([line, "\n"]);
                    continue;
                }
                (None, _) => "250 fine\r\n",
            };
            writer.write_all(answer.as_bytes()).unwrap();
        }
        text.unwrap_or_default()
    });
    (url, mail)
}

#[actix_web::test]
async fn d12_a_message_that_nobody_reads_is_told_by_mail() {
    let (url, mail) = mail_server();
    let world = World::start_with(|settings| {
        settings.mail.url = url;
        settings.mail.from = "gateway@tests.example".to_owned();
        settings.mail.link = "https://console.example/".to_owned();
        settings.mail.after_seconds = 0;
    })
    .await;
    assert_eq!(put(&world, json!({ "email": true })).await.status, StatusCode::OK);
    world.written("393337000031", "wamid.mail.1", "/chat").await;
    assert!(
        world.webhook(&text_webhook("393337000031", "wamid.mail.2", "Pronto?")).await.status().is_success()
    );
    let mail = mail.await.unwrap();
    for expected in
        ["Subject: Notifiche non lette: ", "Anna Rossi", "<anna@tests.example>", "https://console.example/"]
    {
        assert!(mail.contains(expected), "{expected} not in:\n{mail}");
    }
    assert!(!mail.contains("Pronto") && !mail.contains("393337"), "{mail}");
    world.stop().await;
}

#[actix_web::test]
async fn d12_wishes_that_nobody_can_fulfil_are_refused() {
    let world = World::start().await;
    let refused = put(&world, json!({ "email": true })).await;
    assert_eq!(refused.json()["errors"][0]["pointer"], "/email", "{refused:?}");
    let quiet = json!({ "quiet_hours": { "from": "20:00", "to": "08:00" } });
    assert_eq!(put(&world, quiet).await.status, StatusCode::OK);
    world.stop().await;
}

#[actix_web::test]
async fn d12_browsers_subscribe_to_push_messages() {
    let path = "/v1/notifications/devices";
    let key = runtime::consumers::VapidKey::draw().unwrap();
    let world = World::start_with(|settings| {
        settings.push.private_key.clone_from(&key);
        settings.push.subject = "mailto:ops@tests.example".to_owned();
    })
    .await;
    let devices = world.call(Method::GET, path).with_key(ANNA_KEY).answer().await.json();
    assert_eq!((devices["public_key"].as_str().unwrap().len(), &devices["data"]), (87, &json!([])));
    let keys = json!({ "p256dh": POINT, "auth": "BTBZMqHH6r4Tts7J_aSIgg" });
    let add = |body: Value| world.call(Method::POST, path).with_key(ANNA_KEY).body(body).answer();
    let body = json!({ "endpoint": "https://push.example/abc", "expirationTime": null, "keys": keys });
    let added = add(body.clone()).await;
    assert_eq!(
        (added.status, &added.json()["service"]),
        (StatusCode::CREATED, &json!("push.example")),
        "{added:?}"
    );
    assert!(!added.text.contains("abc"), "whoever knows the address can send there");
    assert_eq!(add(body).await.json()["id"], added.json()["id"]);
    for (body, pointer) in [
        (json!({ "endpoint": "push", "keys": keys }), "/endpoint"),
        (
            json!({ "endpoint": "https://push.example/", "keys": { "p256dh": "AAAA", "auth": "AAAA" } }),
            "/keys/p256dh",
        ),
        (
            json!({ "endpoint": "https://push.example/", "keys": { "p256dh": POINT, "auth": "AAAA" } }),
            "/keys/auth",
        ),
        (json!({ "endpoint": "https://push.example/" }), "/keys"),
    ] {
        let refused = add(body.clone()).await;
        assert!(refused.refuses(pointer), "{body}: {refused:?}");
    }
    let place = format!("{path}/{}", added.json()["id"].as_str().unwrap());
    let remove = || world.call(Method::DELETE, place.clone()).with_key(ANNA_KEY).answer();
    assert_eq!(remove().await.status, StatusCode::NO_CONTENT);
    assert_eq!(remove().await.status, StatusCode::NOT_FOUND);
    world.stop().await;
}

#[actix_web::test]
async fn d12_without_a_key_no_browser_subscribes() {
    let world = World::start().await;
    let body = json!({ "endpoint": "https://push.example/", "keys": { "p256dh": POINT, "auth": "AAAA" } });
    let refused = world.call(Method::POST, "/v1/notifications/devices").with_key(ANNA_KEY).body(body);
    assert_eq!(refused.answer().await.code(), "push_not_configured");
    world.stop().await;
}
