//! Export and erasure of one contact.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{OTHER_KEY, invite_to};
use crate::harness::{World, text_webhook};

#[actix_web::test]
async fn d14_everything_known_of_a_contact_is_exported() {
    let world = World::start().await;
    let chat = world.written("393337000001", "wamid.export.1", "/chat").await;
    let contact = chat["contact"]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/contacts/{contact}");
    let card = json!({ "last_name": "Neri", "fields": { "city": "Bari" } });
    assert_eq!(world.call(Method::PATCH, path.clone()).body(card).answer().await.status, StatusCode::OK);
    let export = world.get(format!("{path}/export")).await;
    assert_eq!((export.status, export.kind.as_str()), (StatusCode::OK, "application/json"));
    let all = export.json();
    assert_eq!(
        (&all["contact"]["last_name"], &all["contact"]["fields"]["city"]),
        (&json!("Neri"), &json!("Bari"))
    );
    let whole = &all["conversations"][0];
    assert_eq!(whole["conversation"]["id"], chat["id"]);
    assert_eq!(whole["messages"][0]["text"]["body"], "/chat", "{all}");
    assert!(whole["events"].as_array().unwrap().iter().any(|event| event["type"] == "message.received"));
    let foreign = world.call(Method::GET, format!("{path}/export")).with_key(OTHER_KEY).answer().await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    world.stop().await;
}

#[actix_web::test]
async fn d14_an_erased_contact_leaves_a_proof_and_no_trace() {
    let world = World::start().await;
    let chat = world.written("393337000002", "wamid.erase.1", "/chat").await;
    assert!(
        world.webhook(&text_webhook("393337000002", "wamid.erase.2", "STOP")).await.status().is_success()
    );
    let conversation = format!("/v1/conversations/{}", chat["id"].as_str().unwrap());
    world.get_until(&conversation, |row| row["contact"]["consent"] == "opted_out").await;
    world.heard("393337000002", 2).await;
    let path = format!("/v1/contacts/{}", chat["contact"]["id"].as_str().unwrap());
    let card = json!({ "last_name": "Neri" });
    assert_eq!(world.call(Method::PATCH, path.clone()).body(card).answer().await.status, StatusCode::OK);
    let foreign = world.call(Method::DELETE, path.clone()).with_key(OTHER_KEY).answer().await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);

    let erased = world.call(Method::DELETE, path.clone()).answer().await;
    assert_eq!(erased.status, StatusCode::OK, "{erased:?}");
    let proof = erased.json();
    assert_eq!((&proof["complete"], &proof["left"]), (&json!(true), &json!([])), "{proof}");
    assert_eq!(proof["conversations"], json!([chat["id"]]));
    for gone in [path.clone(), conversation.clone(), format!("{path}/export")] {
        assert_eq!(world.get(gone.clone()).await.status, StatusCode::NOT_FOUND, "{gone}");
    }
    for question in ["/v1/conversations?q=393337000002", "/v1/contacts?q=neri"] {
        assert_eq!(world.get(question).await.json()["data"], json!([]), "{question}");
    }
    let everything = format!("{}{}", world.get("/v1/events").await.text, world.get("/v1/audit").await.text);
    assert!(!everything.contains("393337000002") && !everything.contains("Neri"), "{everything}");
    let to_nobody = json!({ "type": "text", "text": { "body": "Ciao" } });
    let refused = world.call(Method::POST, format!("{conversation}/messages")).body(to_nobody).answer().await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);

    // A repeated webhook brings nothing back, and the refusal holds on.
    assert!(
        world.webhook(&text_webhook("393337000002", "wamid.erase.1", "/chat")).await.status().is_success()
    );
    let opted_out =
        world.call(Method::POST, "/v1/messages").body(invite_to("+393337000002", &["x"])).answer().await;
    assert_eq!(opted_out.code(), "opted_out");
    let check = world.get(format!("{path}/erasure")).await.json();
    assert_eq!((&check["left"], &check["back_since"]), (&json!([]), &Value::Null), "{check}");
    let again = world.call(Method::DELETE, path.clone()).answer().await;
    assert_eq!(again.json()["complete"], true, "the same call again: {again:?}");
    let audit = world.get("/v1/audit?action=contact.erased").await.json();
    assert!(audit["data"].as_array().unwrap().len() >= 2, "the wish, and its conversation: {audit}");
    world.stop().await;
}

#[actix_web::test]
async fn d14_erasing_needs_a_scope_of_its_own_and_a_contact() {
    let world = World::start().await;
    let nobody = "/v1/contacts/con_00000000000000000000000001";
    for (method, path) in [(Method::DELETE, nobody.to_owned()), (Method::GET, format!("{nobody}/erasure"))] {
        assert_eq!(world.call(method, path).answer().await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(world.call(Method::DELETE, "/v1/contacts/anna").answer().await.status, StatusCode::NOT_FOUND);
    let body = json!({ "name": "writer", "scopes": ["contacts:read", "contacts:write"] });
    let made = world.call(Method::POST, "/v1/keys").body(body).answer().await.json();
    let key = made["secret"].as_str().unwrap().to_owned();
    let refused = world.call(Method::DELETE, nobody).with_key(&key).answer().await;
    assert_eq!(refused.code(), "scope_missing");
    world.stop().await;
}
