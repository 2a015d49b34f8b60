//! How people are told what happens while they are away.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{ANNA_KEY, Answer};
use crate::harness::World;

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
        let at = refused.json()["errors"][0]["pointer"].clone();
        assert_eq!((refused.status, at), (StatusCode::UNPROCESSABLE_ENTITY, json!(pointer)), "{body}");
    }
    assert_eq!(world.get(PATH).await.code(), "user_required");
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
