//! What messages say, type by type.

use protocol::content::{Content, Media, MediaKind, MediaSource, ProviderError, RawJson};
use protocol::id::{MediaId, ProviderId};
use protocol::time::TimestampMs;
use serde_json::{Value, json};

use super::received;

fn media(kind: MediaKind) -> Media {
    Media {
        kind,
        source: MediaSource::Provider(MediaId::new("5501")),
        mime_type: Some("application/x".into()),
        sha256: Some("k3ZbQ0Y9".into()),
        filename: None,
        caption: None,
        voice: false,
    }
}

fn file(more: &Value) -> Value {
    let mut file = json!({ "id": "5501", "mime_type": "application/x", "sha256": "k3ZbQ0Y9" });
    file.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    file
}

fn assert_read(table: impl IntoIterator<Item = (Value, Content)>) {
    for (body, content) in table {
        assert_eq!(received(&body).content, content, "{body}");
    }
}

#[test]
fn text_files_places_and_cards_are_read() {
    assert_read([
        (
            json!({ "type": "text", "text": { "body": "Ciao \"Anna\" 👋" } }),
            Content::Text { body: "Ciao \"Anna\" 👋".into() },
        ),
        (
            json!({ "type": "image", "image": file(&json!({ "caption": "io", "url": "https://x.example/1" })) }),
            Content::Media(Media { caption: Some("io".into()), ..media(MediaKind::Image) }),
        ),
        (json!({ "type": "video", "video": file(&json!({})) }), Content::Media(media(MediaKind::Video))),
        (
            json!({ "type": "audio", "audio": file(&json!({ "voice": true })) }),
            Content::Media(Media { voice: true, ..media(MediaKind::Audio) }),
        ),
        (
            json!({ "type": "document", "document": file(&json!({ "filename": "cv.pdf" })) }),
            Content::Media(Media { filename: Some("cv.pdf".into()), ..media(MediaKind::Document) }),
        ),
        (
            json!({ "type": "sticker", "sticker": file(&json!({ "animated": false })) }),
            Content::Media(media(MediaKind::Sticker)),
        ),
        (
            json!({ "type": "location", "location": { "latitude": 45.07, "longitude": "7.68", "name": "Torino" } }),
            Content::Location {
                latitude: 45.07,
                longitude: 7.68,
                name: Some("Torino".into()),
                address: None,
            },
        ),
        (
            json!({ "type": "contacts", "contacts": [{ "name": { "formatted_name": "Ivo" } }] }),
            Content::Contacts(vec![RawJson(r#"{"name":{"formatted_name":"Ivo"}}"#.into())]),
        ),
    ]);
}

#[test]
fn taps_and_forms_are_read() {
    assert_read([
        (
            json!({ "type": "interactive", "interactive": { "type": "button_reply", "button_reply": { "id": "y", "title": "Sì" } } }),
            Content::Choice { id: "y".into(), title: "Sì".into() },
        ),
        (
            json!({ "type": "interactive", "interactive": { "type": "list_reply", "list_reply": { "id": "3", "title": "Night", "description": "22-6" } } }),
            Content::Choice { id: "3".into(), title: "Night".into() },
        ),
        (
            json!({ "type": "interactive", "interactive": { "type": "nfm_reply", "nfm_reply": { "name": "flow", "body": "Sent", "response_json": "{\"age\":30}" } } }),
            Content::Form { name: "flow".into(), response_json: "{\"age\":30}".into() },
        ),
        (
            json!({ "type": "interactive", "interactive": { "type": "nfm_reply", "nfm_reply": { "response_json": { "age": 30 } } } }),
            Content::Form { name: "flow".into(), response_json: "{\"age\":30}".into() },
        ),
        (
            json!({ "type": "interactive", "interactive": { "type": "call_permission_reply", "call_permission_reply": { "response": "accept", "expiration_timestamp": 1_790_000_200 } } }),
            Content::CallPermission { accepted: true },
        ),
        (
            json!({ "type": "interactive", "interactive": { "type": "call_permission_reply", "call_permission_reply": { "response": "reject" } } }),
            Content::CallPermission { accepted: false },
        ),
        (
            json!({ "type": "button", "button": { "payload": "P1", "text": "Stop" } }),
            Content::Button { payload: "P1".into(), text: "Stop".into() },
        ),
        (
            json!({ "type": "button", "button": { "text": "Stop" } }),
            Content::Button { payload: "Stop".into(), text: "Stop".into() },
        ),
    ]);
}

#[test]
fn what_happens_to_earlier_messages_is_read() {
    let message = ProviderId::new("wamid.Z");
    assert_read([
        (
            json!({ "type": "reaction", "reaction": { "message_id": "wamid.Z", "emoji": "👍" } }),
            Content::Reaction { message: message.clone(), emoji: Some("👍".into()) },
        ),
        (
            json!({ "type": "reaction", "reaction": { "message_id": "wamid.Z", "emoji": "" } }),
            Content::Reaction { message: message.clone(), emoji: None },
        ),
        (
            json!({ "type": "reaction", "reaction": { "message_id": "wamid.Z" } }),
            Content::Reaction { message: message.clone(), emoji: None },
        ),
        (
            json!({ "type": "order", "order": { "catalog_id": "1" } }),
            Content::Order(RawJson(r#"{"catalog_id":"1"}"#.into())),
        ),
        (
            json!({ "type": "edit", "edit": { "original_message_id": "wamid.Z", "message": { "type": "text", "text": { "body": "new" }, "context": { "id": "wamid.Y" } } } }),
            Content::Edit {
                original: message.clone(),
                content: Box::new(Content::Text { body: "new".into() }),
            },
        ),
        (
            json!({ "type": "revoke", "revoke": { "original_message_id": "wamid.Z" } }),
            Content::Revoke { original: message },
        ),
    ]);
}

#[test]
fn what_the_provider_cannot_represent_says_so() {
    let error = ProviderError {
        code: 131_051,
        title: "Message type unknown".into(),
        detail: Some("Message type is currently not supported.".into()),
    };
    let errors = json!([{
        "code": 131_051, "title": "Message type unknown", "message": "Message type unknown",
        "error_data": { "details": "Message type is currently not supported." },
    }]);
    let table = [
        (json!({ "type": "unsupported", "errors": errors }), None),
        (
            json!({ "type": "unsupported", "errors": errors, "unsupported": { "type": "poll_creation" } }),
            Some("poll_creation"),
        ),
        (json!({ "type": "unknown", "errors": errors }), None),
        (json!({ "type": "document", "errors": errors }), Some("document")),
    ];
    for (body, kind) in table {
        let expected = Content::Unsupported { kind: kind.map(Into::into), errors: vec![error.clone()] };
        assert_eq!(received(&body).content, expected, "{body}");
    }
}

#[test]
fn new_types_and_broken_bodies_are_kept_raw() {
    for body in [
        json!({ "type": "hologram", "hologram": { "id": 1 } }),
        json!({ "type": "text", "text": "no object" }),
        json!({ "type": "text", "text": { "body": {} } }),
        json!({ "type": "interactive", "interactive": { "type": "dance" } }),
        json!({ "type": "image", "image": [] }),
        json!({ "type": "reaction", "reaction": {} }),
        json!({ "type": "edit", "edit": { "message": {} } }),
        json!({ "text": { "body": "no type" } }),
    ] {
        let Content::Unknown { kind, raw } = received(&body).content else { panic!("{body}") };
        assert_eq!(kind.as_str(), body["type"].as_str().unwrap_or_default());
        let raw: Value = serde_json::from_str(&raw.0).unwrap();
        assert_eq!(raw["id"], "wamid.A", "the whole message is kept");
    }
}

#[test]
fn an_edit_does_not_nest() {
    let mut body = json!({ "type": "text", "text": { "body": "deep" } });
    for _ in 0..50 {
        body = json!({ "type": "edit", "edit": { "original_message_id": "wamid.Z", "message": body } });
    }
    let Content::Edit { content, .. } = received(&body).content else { panic!() };
    assert_eq!(content.kind(), "unknown");
}

#[test]
fn context_referral_and_time_come_along() {
    let message = received(&json!({
        "type": "text", "text": { "body": "TEST0001" },
        "context": { "from": "390612345678", "id": "wamid.Q", "frequently_forwarded": true },
        "referral": {
            "source_url": "https://fb.example/ad", "source_id": 4711, "source_type": "ad", "headline": "Lavora con noi",
            "body": "…", "media_type": "image", "ctwa_clid": "clid", "welcome_message": { "text": "Ciao" },
        },
    }));
    assert_eq!(message.sent_at, TimestampMs::from_unix_seconds(1_790_000_100));
    assert_eq!(message.reply_to, Some(ProviderId::new("wamid.Q")));
    assert!(message.forwarded);
    let referral = message.referral.unwrap();
    assert_eq!(referral.source_type, "ad");
    assert_eq!(referral.source_id.as_deref(), Some("4711"));
    assert_eq!(referral.headline.as_deref(), Some("Lavora con noi"));
    assert_eq!(referral.ctwa_clid.as_deref(), Some("clid"));
}
