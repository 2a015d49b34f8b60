//! Each field of each call, as the served contract lists them: another type, missing, unknown, too long, and what belongs
//! to another tenant.

mod bodies;
mod bounds;
mod schema;

use gateway::config::Settings;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use self::schema::{Contract, Field, Operation, with_unknown};
use super::credits::prepaid;
use super::files::PDF;
use super::{ANNA_KEY, Answer, OLGA_KEY, invite_to};
use crate::harness::World;

/// Longer than any text that the gateway takes.
const TOO_LONG: usize = 5_000;

/// A gateway with everything configured that a call needs.
async fn world() -> World {
    let key = runtime::consumers::VapidKey::draw().unwrap();
    let push = |settings: &mut Settings| {
        settings.push.private_key.clone_from(&key);
        settings.push.subject = "mailto:ops@tests.example".to_owned();
    };
    World::start_as(&prepaid("1"), push).await
}

/// One thing of each kind, by the path before its id.
struct Belongings(Vec<(&'static str, String)>);

impl Belongings {
    async fn of(world: &World) -> Self {
        let chat = world.written("393339990001", "wamid.fields.1", "/chat").await;
        let sent =
            world.call(Method::POST, "/v1/messages").body(invite_to("+393339990001", &["x"])).answer().await;
        // The provider tells the user id with the first status. Nothing of the contact changes by itself after that.
        let contact = chat["contact"]["id"].as_str().unwrap();
        world.get_until(&format!("/v1/contacts/{contact}"), |contact| contact["bsuid"].is_string()).await;
        let media = world.sends("393339990002", PDF).await;
        let made = async |path: &str, body: Value| {
            let answer = world.call(Method::POST, path).with_key(ANNA_KEY).body(body).answer().await;
            assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
            id(&answer.json())
        };
        let first = async |path: &str| id(&world.get(path).await.json()["data"][0]);
        let device = made("/v1/notifications/devices", bodies::device()).await;
        let view =
            made("/v1/views", json!({ "name": "Ours", "shared": true, "filter": { "unread": true } })).await;
        let group = made("/v1/groups", json!({ "name": "Ours", "members": [] })).await;
        let endpoint = made("/v1/webhook-endpoints", json!({ "url": "https://hooks.tests.example/" })).await;
        Self(vec![
            (
                "/v1/attachments/",
                media["attachment"]["provider_media_id"].as_str().unwrap_or("none").to_owned(),
            ),
            ("/v1/contacts/", contact.to_owned()),
            ("/v1/conversations/", id(&chat)),
            ("/v1/explain/", id(&chat)),
            ("/v1/messages/", id(&sent.json())),
            ("/v1/files/", id(&world.uploaded(b"%PDF-1.7 of ours").await)),
            ("/v1/flows/", "TEST0001".to_owned()),
            ("/v1/groups/", group),
            ("/v1/keys/", first("/v1/keys").await),
            ("/v1/notifications/devices/", device),
            ("/v1/numbers/", first("/v1/numbers").await),
            ("/v1/templates/", first("/v1/templates").await),
            ("/v1/users/", first("/v1/users").await),
            ("/v1/views/", view),
            ("/v1/webhook-endpoints/", endpoint),
        ])
    }

    fn id(&self, before: &str) -> &str {
        self.0.iter().find(|(path, _)| *path == before).map(|(_, id)| id.as_str()).unwrap()
    }

    /// The path of a call, with an id that nobody has where none of ours fits.
    fn filled(&self, of: &Operation) -> String {
        self.path(of).unwrap_or_else(|| of.path.replace("{id}", NOBODYS).replace("{month}", "2026-11"))
    }

    /// The path of a call about what is ours; `None` where it is about nothing that has an id of ours.
    fn path(&self, of: &Operation) -> Option<String> {
        let (before, rest) = of.path.split_once('{')?;
        let (_, after) = rest.split_once('}').unwrap();
        let id = self.0.iter().find(|(path, _)| *path == before).map(|(_, id)| id)?;
        Some(format!("{before}{id}{after}"))
    }
}

fn id(of: &Value) -> String {
    of["id"].as_str().unwrap_or_else(|| panic!("no id: {of}")).to_owned()
}

/// The id of a recharge that nobody asked for.
const NOBODYS: &str = "rch_00000000000000000000000000";

/// Calls without an id of ours: what a poisoned input leaves, an unpaid recharge, a month; and a flow, which others may
/// call the same.
const WITHOUT_OURS: [(&str, &str); 4] = [
    ("POST", "/v1/dead-letters/{id}/replay"),
    ("POST", "/v1/credits/recharges/{id}/decline"),
    ("GET", "/v1/credits/statements/{month}"),
    ("PUT", "/v1/flows/{id}"),
];

fn method(of: &Operation) -> Method {
    of.method.parse().unwrap()
}

/// Whether an answer refuses a body because of a field, or of what holds it.
fn names(answer: &Answer, field: &str) -> bool {
    let known = [StatusCode::UNPROCESSABLE_ENTITY, StatusCode::BAD_REQUEST].contains(&answer.status);
    let errors = answer.json()["errors"].as_array().cloned().unwrap_or_default();
    let near = |error: &Value| {
        let told = error["pointer"].as_str().unwrap();
        told == field
            || (!told.is_empty() && field.strip_prefix(told).is_some_and(|rest| rest.starts_with('/')))
    };
    known && errors.iter().any(near)
}

/// Makes each call with a JSON body once for each of its fields for which there is a wrong body, and collects answers that
/// do not name it.
async fn unnamed(wrong: impl Fn(&Contract, &Value, &Field) -> Option<Value>) -> (usize, Vec<String>) {
    let world = world().await;
    let (contract, ours) = (Contract::served(), Belongings::of(&world).await);
    let before = bounds::kept(&world, &ours).await;
    let (mut asked, mut unnamed) = (0, Vec::new());
    for operation in contract.operations() {
        let Some(body) = &operation.body else { continue };
        let path = ours.filled(&operation);
        for field in contract.fields(body) {
            let Some(wrong) = wrong(&contract, body, &field) else { continue };
            let call = world.call(method(&operation), path.clone()).with_key(ANNA_KEY).body(wrong.clone());
            let answer = call.answer().await;
            asked += 1;
            if !names(&answer, &field.pointer) {
                let (method, path) = (&operation.method, &operation.path);
                unnamed.push(format!(
                    "{method} {path} {}: {wrong} → {} {}",
                    field.pointer, answer.status, answer.text
                ));
            }
        }
    }
    assert_eq!(bounds::kept(&world, &ours).await, before, "what is refused changes nothing");
    world.stop().await;
    (asked, unnamed)
}

#[actix_web::test]
async fn a_field_of_another_type_is_named() {
    let wrong = |contract: &Contract, body: &Value, field: &Field| {
        contract.of_another_type(field).map(|value| contract.with(body, field, Some(&value)))
    };
    let (asked, unnamed) = unnamed(wrong).await;
    assert!(asked > 150 && unnamed.is_empty(), "{asked} fields, of which:\n{}", unnamed.join("\n"));
}

#[actix_web::test]
async fn a_missing_field_is_named() {
    let wrong = |contract: &Contract, body: &Value, field: &Field| {
        field.required.then(|| contract.with(body, field, None))
    };
    let (asked, unnamed) = unnamed(wrong).await;
    assert!(asked > 40 && unnamed.is_empty(), "{asked} fields, of which:\n{}", unnamed.join("\n"));
}

#[actix_web::test]
async fn a_text_that_is_too_long_is_named() {
    let world = world().await;
    let (contract, ours) = (Contract::served(), Belongings::of(&world).await);
    let bodies = bodies::all(&ours);
    for operation in contract.operations() {
        let Some(body) = &operation.body else { continue };
        for field in contract.fields(body).iter().filter(|field| contract.is_text(field)) {
            let has = |(method, path, body): &&(&str, &str, Value)| {
                *method == operation.method
                    && *path == operation.path
                    && body.pointer(&field.pointer).is_some()
            };
            assert!(
                bodies.iter().any(|one| has(&one)),
                "no body of {} {} has {}",
                operation.method,
                operation.path,
                field.pointer
            );
        }
    }
    let before = bounds::kept(&world, &ours).await;
    let (mut asked, mut unnamed) = (0, Vec::new());
    for (method, path, body) in bodies {
        let operation = Operation { method: method.to_owned(), path: path.to_owned(), body: None };
        for text in bodies::texts(&body, "") {
            let mut wrong = body.clone();
            *wrong.pointer_mut(&text).unwrap() = json!("x".repeat(TOO_LONG));
            let answer = world
                .call(self::method(&operation), ours.filled(&operation))
                .with_key(ANNA_KEY)
                .body(wrong)
                .answer()
                .await;
            asked += 1;
            if !names(&answer, &text) {
                unnamed.push(format!("{method} {path} {text} → {} {}", answer.status, answer.text));
            }
        }
    }
    assert_eq!(bounds::kept(&world, &ours).await, before, "what is refused changes nothing");
    assert!(asked > 100 && unnamed.is_empty(), "{asked} texts, of which:\n{}", unnamed.join("\n"));
    world.stop().await;
}

#[actix_web::test]
async fn an_unknown_field_and_what_is_no_object_are_named() {
    let world = world().await;
    let (contract, ours) = (Contract::served(), Belongings::of(&world).await);
    for operation in contract.operations() {
        let (Some(body), Some(path)) = (&operation.body, ours.path(&operation)) else { continue };
        let call =
            |body: Value| world.call(method(&operation), path.clone()).with_key(ANNA_KEY).body(body).answer();
        let unknown = call(with_unknown(&contract.example(body))).await;
        assert!(names(&unknown, "/kitten"), "{} {path}: {unknown:?}", operation.method);
        for body in [json!([]), json!("x"), json!(7), Value::Null] {
            let answer = call(body).await;
            assert!(
                answer.status.is_client_error() && !answer.code().is_empty(),
                "{} {path}: {answer:?}",
                operation.method
            );
        }
    }
    world.stop().await;
}

#[actix_web::test]
async fn a_number_in_a_query_that_is_none_is_named() {
    let world = world().await;
    let (contract, ours) = (Contract::served(), Belongings::of(&world).await);
    let asked = contract.numbers_asked_for();
    assert!(asked.len() > 20, "{}", asked.len());
    for (method, path, name) in asked {
        let operation = Operation { method, path, body: None };
        let path = ours.filled(&operation);
        let call = world.call(operation.method.parse().unwrap(), format!("{path}?{name}=kitten"));
        let answer = call.with_key(ANNA_KEY).answer().await;
        let named = answer.json()["errors"][0]["pointer"] == format!("?{name}");
        assert!(answer.status.is_client_error() && named, "{path}?{name}: {answer:?}");
    }
    world.stop().await;
}

#[actix_web::test]
async fn what_belongs_to_another_tenant_is_not_there() {
    let world = world().await;
    let (contract, ours) = (Contract::served(), Belongings::of(&world).await);
    let with_ids = contract.operations().into_iter().filter(|operation| operation.path.contains('{'));
    let with_ids: Vec<_> = with_ids.filter(|of| !WITHOUT_OURS.contains(&(&of.method, &of.path))).collect();
    assert!(with_ids.len() > 40, "{}", with_ids.len());
    let mut reached = Vec::new();
    for operation in with_ids {
        let path = ours.path(&operation).unwrap_or_else(|| panic!("none of ours for {}", operation.path));
        let mut call = world.call(method(&operation), path.clone()).with_key(OLGA_KEY);
        if let Some(body) = &operation.body {
            call = call.body(contract.example(body));
        }
        let answer = call.answer().await;
        if answer.status != StatusCode::NOT_FOUND {
            reached.push(format!("{} {path} → {} {}", operation.method, answer.status, answer.text));
        }
    }
    assert!(reached.is_empty(), "{}", reached.join("\n"));
    world.stop().await;
}
