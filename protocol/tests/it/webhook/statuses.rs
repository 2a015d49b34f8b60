//! Reports on messages of ours.

use protocol::entry::{Happening, Notice, ProviderStatus, StatusUpdate};
use protocol::pricing::ProviderPricing;
use protocol::time::TimestampMs;
use protocol::whatsapp::webhook::Payload;
use serde_json::{Value, json};

use super::{conversation, notice, only};

fn status(more: &Value) -> Value {
    let mut status = json!({ "id": "wamid.B", "status": "sent", "timestamp": "1790000100", "recipient_id": "393331234567" });
    status.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "statuses": [status] })
}

fn read(more: &Value) -> StatusUpdate {
    match conversation(only(&status(more))).1 {
        Happening::Status(update) => update,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_status_is_read() {
    for (name, expected) in [
        ("sent", ProviderStatus::Sent),
        ("delivered", ProviderStatus::Delivered),
        ("read", ProviderStatus::Read),
        ("played", ProviderStatus::Played),
        ("failed", ProviderStatus::Failed),
    ] {
        assert_eq!(read(&json!({ "status": name })).status, expected);
    }
    let unknown = notice(only(&status(&json!({ "status": "warning" }))));
    assert!(matches!(unknown, Notice::Unknown { reason, .. } if reason == "unknown status"));
}

#[test]
fn p9_pricing_and_conversation_are_read_as_strings_or_numbers() {
    for expiry in [json!("1790086500"), json!(1_790_086_500)] {
        let update = read(&json!({
            "conversation": { "id": "c1", "expiration_timestamp": expiry, "origin": { "type": "referral_conversion" } },
            "pricing": { "billable": true, "pricing_model": "PMP", "type": "free_entry_point", "category": "referral_conversion" },
        }));
        let expected = ProviderPricing {
            billable: Some(true),
            model: "PMP".into(),
            kind: Some("free_entry_point".into()),
            category: "referral_conversion".into(),
            conversation_id: Some("c1".into()),
            conversation_expires_at: Some(TimestampMs::from_unix_seconds(1_790_086_500)),
            conversation_origin: Some("referral_conversion".into()),
        };
        assert_eq!(update.pricing, Some(expected));
    }
    let bare = read(&json!({ "pricing": { "pricing_model": "PMP", "category": "marketing_lite" } }))
        .pricing
        .unwrap();
    assert_eq!((bare.billable, bare.conversation_id), (None, None));
    assert_eq!(
        read(&json!({ "pricing": 7, "conversation": "x" })).pricing,
        None,
        "odd extras cost nothing else"
    );
}

#[test]
fn failures_carry_code_and_details() {
    let update = read(&json!({ "status": "failed", "errors": [
        { "code": "131047", "title": "Re-engagement message", "message": "Re-engagement message", "error_data": { "details": "More than 24 hours" }, "href": "/documentation/x" },
        { "code": 131_026, "message": "Undeliverable" },
        "no error",
    ] }));
    assert_eq!(update.errors.len(), 2);
    assert_eq!(
        (update.errors[0].code, update.errors[0].detail.as_deref()),
        (131_047, Some("More than 24 hours"))
    );
    assert_eq!(
        (update.errors[1].title.as_str(), update.errors[1].detail.as_deref()),
        ("Undeliverable", None)
    );
}

#[test]
fn p5_the_opaque_id_comes_back_even_without_a_recipient() {
    let part = only(
        &json!({ "statuses": [{ "id": "wamid.B", "status": "sent", "timestamp": "1", "biz_opaque_callback_data": "v1.x" }] }),
    );
    let Payload::Conversation { names, opaque, .. } = part.payload else { panic!() };
    assert!(names.is_empty());
    assert_eq!(opaque.as_deref(), Some("v1.x"));
    let nobody =
        notice(only(&json!({ "statuses": [{ "id": "wamid.B", "status": "sent", "timestamp": "1" }] })));
    assert!(matches!(nobody, Notice::Unknown { reason, .. } if reason == "no recipient"));
}

#[test]
fn groups_are_kept_apart() {
    let group = notice(only(&status(&json!({ "recipient_type": "group", "recipient_id": "R3JvdXA" }))));
    assert!(matches!(group, Notice::Other { field, .. } if field == "messages.group_status"));
    let message = json!({ "messages": [{ "id": "wamid.A", "from": "393331234567", "group_id": "R3JvdXA", "timestamp": "1", "type": "text", "text": { "body": "x" } }] });
    assert!(matches!(notice(only(&message)), Notice::Other { field, .. } if field == "messages.group"));
}
