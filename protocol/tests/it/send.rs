//! Request bodies, exactly as the provider documents them.

use protocol::content::{
    Category, Choice, Content, Media, MediaKind, MediaSource, Parameter, RawJson, TemplateContent,
};
use protocol::entry::Identity;
use protocol::id::{Bsuid, MediaId, ProviderId};
use protocol::phone::E164;
use protocol::whatsapp::send::{Send, Unsendable, read_receipt};
use serde_json::{Value, json};

fn anna() -> Identity {
    Identity {
        phone: E164::parse("393331234567").ok(),
        bsuid: Some(Bsuid::new("IT.1")),
        ..Identity::default()
    }
}

fn body(content: &Content) -> Value {
    let send = Send { to: &anna(), content, reply_to: None, opaque: "v1.x" };
    serde_json::from_slice(&send.body().unwrap()).unwrap()
}

/// The whole body around a content.
fn around(kind: &str, content: &Value) -> Value {
    json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "+393331234567",
        "biz_opaque_callback_data": "v1.x", "type": kind, kind: content,
    })
}

fn media(kind: MediaKind, source: MediaSource) -> Content {
    Content::Media(Media {
        kind,
        source,
        mime_type: Some("x/y".into()),
        sha256: None,
        filename: Some("cv.pdf".into()),
        caption: Some("mine".into()),
        voice: true,
    })
}

fn options(count: usize) -> Vec<Choice> {
    (1..=count).map(|n| Choice { id: n.to_string().into(), title: format!("Option {n}") }).collect()
}

fn template(parameters: Vec<Parameter>) -> Content {
    Content::Template(TemplateContent {
        name: "interview".into(),
        language: "pt_BR".into(),
        category: Category::Utility,
        parameters,
        rendered: "…".into(),
    })
}

#[test]
fn simple_contents() {
    let id = || MediaSource::Provider(MediaId::new("55"));
    let link = || MediaSource::Link("https://x.example/f".into());
    let message = ProviderId::new("wamid.1");
    for (content, kind, expected) in [
        (Content::Text { body: "Ciao".into() }, "text", json!({ "body": "Ciao" })),
        (media(MediaKind::Image, id()), "image", json!({ "id": "55", "caption": "mine" })),
        (
            media(MediaKind::Video, link()),
            "video",
            json!({ "link": "https://x.example/f", "caption": "mine" }),
        ),
        (
            media(MediaKind::Document, id()),
            "document",
            json!({ "id": "55", "caption": "mine", "filename": "cv.pdf" }),
        ),
        (media(MediaKind::Audio, id()), "audio", json!({ "id": "55", "voice": true })),
        (media(MediaKind::Sticker, id()), "sticker", json!({ "id": "55" })),
        (
            Content::Reaction { message: message.clone(), emoji: Some("👍".into()) },
            "reaction",
            json!({ "message_id": "wamid.1", "emoji": "👍" }),
        ),
        (
            Content::Reaction { message, emoji: None },
            "reaction",
            json!({ "message_id": "wamid.1", "emoji": "" }),
        ),
        (
            Content::Location { latitude: 45.5, longitude: 7.0, name: Some("HQ".into()), address: None },
            "location",
            json!({ "latitude": 45.5, "longitude": 7.0, "name": "HQ" }),
        ),
        (
            Content::Contacts(vec![RawJson(r#"{"name":{"formatted_name":"Ivo"}}"#.into())]),
            "contacts",
            json!([{ "name": { "formatted_name": "Ivo" } }]),
        ),
    ] {
        assert_eq!(body(&content), around(kind, &expected));
    }
}

#[test]
fn questions_are_buttons_up_to_three_and_lists_above() {
    let ask = |options, list_button| Content::Interactive { body: "Shift?".into(), options, list_button };
    let button =
        |n: u8| json!({ "type": "reply", "reply": { "id": n.to_string(), "title": format!("Option {n}") } });
    let expected = json!({
        "type": "button", "body": { "text": "Shift?" }, "action": { "buttons": [button(1), button(2), button(3)] },
    });
    assert_eq!(body(&ask(options(3), None)), around("interactive", &expected));
    let row = |n: u8| json!({ "id": n.to_string(), "title": format!("Option {n}") });
    let expected = json!({
        "type": "list", "body": { "text": "Shift?" },
        "action": { "button": "Scegli", "sections": [{ "rows": [row(1), row(2), row(3), row(4)] }] },
    });
    assert_eq!(body(&ask(options(4), Some("Scegli".into()))), around("interactive", &expected));
    let long = vec![Choice { id: "1".into(), title: "longer than a button".repeat(2)[..24].into() }];
    assert_eq!(body(&ask(long, None))["interactive"]["type"], "list", "a row holds more than a button");
}

#[test]
fn template_parameters_are_counted_or_named() {
    let bare = json!({ "name": "interview", "language": { "code": "pt_BR" } });
    assert_eq!(body(&template(vec![])), around("template", &bare));
    let counted = template(vec![Parameter { name: None, text: "Anna".into() }]);
    assert_eq!(
        body(&counted)["template"]["components"],
        json!([{ "type": "body", "parameters": [{ "type": "text", "text": "Anna" }] }])
    );
    let named = template(vec![Parameter { name: Some("first".into()), text: "Anna".into() }]);
    assert_eq!(
        body(&named)["template"]["components"],
        json!([{ "type": "body", "parameters": [{ "type": "text", "parameter_name": "first", "text": "Anna" }] }])
    );
}

#[test]
fn f6_the_user_id_is_used_when_there_is_no_phone_number() {
    let content = Content::Text { body: "Ciao".into() };
    let reply_to = ProviderId::new("wamid.Q");
    let to = Identity { phone: None, ..anna() };
    let send = Send { to: &to, content: &content, reply_to: Some(&reply_to), opaque: "v1.x" };
    let body: Value = serde_json::from_slice(&send.body().unwrap()).unwrap();
    assert_eq!((&body["recipient"], body.get("to")), (&json!("IT.1"), None));
    assert_eq!(body["context"], json!({ "message_id": "wamid.Q" }));
    let nobody = Send { to: &Identity::default(), ..send };
    assert_eq!(nobody.body(), Err(Unsendable::NoRecipient));
}

#[test]
fn what_only_comes_in_cannot_be_sent() {
    let content = Content::Revoke { original: ProviderId::new("wamid.1") };
    let send = Send { to: &anna(), content: &content, reply_to: None, opaque: "" };
    assert_eq!(send.body(), Err(Unsendable::Kind("revoke")));
}

#[test]
fn b6_receipts_with_and_without_typing() {
    let message = ProviderId::new("wamid.1");
    let read = |typing| serde_json::from_slice::<Value>(&read_receipt(&message, typing)).unwrap();
    let receipt = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1" });
    assert_eq!(read(false), receipt);
    assert_eq!(read(true)["typing_indicator"], json!({ "type": "text" }));
}
