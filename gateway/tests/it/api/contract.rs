//! The OpenAPI document in the repository is the one that the code makes.

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
            assert!(!operation["responses"].as_object().unwrap().is_empty(), "{method} {path}");
            operations += 1;
        }
    }
    assert!(operations > 50, "{operations}");
}
