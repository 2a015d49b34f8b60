//! Push messages to a real HTTP server on loopback, opened as a browser opens them.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use data_encoding::BASE64URL_NOPAD;
use domain::notice::Way;
use store::records::{Device, Reaches as _};

use super::server::{Received, Server};
use super::*;
use crate::consumers::away::{Browser, push_teller};
use crate::consumers::follow::Follower;
use crate::consumers::notifier::Notifier;

async fn world() -> World {
    let mut world = World::new().await;
    let push = PushSettings {
        private_key: VapidKey::draw().unwrap(),
        subject: "mailto:ops@example.com".to_owned(),
        after: SpanMs::seconds(10),
    };
    let link = "https://gateway.example/".to_owned();
    world.shared.options.away = AwaySettings { push: Some(push), mail: None, link };
    world
}

/// The contact writes, and so many seconds go by.
async fn written(world: &mut World, seconds: i64) {
    let facts = if world.batches == 0 { vec![started(), notify(None)] } else { vec![notify(None)] };
    world.commit(CHAT, facts).await;
    world.project().await;
    let notifier = Notifier { shared: world.shared.clone() };
    Follower::new(world.shared.clone(), notifier).await.unwrap().step().await.unwrap();
    world.clock.set(NOON + SpanMs::seconds(seconds));
}

fn verify(request: &Received, origin: &str, public: &str) {
    let authorization = request.headers["authorization"].strip_prefix("vapid t=").unwrap();
    let (token, key) = authorization.split_once(", k=").unwrap();
    assert_eq!(key, public);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let key = BASE64URL_NOPAD.decode(key.as_bytes()).unwrap();
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key);
    key.verify(signed.as_bytes(), &signature).unwrap();
    let claims = BASE64URL_NOPAD.decode(signed.split_once('.').unwrap().1.as_bytes()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    let until = (NOON + SpanMs::seconds(10) + SpanMs::hours(12)).0 / 1_000;
    let expected = serde_json::json!({ "aud": origin, "exp": until, "sub": "mailto:ops@example.com" });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn d12_browsers_get_sealed_and_signed_messages() {
    let (mut server, mut world, browser) =
        (Server::start(Some("201 Created")).await, world().await, Browser::new());
    let device = browser.subscribe(server.url());
    world.records.add_device(ACME, anna(), device, NOON).await.unwrap();
    let mut teller = push_teller(&world.shared).unwrap().unwrap();
    written(&mut world, 9).await;
    teller.step().await.unwrap();
    assert!(server.received.try_recv().is_err(), "ten seconds are not over");
    written(&mut world, 10).await;
    teller.step().await.unwrap();
    let request = server.received.recv().await.unwrap();
    let message = browser.open(&request.body);
    assert_eq!(message["title"], "Notifiche non lette: 2");
    assert_eq!(message["body"], "Nuovi messaggi: 2\nConversazioni: 1");
    assert_eq!((&message["url"], &message["tag"]), (&"https://gateway.example/".into(), &"unread".into()));
    let header = |name: &str| request.headers[name].as_str();
    assert_eq!(
        (header("content-encoding"), header("ttl"), header("topic")),
        ("aes128gcm", "86400", "unread")
    );
    let push = world.shared.options.away.push.as_ref().unwrap().check().unwrap();
    verify(&request, &format!("http://{}", server.address), push.public());
    teller.step().await.unwrap();
    assert!(server.received.try_recv().is_err(), "told once");
}

#[tokio::test]
async fn d12_a_browser_that_unsubscribed_is_forgotten_and_a_busy_service_is_asked_later() {
    let (mut server, mut world, browser) = (
        Server::start(Some("429 Too Many Requests\r\nretry-after: 600")).await,
        world().await,
        Browser::new(),
    );
    world.records.add_device(ACME, anna(), browser.subscribe(server.url()), NOON).await.unwrap();
    let mut teller = push_teller(&world.shared).unwrap().unwrap();
    written(&mut world, 10).await;
    for (seconds, tried) in [(10, true), (600, false), (611, true)] {
        world.clock.set(NOON + SpanMs::seconds(seconds));
        teller.step().await.unwrap();
        assert_eq!(server.received.try_recv().is_ok(), tried, "{seconds}");
    }
    let devices = world.records.devices(ACME, anna()).await.unwrap();
    assert!(devices[0].last_error.as_ref().unwrap().contains("429"), "{devices:?}");
    server.answer.send_replace(Some("410 Gone"));
    world.clock.set(NOON + SpanMs::hours(1));
    teller.step().await.unwrap();
    assert_eq!(world.records.devices(ACME, anna()).await.unwrap(), []);
}

#[tokio::test]
async fn d12_a_device_with_keys_that_cannot_be_used_is_given_up() {
    let mut world = world().await;
    let device =
        Device { endpoint: "http://127.0.0.1:9/".to_owned(), p256dh: String::new(), auth: String::new() };
    world.records.add_device(ACME, anna(), device.clone(), NOON).await.unwrap();
    let refused = [check_device(&device, true), check_device(&device, false)];
    assert_eq!(refused, [Err(DeviceError::Keys(KeyError::P256dh)), Err(DeviceError::Endpoint)]);
    let mut teller = push_teller(&world.shared).unwrap().unwrap();
    written(&mut world, 10).await;
    teller.step().await.unwrap();
    let later = NOON + SpanMs::hours(99);
    assert_eq!(world.records.reaches_due(Way::Push, later, 9).await.unwrap(), []);
}
