//! The OpenAPI document in the repository is the one that the code makes.

use reqwest::{Method, StatusCode};

use crate::harness::World;

#[test]
fn the_committed_contract_is_current() {
    let made = format!("{}\n", gateway::api::document().to_pretty_json().unwrap());
    let committed = include_str!("../../../openapi.json");
    assert!(made == committed, "openapi.json is stale: run `./task openapi`");
    assert!(made.contains("\"openapi\": \"3.1"));
}

#[test]
fn every_operation_says_what_it_does_and_what_it_answers() {
    let document = serde_json::to_value(gateway::api::document()).unwrap();
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let described = ["summary", "description"].iter().any(|key| operation[*key].is_string());
            assert!(described, "{method} {path} has no description");
            let answers = operation["responses"].as_object().unwrap();
            assert!(
                answers.keys().any(|status| !status.starts_with(['4', '5'])) || path == "/v1/messages/{id}",
                "{method} {path}"
            );
            assert!(
                ["401", "403", "503"].iter().all(|status| answers.contains_key(*status)),
                "{method} {path}"
            );
            operations += 1;
        }
    }
    assert!(operations > 50, "{operations}");
}

#[test]
fn every_reference_leads_somewhere() {
    let document = serde_json::to_value(gateway::api::document()).unwrap();
    let mut left = vec![&document];
    while let Some(value) = left.pop() {
        if let Some(reference) = value.get("$ref").and_then(serde_json::Value::as_str) {
            assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
        }
        left.extend(value.as_object().into_iter().flat_map(|fields| fields.values()));
        left.extend(value.as_array().into_iter().flatten());
    }
}

#[actix_web::test]
async fn a_path_tells_which_methods_it_has() {
    let world = World::start().await;
    let path = "/v1/contacts/con_00000000000000000000000000";
    let answer = world.call(Method::PUT, path).response().await;
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers()["allow"], "GET, PATCH, DELETE");
    let beside_an_id = world.call(Method::PUT, "/v1/templates/match").response().await;
    assert_eq!(beside_an_id.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(beside_an_id.headers()["allow"], "POST");
    assert_eq!(world.get("/v1/templates/kitten").await.code(), "not_found");
    assert_eq!(world.get("/v1/kittens").await.code(), "not_found");
    world.stop().await;
}
