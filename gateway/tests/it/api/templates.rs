//! Templates and their life at the provider.

use futures_util::future::join_all;
use load_tests::simulator::{Fault, FaultKind};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Answer, OTHER_KEY};
use crate::harness::World;

fn reminder() -> Value {
    json!({ "name": "reminder", "kind": "approved", "language": "it", "category": "utility",
            "body": "Ciao {{1}}, a domani alle {{2}}." })
}

impl World {
    async fn made(&self, body: &Value) -> (String, Answer) {
        let made = self.call(Method::POST, "/v1/templates").body(body.clone()).answer().await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        (format!("/v1/templates/{}", made.json()["id"].as_str().unwrap()), made)
    }

    /// Waits until a template has a status and nothing is on its way.
    async fn settled(&self, path: &str, status: &str) -> Value {
        let there = |found: &Value| found["status"] == status && found["pending"].is_null();
        self.get_until(path, there).await
    }

    async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path).body(body).answer().await
    }
}

#[actix_web::test]
async fn a9_d13_a_template_is_submitted_reviewed_changed_and_deleted() {
    let world = World::start().await;
    let (path, made) = world.made(&reminder()).await;
    assert_eq!((&made.json()["status"], &made.json()["parameters"]), (&json!("pending"), &json!(["1", "2"])));
    let approved = world.settled(&path, "approved").await;
    assert!(approved["provider_id"].is_string());
    let held = world.provider.template("reminder", "it").unwrap();
    assert_eq!(held.components[0]["example"]["body_text"], json!([["example 1", "example 2"]]));
    let changed = world.put(&path, json!({ "body": "Ciao {{1}}, a presto." })).await;
    assert_eq!(
        (changed.status, &changed.json()["status"]),
        (StatusCode::OK, &json!("pending")),
        "{changed:?}"
    );
    world.settled(&path, "approved").await;
    let held = world.provider.template("reminder", "it").unwrap();
    assert_eq!(held.components[0]["text"], "Ciao {{1}}, a presto.");
    let again = world.put(&path, json!({ "body": "Ciao {{1}}, a domani." })).await;
    assert_eq!(again.json()["errors"][0]["pointer"], "/body", "once in 24 hours: {again:?}");
    assert_eq!(world.call(Method::DELETE, path.clone()).answer().await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.get(path).await.status, StatusCode::NOT_FOUND);
    while world.provider.template("reminder", "it").is_some() {
        tokio::task::yield_now().await;
    }
    let blocked = world.call(Method::POST, "/v1/templates").body(reminder()).answer().await;
    assert_eq!((blocked.status, blocked.code().as_str()), (StatusCode::CONFLICT, "name_blocked"));
    world.stop().await;
}

#[actix_web::test]
async fn e4_versions_keys_and_names_are_kept_apart() {
    let world = World::start().await;
    let custom = json!({ "name": "grazie", "kind": "custom", "language": "it", "body": "Grazie!" });
    let create = |key| world.call(Method::POST, "/v1/templates").once(key).body(custom.clone()).answer();
    let (made, again) = (create("t-1").await, create("t-1").await);
    assert_eq!((again.status, again.json()), (StatusCode::CREATED, made.json()), "{made:?}");
    assert_eq!(create("t-2").await.code(), "already_exists");
    let path = format!("/v1/templates/{}", made.json()["id"].as_str().unwrap());
    let change = |etag: String| {
        let body = json!({ "body": "Grazie mille!" });
        world.call(Method::PUT, path.clone()).header("If-Match", etag).body(body).answer()
    };
    let changed = change(made.etag.clone().unwrap()).await;
    assert_eq!(
        (changed.status, &changed.json()["status"]),
        (StatusCode::OK, &json!("approved")),
        "{changed:?}"
    );
    let late = change(made.etag.unwrap()).await;
    assert_eq!((late.status, late.code().as_str()), (StatusCode::PRECONDITION_FAILED, "changed_meanwhile"));
    assert_eq!(change("\"not-ours\"".to_owned()).await.status, StatusCode::PRECONDITION_FAILED);
    for method in [Method::GET, Method::DELETE] {
        let foreign = world.call(method, path.clone()).with_key(OTHER_KEY).answer().await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(world.call(Method::DELETE, path.clone()).answer().await.status, StatusCode::NO_CONTENT);
    create("t-3").await;
    assert_eq!(world.get(path).await.status, StatusCode::OK, "ours may be made again at once");
    world.stop().await;
}

#[actix_web::test]
async fn d13_a_refused_template_says_why_and_can_be_mended() {
    let world = World::start().await;
    world.provider.adjust(|manners| manners.review.verdict = Some("REJECTED".into()));
    let (path, made) = world.made(&reminder()).await;
    let id = made.json()["id"].clone();
    let rejected = world.settled(&path, "rejected").await;
    assert_eq!(rejected["reason"], "INVALID_FORMAT");
    let send = json!({ "channel": "whatsapp", "to": "+393335000001", "type": "template",
                       "template": { "name": "reminder", "language": "it", "parameters": ["Anna", "9"] } });
    let refused = world.call(Method::POST, "/v1/messages").body(send).answer().await;
    assert_eq!(refused.code(), "template_not_approved");
    world.provider.adjust(|manners| manners.review.verdict = Some("APPROVED".into()));
    let mended = world.put(&path, json!({ "body": "Ciao {{1}}, a presto.", "category": "marketing" })).await;
    assert_eq!((mended.status, &mended.json()["id"]), (StatusCode::OK, &id), "{mended:?}");
    world.settled(&path, "approved").await;
    assert_eq!(world.provider.template("reminder", "it").unwrap().category, "MARKETING");
    let told = world.get("/v1/events").await.json();
    let kinds: Vec<_> = told["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["data"]["notice"]["event"].clone())
        .collect();
    assert!(kinds.contains(&json!("REJECTED")) && kinds.contains(&json!("APPROVED")), "{told}");
    world.stop().await;
}

#[actix_web::test]
async fn d13_quality_category_wording_and_pauses_follow_the_provider() {
    let world = World::start().await;
    let (path, _) = world.made(&reminder()).await;
    world.settled(&path, "approved").await;
    let named = |mut more: Value| {
        more["message_template_name"] = json!("reminder");
        more["message_template_language"] = json!("it");
        more
    };
    world.provider.tell("message_template_quality_update", &named(json!({ "new_quality_score": "YELLOW" })));
    world.provider.tell("template_category_update", &named(json!({ "new_category": "MARKETING" })));
    let element = json!({ "message_template_element": "Ciao {{1}}, alle {{2}}." });
    world.provider.tell("message_template_components_update", &named(element));
    let told = |found: &Value| {
        found["quality"] == "YELLOW"
            && found["category"] == "marketing"
            && found["body"] == "Ciao {{1}}, alle {{2}}."
    };
    world.get_until(&path, told).await;
    world.provider.judge_template("reminder", "PAUSED");
    world.settled(&path, "paused").await;
    let going = world.call(Method::POST, format!("{path}/unpause")).answer().await;
    assert_eq!(going.status, StatusCode::OK, "{going:?}");
    world.settled(&path, "approved").await;
    let not_paused = world.call(Method::POST, format!("{path}/unpause")).answer().await;
    assert_eq!(not_paused.json()["errors"][0]["pointer"], "/status");
    let audit = world.get("/v1/audit?action=template.put").await.json();
    assert!(audit["data"].as_array().unwrap().len() >= 5, "{audit}");
    world.stop().await;
}

#[actix_web::test]
async fn d13_each_wrong_field_of_a_template_is_named() {
    let world = World::start().await;
    let with = |field: &str, value: Value| {
        let mut body = reminder();
        body[field] = value;
        body
    };
    let without = |field: &str| {
        let mut body = reminder();
        body.as_object_mut().unwrap().remove(field);
        body
    };
    let cases = [
        (without("name"), "/name"),
        (with("name", json!(7)), "/name"),
        (with("name", json!("")), "/name"),
        (with("name", json!("Con spazi")), "/name"),
        (with("name", json!("a".repeat(513))), "/name"),
        (without("kind"), "/kind"),
        (with("kind", json!("best")), "/kind"),
        (without("language"), "/language"),
        (with("language", json!("it-IT")), "/language"),
        (with("language", json!("klingon")), "/language"),
        (without("category"), "/category"),
        (with("category", json!("service")), "/category"),
        (with("record_type", json!("robot")), "/record_type"),
        (without("body"), "/body"),
        (with("body", json!(["x"])), "/body"),
        (with("body", json!("")), "/body"),
        (with("body", json!("x".repeat(1_025))), "/body"),
        (with("body", json!("{{1}} ciao.")), "/body"),
        (with("body", json!("Ciao {{1}}, {{3}}.")), "/body"),
        (with("examples", json!(["one"])), "/examples"),
        (with("examples", json!([1, 2])), "/examples/0"),
        (with("merge", json!({ "9": "candidate.first_name" })), "/merge"),
        (with("merge", json!({ "1": "first_name" })), "/merge"),
        (with("number_id", json!("num_1")), "/number_id"),
        (with("colour", json!("red")), "/colour"),
    ];
    for (body, pointer) in cases {
        let refused = world.call(Method::POST, "/v1/templates").body(body.clone()).answer().await;
        assert!(refused.refuses(pointer), "{body}: {refused:?}");
    }
    let other = world.call(Method::POST, "/v1/templates").with_key(OTHER_KEY).body(reminder()).answer().await;
    assert_eq!(other.json()["errors"][0]["pointer"], "/kind", "no number to submit it for: {other:?}");
    assert_eq!(
        world.get("/v1/templates").await.json()["data"].as_array().unwrap().len(),
        1,
        "nothing was kept"
    );
    let (path, _) =
        world.made(&json!({ "name": "ours", "kind": "custom", "language": "it", "body": "Ciao." })).await;
    for (body, pointer) in [
        (json!({}), "/body"),
        (json!({ "body": "" }), "/body"),
        (json!({ "body": "x".repeat(4_097) }), "/body"),
        (json!({ "body": "Ciao.", "category": "best" }), "/category"),
        (json!({ "body": "Ciao.", "examples": ["x"] }), "/examples"),
        (json!({ "body": "Ciao.", "merge": { "1": "candidate.first_name" } }), "/merge"),
        (json!({ "body": "Ciao.", "kind": "approved" }), "/kind"),
        (json!({ "body": "Ciao.", "record_type": "contact" }), "/record_type"),
        (json!({ "body": "Ciao.", "name": "x" }), "/name"),
    ] {
        let refused = world.put(&path, body.clone()).await;
        assert!(refused.refuses(pointer), "{body}: {refused:?}");
    }
    world.stop().await;
}

#[actix_web::test]
async fn d13_a_tenant_has_so_many_templates_and_no_more() {
    let limited = crate::harness::TENANT.replacen(
        "    time_zone:",
        "    settings: { max_templates: 2 }\n    time_zone:",
        1,
    );
    let world = World::start_as(&limited, |_| {}).await;
    let ours = |name: &str| json!({ "name": name, "kind": "custom", "language": "it", "body": "Ciao." });
    world.made(&ours("one")).await;
    let refused = world.call(Method::POST, "/v1/templates").body(ours("two")).answer().await;
    assert_eq!(refused.json()["errors"][0]["pointer"], "/name", "{refused:?}");
    assert!(refused.text.contains("2 are allowed"));
    world.stop().await;
}

#[actix_web::test]
async fn d13_no_two_templates_find_room_for_one() {
    let limited = crate::harness::TENANT.replacen(
        "    time_zone:",
        "    settings: { max_templates: 4 }\n    time_zone:",
        1,
    );
    let world = World::start_as(&limited, |_| {}).await;
    let there = world.get("/v1/templates").await.json()["data"].as_array().unwrap().len();
    let made = join_all((0..8).map(|n| {
        let body = json!({ "name": format!("one_{n}"), "kind": "custom", "language": "it", "body": "Ciao." });
        world.call(Method::POST, "/v1/templates").body(body).answer()
    }));
    let made: Vec<_> = made.await.into_iter().map(|answer| answer.status).collect();
    let created = made.iter().filter(|status| **status == StatusCode::CREATED).count();
    assert_eq!(created, 4 - there, "{made:?}");
    world.stop().await;
}

#[actix_web::test]
async fn d13_a_paced_template_is_held_then_sent_or_dropped() {
    let world = World::start().await;
    let (path, _) = world.made(&reminder()).await;
    world.settled(&path, "approved").await;
    let send = |to: &str| {
        let body = json!({ "channel": "whatsapp", "to": to, "type": "template",
                           "template": { "name": "reminder", "language": "it", "parameters": ["Anna", "9"] } });
        world.call(Method::POST, "/v1/messages").body(body).answer()
    };
    for (kind, to, ends) in [
        (FaultKind::Hold(3_600_000), "+393335000021", &["delivered", "read"][..]),
        (FaultKind::HoldThenDrop(3_600_000), "+393335000022", &["failed"]),
    ] {
        world.provider.set_faults(vec![Fault::always(kind)]);
        let sent = send(to).await;
        let held = world.message_until(&sent, "held").await;
        let explained = world.get(format!("/v1/explain/{}", held["id"].as_str().unwrap())).await;
        assert!(explained.text.contains("holds it back"), "{explained:?}");
        world.provider.set_faults(Vec::new());
        world.provider.advance_ms(3_700_000);
        let message = format!("/v1/messages/{}", held["id"].as_str().unwrap());
        let ended =
            world.get_until(&message, |message| ends.iter().any(|end| message["status"] == *end)).await;
        assert_eq!(ended["errors"][0]["code"] == 132_015, ends == ["failed"], "{ended}");
    }
    world.settled(&path, "paused").await;
    world.stop().await;
}

#[actix_web::test]
async fn e4_templates_made_elsewhere_are_taken_over_and_the_last_use_is_shown() {
    let world = World::start().await;
    let made = load_tests::simulator::Template {
        category: "MARKETING".into(),
        ..load_tests::simulator::Template::approved("elsewhere", "it", "Ciao {{1}}, a presto.")
    };
    world.provider.add_template(made);
    let asked = world.call(Method::POST, "/v1/templates/sync").answer().await;
    assert_eq!((asked.status, &asked.json()["data"][0]["requested"]), (StatusCode::ACCEPTED, &json!(true)));
    let found = |list: &Value| {
        let all = list["data"].as_array().unwrap();
        all.iter().find(|template| template["name"] == "elsewhere").cloned()
    };
    let list = world.get_until("/v1/templates", |list| found(list).is_some()).await;
    let taken = found(&list).unwrap();
    assert_eq!((&taken["status"], &taken["category"]), (&json!("approved"), &json!("marketing")));
    assert_eq!(taken["last_used_at"], Value::Null);
    let body = json!({ "channel": "whatsapp", "to": "+393335000009", "type": "template",
                       "template": { "name": "elsewhere", "language": "it", "parameters": ["Anna"] } });
    let sent = world.call(Method::POST, "/v1/messages").body(body).answer().await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
    world.get_until("/v1/templates", |list| found(list).unwrap()["last_used_at"].is_string()).await;
    world.get_until("/v1/templates/sync", |list| list["data"][0]["requested"] == false).await;
    let other = world.call(Method::GET, "/v1/templates/sync").with_key(OTHER_KEY).answer().await;
    assert_eq!(other.json()["data"], json!([]));
    world.stop().await;
}
