//! Merge fields: filled from the record, previewed, chosen, named when they are missing.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Answer, OTHER_KEY};
use crate::harness::World;

const PHONE: &str = "+393337000001";

impl World {
    /// A candidate whose record says much.
    async fn recorded(&self) -> String {
        let body = json!({
            "phone": PHONE, "first_name": "Anna", "last_name": "Verdi", "country": "IT",
            "vacancy": { "id": "vac-1", "title": "Magazziniere" },
            "fields": { "booking.day": "lunedì", "shirt": "M", "interview.date": ["3 dicembre", "4 dicembre"] },
        });
        let made = self.call(Method::POST, "/v1/contacts").body(body).answer().await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        made.json()["id"].as_str().unwrap().to_owned()
    }

    /// A custom template; answers its path.
    async fn custom(&self, name: &str, body: &str) -> String {
        let body = json!({ "name": name, "kind": "custom", "language": "it", "body": body });
        let made = self.call(Method::POST, "/v1/templates").body(body).answer().await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        format!("/v1/templates/{}", made.json()["id"].as_str().unwrap())
    }

    async fn preview(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, format!("{path}/preview")).body(body).answer().await
    }

    async fn send_merged(&self, name: &str, merge: Option<Value>) -> Answer {
        let mut template = json!({ "name": name, "language": "it" });
        if let Some(merge) = merge {
            template["merge"] = merge;
        }
        let body = json!({ "channel": "whatsapp", "to": PHONE, "type": "template", "template": template });
        self.call(Method::POST, "/v1/messages").body(body).answer().await
    }
}

#[actix_web::test]
async fn d3_d4_fields_are_filled_from_the_record_and_previewed() {
    let world = World::start().await;
    let contact = world.recorded().await;
    let text = "{{candidate.first_name}}, {{job_opening.title}} a {{organisation.name}}: {{booking.day}}, {{contact.shirt}}";
    let path = world.custom("colloquio", text).await;
    let shown = world.preview(&path, json!({ "contact_id": contact })).await.json();
    assert_eq!(
        (&shown["text"], &shown["complete"]),
        (&json!("Anna, Magazziniere a tests: lunedì, M"), &json!(true))
    );
    world.written("393337000001", "wamid.d3", "/chat").await;
    let sent = world.send_merged("colloquio", None).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
    let path = format!("/v1/messages/{}", sent.json()["id"].as_str().unwrap());
    let message = world.get_until(&path, |message| message["id"].is_string()).await;
    assert_eq!(message["text"]["body"], "Anna, Magazziniere a tests: lunedì, M");
    world.stop().await;
}

#[actix_web::test]
async fn d3_a_field_with_several_values_has_to_be_chosen() {
    let world = World::start().await;
    let contact = world.recorded().await;
    world.written("393337000001", "wamid.d3", "/chat").await;
    let path = world.custom("data", "Ciao {{candidate.first_name}}, il {{interview.date}}?").await;
    let shown = world.preview(&path, json!({ "contact_id": contact })).await.json();
    assert_eq!(shown["choices"], json!({ "interview.date": ["3 dicembre", "4 dicembre"] }));
    assert_eq!(
        (&shown["text"], &shown["complete"]),
        (&json!("Ciao Anna, il {{interview.date}}?"), &json!(false))
    );
    let open = world.send_merged("data", None).await;
    assert_eq!(
        (open.status, open.code().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "template_parameters")
    );
    assert_eq!(open.json()["errors"][0]["pointer"], "/template/merge/interview.date");
    assert!(open.text.contains("3 dicembre, 4 dicembre"), "{open:?}");
    let chosen = json!({ "interview.date": "4 dicembre" });
    let shown = world.preview(&path, json!({ "contact_id": contact, "merge": chosen })).await.json();
    assert_eq!(shown["text"], "Ciao Anna, il 4 dicembre?");
    assert_eq!(world.send_merged("data", Some(chosen)).await.status, StatusCode::ACCEPTED);
    world.stop().await;
}

#[actix_web::test]
async fn d3_missing_and_unknown_values_are_named() {
    let world = World::start().await;
    world.recorded().await;
    let path = world.custom("manca", "{{candidate.first_name}} {{candidate.email}} {{client.name}}").await;
    let refused = world.send_merged("manca", Some(json!({ "colour": "red" }))).await;
    let pointers: Vec<_> =
        refused.json()["errors"].as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect();
    let expected =
        ["candidate.email", "client.name", "colour"].map(|name| json!(format!("/template/merge/{name}")));
    assert_eq!(pointers, expected, "{refused:?}");
    let shown = world.preview(&path, json!({ "merge": { "colour": "red" } })).await.json();
    assert_eq!(shown["missing"], json!(["candidate.first_name", "candidate.email", "client.name"]));
    assert_eq!(shown["unknown"], json!(["colour"]));
    world.stop().await;
}

#[actix_web::test]
async fn d3_parameters_of_approved_templates_name_their_fields() {
    let world = World::start().await;
    world.recorded().await;
    let invite = world.get("/v1/templates").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/templates/{invite}");
    let body = json!({ "body": "Ciao {{1}}", "merge": { "1": "candidate.first_name" } });
    let wrong = world.call(Method::PUT, path.clone()).body(body).answer().await;
    assert_eq!(wrong.json()["errors"][0]["pointer"], "/body", "it ends with a parameter: {wrong:?}");
    let body = json!({ "name": "welcome", "kind": "approved", "language": "it", "category": "utility",
                       "body": "Ciao {{1}}, benvenuta.", "merge": { "1": "candidate.first_name" } });
    let made = world.call(Method::POST, "/v1/templates").body(body).answer().await;
    let path = format!("/v1/templates/{}", made.json()["id"].as_str().unwrap());
    world.get_until(&path, |found| found["status"] == "approved").await;
    let sent = world.send_merged("welcome", None).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
    let heard = world.heard("393337000001", 1).await;
    assert_eq!(
        heard[0].body["template"]["components"][0]["parameters"],
        json!([{ "type": "text", "text": "Anna" }])
    );
    world.stop().await;
}

#[actix_web::test]
async fn d4_every_field_of_a_contact_can_be_listed_and_others_see_none() {
    let world = World::start().await;
    let contact = world.recorded().await;
    let path = format!("/v1/contacts/{contact}/merge-fields");
    let fields = world.get(&path).await.json()["fields"].clone();
    assert_eq!(fields["candidate.last_name"], json!(["Verdi"]));
    assert_eq!(fields["interview.date"], json!(["3 dicembre", "4 dicembre"]));
    assert_eq!(fields["booking.day"], json!(["lunedì"]));
    let foreign = world.call(Method::GET, path).with_key(OTHER_KEY).answer().await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    let template = world.custom("x", "Ciao {{candidate.first_name}}.").await;
    for (body, pointer) in [
        (json!({ "contact_id": "con_1" }), "/contact_id"),
        (json!({ "contact_id": contact.replace("con_", "con_0")[..30] }), "/contact_id"),
        (json!({ "conversation_id": 7 }), "/conversation_id"),
        (json!({ "merge": ["x"] }), "/merge"),
        (json!({ "merge": { "x": 1 } }), "/merge/x"),
        (json!({ "colour": "red" }), "/colour"),
    ] {
        let refused = world.preview(&template, body.clone()).await;
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{body}: {refused:?}");
    }
    world.stop().await;
}

#[actix_web::test]
async fn c4_a_custom_template_is_submitted_as_the_text_that_it_is() {
    let world = World::start().await;
    world.recorded().await;
    world.custom("richiamo", "Ciao {{candidate.first_name}}, sei ancora interessata?").await;
    let body = json!({ "channel": "whatsapp", "to": PHONE, "type": "template", "approval": {},
                       "template": { "name": "richiamo", "language": "it" } });
    let sent = world.call(Method::POST, "/v1/messages").body(body).answer().await;
    assert_eq!(sent.json()["status"], "awaiting_approval", "{sent:?}");
    let heard = world.heard("393337000001", 1).await;
    assert!(heard[0].body["template"]["name"].as_str().unwrap().starts_with("message_"));
    world.stop().await;
}
