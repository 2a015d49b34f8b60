//! Fields about accounts, numbers and templates.

use protocol::entry::Notice;
use protocol::id::PhoneNumberId;
use protocol::time::TimestampMs;
use protocol::whatsapp::webhook::Payload;
use serde_json::json;

use super::{change, notice, only, parts, value};

#[test]
fn template_webhooks_are_typed_and_languages_normalised() {
    let status = change(
        "message_template_status_update",
        &json!({
            "event": "REJECTED", "message_template_id": 99_001, "message_template_name": "interview",
            "message_template_language": "en-US", "reason": "INVALID_FORMAT",
            "rejection_info": { "reason": "Variable at the end", "recommendation": "Add text" },
        }),
    );
    let part = parts(&status).remove(0);
    assert!(
        matches!(part.payload, Payload::Notice(_, Some(at)) if at == TimestampMs::from_unix_seconds(1_790_000_000))
    );
    let expected = Notice::TemplateStatus {
        template_id: "99001".into(),
        name: "interview".into(),
        language: "en_US".into(),
        event: "REJECTED".into(),
        reason: Some("INVALID_FORMAT: Variable at the end: Add text".into()),
    };
    assert_eq!(notice(part), expected);
    for reason in [json!("NONE"), json!(null)] {
        let approved = change(
            "message_template_status_update",
            &json!({
                "event": "APPROVED", "message_template_id": "99001", "message_template_name": "interview",
                "message_template_language": "it", "reason": reason,
            }),
        );
        assert!(matches!(notice(parts(&approved).remove(0)), Notice::TemplateStatus { reason: None, .. }));
    }
    let quality = json!({
        "previous_quality_score": "GREEN", "new_quality_score": "RED", "message_template_id": 99_001,
        "message_template_name": "interview", "message_template_language": "pt-BR",
    });
    assert_eq!(
        notice(parts(&change("message_template_quality_update", &quality)).remove(0)),
        Notice::TemplateQuality { name: "interview".into(), language: "pt_BR".into(), score: "RED".into() }
    );
    let category = json!({
        "message_template_id": 1, "message_template_name": "interview", "message_template_language": "it",
        "previous_category": "UTILITY", "new_category": "MARKETING",
    });
    assert_eq!(
        notice(parts(&change("template_category_update", &category)).remove(0)),
        Notice::TemplateCategory {
            name: "interview".into(),
            language: "it".into(),
            category: "marketing".into()
        }
    );
    let components = json!({
        "message_template_id": 1, "message_template_name": "interview", "message_template_language": "en-US",
        "message_template_title": "Hello", "message_template_element": "See you {{1}}.",
    });
    assert_eq!(
        notice(parts(&change("message_template_components_update", &components)).remove(0)),
        Notice::TemplateComponents {
            name: "interview".into(),
            language: "en_US".into(),
            body: "See you {{1}}.".into()
        }
    );
}

#[test]
fn known_fields_are_kept_and_others_are_unknown() {
    for field in [
        "account_update",
        "account_alerts",
        "history",
        "smb_message_echoes",
        "security",
        "phone_number_quality_update",
    ] {
        let kept = json!({ "event": "FLAGGED", "display_phone_number": "390612345678" });
        let text = kept.to_string();
        let part = parts(&change(field, &kept)).remove(0);
        assert_eq!(part.display_phone.map(|phone| phone.digits()), Some(390_612_345_678));
        assert!(
            matches!(notice(part), Notice::Other { field: named, raw } if named == field && raw.0 == text)
        );
    }
    let unknown = notice(parts(&change("telepathy", &json!({ "a": 1 }))).remove(0));
    assert!(matches!(unknown, Notice::Unknown { reason, .. } if reason == "unknown field"));
    let nameless =
        notice(parts(&change("template_category_update", &json!({ "new_category": "UTILITY" }))).remove(0));
    assert!(matches!(nameless, Notice::Unknown { reason, .. } if reason == "template not named"));
}

#[test]
fn errors_of_a_value_stand_beside_its_messages() {
    let lists = json!({
        "messages": [{ "from": "393331234567", "id": "wamid.A", "timestamp": "1", "type": "interactive" }],
        "errors": [{ "code": 131_000, "title": "Something went wrong", "error_data": { "details": "Unsupported webhook payload" } }],
    });
    let parts = parts(&change("messages", &value(&lists)));
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[1].phone_number_id, Some(PhoneNumberId::new("800200")));
    assert!(matches!(notice(parts[1].clone()), Notice::Other { field, .. } if field == "errors"));
    let (_, happening) = super::conversation(parts[0].clone());
    let text = format!("{happening:?}");
    assert!(
        text.contains("Unsupported {") && text.contains("131000"),
        "the error explains the empty message: {text}"
    );
}

#[test]
fn opening_a_chat_is_no_message() {
    let welcome = json!({ "messages": [{ "from": "393331234567", "id": "wamid.A", "timestamp": "1", "type": "request_welcome" }] });
    assert!(
        matches!(notice(only(&welcome)), Notice::Other { field, .. } if field == "messages.request_welcome")
    );
}
