//! Sending: the window, idempotency, templates, consent, tenants.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{OTHER_KEY, invite_to, text_to};
use crate::harness::{World, text_webhook};

#[actix_web::test]
async fn a1_free_form_outside_the_window_is_refused_with_usable_templates() {
    let world = World::start().await;
    let refused =
        world.call(Method::POST, "/v1/messages").body(text_to("+393331000001", "Ciao")).answer().await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.code(), "window_closed");
    let problem = refused.json();
    assert_eq!(problem["window"]["open"], false);
    assert_eq!(problem["templates"][0]["name"], "invite");
    assert_eq!(problem["templates"][0]["parameters"], json!(["1"]));
    let sent =
        world.call(Method::POST, "/v1/messages").body(invite_to("+393331000001", &["Anna"])).answer().await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
    let heard = world.heard("393331000001", 1).await;
    assert_eq!(heard.len(), 1, "the refused one never reached the provider: {heard:?}");
    world.stop().await;
}

#[actix_web::test]
async fn a1_an_answer_of_the_contact_opens_the_window() {
    let world = World::start().await;
    world.written("393331000002", "wamid.open", "Buongiorno").await;
    let sent = world.call(Method::POST, "/v1/messages").body(text_to("+393331000002", "Ciao")).answer().await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
    let id = sent.json()["id"].as_str().unwrap().to_owned();
    let message = world.get_until(&format!("/v1/messages/{id}"), |m| m["provider_id"].is_string()).await;
    assert_eq!(message["direction"], "outbound");
    assert_eq!(message["text"]["body"], "Ciao");
    assert_eq!(message["sender"]["kind"], "service");
    world.stop().await;
}

#[actix_web::test]
async fn repeating_a_key_sends_once_and_another_body_is_refused() {
    let world = World::start().await;
    let send = |text: &'static str| {
        world
            .call(Method::POST, "/v1/messages")
            .once("order-7")
            .body(invite_to("+393331000003", &[text]))
            .answer()
    };
    let (first, second) = (send("Anna").await, send("Anna").await);
    assert_eq!(first.status, StatusCode::ACCEPTED, "{first:?}");
    assert_eq!(first.json(), second.json());
    let other = send("Ivo").await;
    assert_eq!(
        (other.status, other.code().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused")
    );
    assert_eq!(world.heard("393331000003", 1).await.len(), 1);
    world.stop().await;
}

#[actix_web::test]
async fn d13_parameters_are_counted_before_the_send() {
    let world = World::start().await;
    for parameters in [&[][..], &["a", "b"][..]] {
        let refused = world
            .call(Method::POST, "/v1/messages")
            .body(invite_to("+393331000004", parameters))
            .answer()
            .await;
        assert_eq!(refused.code(), "template_parameters", "{parameters:?}");
        assert_eq!(refused.json()["errors"][0]["pointer"], "/template/parameters");
    }
    let body = json!({ "to": "+393331000004", "channel": "whatsapp", "type": "template",
                       "template": { "name": "invite", "language": "de" } });
    let refused = world.call(Method::POST, "/v1/messages").body(body).answer().await;
    assert_eq!(refused.code(), "template_not_found");
    world.stop().await;
}

#[actix_web::test]
async fn d14_e3_an_opted_out_contact_is_never_messaged() {
    let world = World::start().await;
    world.written("393331000005", "wamid.stop.1", "Buongiorno").await;
    assert!(world.webhook(&text_webhook("393331000005", "wamid.stop.2", "STOP")).await.status().is_success());
    world.get_until("/v1/contacts?q=393331000005", |list| list["data"][0]["consent"] == "opted_out").await;
    for body in [text_to("+393331000005", "Ciao"), invite_to("+393331000005", &["Anna"])] {
        let refused = world.call(Method::POST, "/v1/messages").body(body).answer().await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "opted_out")
        );
    }
    let audit =
        world.get_until("/v1/audit?action=contact.consent_changed", |list| list["data"][0].is_object()).await;
    assert_eq!(audit["data"][0]["by"], "contact");
    world.stop().await;
}

#[actix_web::test]
async fn bad_input_names_the_field() {
    let world = World::start().await;
    let cases: [(Value, &str, &str); 8] = [
        (json!({}), "malformed", "/type: is required"),
        (json!({ "type": "text", "to": "+393331000006" }), "invalid", "/text"),
        (json!({ "type": "text", "text": { "body": "x" } }), "invalid", "/to"),
        (json!({ "type": "text", "to": "tomorrow", "text": { "body": "x" } }), "invalid", "/to"),
        (json!({ "type": "text", "to": 7, "text": { "body": "x" } }), "malformed", "/to"),
        (
            json!({ "type": "text", "to": "+393331000006", "text": { "body": "x" }, "colour": 1 }),
            "malformed",
            "/colour",
        ),
        (json!({ "type": "text", "number_id": "num_1", "to": "+393331000006" }), "malformed", "/number_id"),
        (
            json!({ "type": "text", "to": "+393331000006", "contact_id": null, "text": {} }),
            "malformed",
            "/text",
        ),
    ];
    for (body, code, place) in cases {
        let refused = world.call(Method::POST, "/v1/messages").body(body.clone()).answer().await;
        assert_eq!(refused.code(), code, "{body}");
        assert!(refused.json()["detail"].as_str().unwrap().contains(place), "{body}: {refused:?}");
    }
    world.stop().await;
}

#[actix_web::test]
async fn p10_tenants_and_keys_see_only_their_own() {
    let world = World::start().await;
    let conversation = world.written("393331000007", "wamid.mine", "Buongiorno").await;
    let path = format!("/v1/conversations/{}", conversation["id"].as_str().unwrap());
    assert_eq!(world.get(path.clone()).await.status, StatusCode::OK);
    for path in [path.clone(), format!("{path}/messages")] {
        let foreign = world.call(Method::GET, path).with_key(OTHER_KEY).answer().await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    }
    let foreign =
        world.call(Method::PUT, format!("{path}/mode")).with_key(OTHER_KEY).body(json!({ "mode": "direct" }));
    assert_eq!(foreign.answer().await.status, StatusCode::NOT_FOUND);
    let list = world.call(Method::GET, "/v1/conversations").with_key(OTHER_KEY).answer().await;
    assert_eq!(list.json()["data"], json!([]));
    let unknown = world.call(Method::GET, "/v1/conversations").with_key("key_nobody").answer().await;
    assert_eq!((unknown.status, unknown.code().as_str()), (StatusCode::UNAUTHORIZED, "unauthorized"));
    world.stop().await;
}

#[actix_web::test]
async fn b5_channels_that_cannot_edit_say_so() {
    let world = World::start().await;
    let sent =
        world.call(Method::POST, "/v1/messages").body(invite_to("+393331000008", &["Anna"])).answer().await;
    let path = format!("/v1/messages/{}", sent.json()["id"].as_str().unwrap());
    world.get_until(&path, |message| message["id"].is_string()).await;
    for method in [Method::PATCH, Method::DELETE] {
        assert_eq!(world.call(method, path.clone()).answer().await.code(), "not_supported");
    }
    world.stop().await;
}

#[actix_web::test]
async fn d3_merge_fields_are_filled_by_name_and_missing_ones_are_named() {
    let world = World::start().await;
    let body = json!({ "name": "thanks", "kind": "custom", "language": "it",
                       "body": "Grazie {{candidate.first_name}}, a {{booking.day}}." });
    let made = world.call(Method::POST, "/v1/templates").body(body).answer().await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    world.written("393331000009", "wamid.merge", "Buongiorno").await;
    let send = |template: Value| {
        let mut body = text_to("+393331000009", "");
        (body["type"], body["template"]) = (json!("template"), template);
        world.call(Method::POST, "/v1/messages").body(body).answer()
    };
    let fields = json!({ "candidate.first_name": "Anna", "booking.day": "lunedì" });
    let sent = send(json!({ "name": "thanks", "language": "it", "merge": fields })).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
    let id = sent.json()["id"].as_str().unwrap().to_owned();
    let message = world.get_until(&format!("/v1/messages/{id}"), |m| m["provider_id"].is_string()).await;
    assert_eq!(message["text"]["body"], "Grazie Anna, a lunedì.");
    assert_eq!(message["attempts"], json!([]));
    let half = send(json!({ "name": "thanks", "language": "it", "merge": { "booking.day": "x" } })).await;
    assert_eq!(half.code(), "template_parameters");
    assert!(half.text.contains("candidate.first_name"), "{half:?}");
    let both = send(json!({ "name": "thanks", "language": "it", "merge": {}, "parameters": ["x"] })).await;
    assert_eq!(both.json()["errors"][0]["pointer"], "/template/merge");
    world.stop().await;
}
