//! Who is meant: names of contacts, changes of names, calls, preferences.

use protocol::entry::{CallEvent, Happening, Identity, IdentityChange, PreferenceChange};
use protocol::id::{Bsuid, ProviderId};
use protocol::phone::E164;
use protocol::time::TimestampMs;
use protocol::whatsapp::webhook::Names;
use serde_json::{Value, json};

use super::{change, conversation, only, parts, value};

fn phone(text: &str) -> Option<E164> {
    Some(E164::parse(text).unwrap())
}

fn bsuid(text: &str) -> Option<Bsuid> {
    Some(Bsuid::new(text))
}

/// A text message with these names, beside these contacts.
fn identity(names: &Value, contacts: &Value) -> Identity {
    let mut message =
        json!({ "id": "wamid.A", "timestamp": 1_790_000_100, "type": "text", "text": { "body": "x" } });
    message.as_object_mut().unwrap().extend(names.as_object().unwrap().clone());
    match conversation(only(&json!({ "contacts": contacts, "messages": [message] }))).1 {
        Happening::Received(message) => message.identity,
        other => panic!("{other:?}"),
    }
}

#[test]
fn f6_contacts_are_found_by_phone_by_user_id_or_alone() {
    let anna = json!({ "profile": { "name": "Anna", "username": "@anna" }, "wa_id": "393331234567", "user_id": "IT.1" });
    let ivo = json!({ "profile": { "name": "Ivo" }, "user_id": "IT.2" });
    let whole = Identity {
        phone: phone("393331234567"),
        bsuid: bsuid("IT.1"),
        username: Some("@anna".into()),
        profile_name: Some("Anna".into()),
    };
    assert_eq!(identity(&json!({ "from": "393331234567" }), &json!([ivo, anna])), whole);
    assert_eq!(identity(&json!({ "from_user_id": "IT.1" }), &json!([ivo, anna])), whole);
    assert_eq!(
        identity(&json!({}), &json!([anna])),
        whole,
        "one message and one contact without a common name"
    );
    let only_ivo = Identity { bsuid: bsuid("IT.2"), profile_name: Some("Ivo".into()), ..Identity::default() };
    assert_eq!(identity(&json!({ "from_user_id": "IT.2" }), &json!([ivo])), only_ivo);
    let missing = Identity { phone: phone("393331234567"), ..Identity::default() };
    assert_eq!(identity(&json!({ "from": "393331234567" }), &json!([])), missing);
    assert_eq!(
        identity(&json!({ "from": "393331234567", "from_user_id": "IT.9" }), &json!([ivo])).profile_name,
        None
    );
}

#[test]
fn several_messages_never_share_a_contact_by_guess() {
    let message =
        |from| json!({ "from": from, "id": from, "timestamp": "1", "type": "text", "text": { "body": "x" } });
    let contacts = json!([{ "profile": { "name": "Ivo" }, "user_id": "IT.2" }]);
    let lists =
        json!({ "contacts": contacts, "messages": [message("393331234567"), message("393337654321")] });
    for part in parts(&change("messages", &value(&lists))) {
        let (names, _) = conversation(part);
        assert_eq!(names.bsuid, None);
    }
}

fn system(from: &Value, system: &Value) -> (Names, IdentityChange) {
    let mut message =
        json!({ "id": "wamid.S", "timestamp": "1790000100", "type": "system", "system": system });
    message.as_object_mut().unwrap().extend(from.as_object().unwrap().clone());
    match conversation(only(&json!({ "messages": [message] }))) {
        (names, Happening::IdentityChanged(change)) => (names, change),
        (_, other) => panic!("{other:?}"),
    }
}

#[test]
fn a_new_phone_number_is_found_by_the_old_one() {
    let old = json!({ "from": "393331234567" });
    for body in [
        json!({ "type": "user_changed_number", "body": "Anna changed", "wa_id": "393339999999" }),
        json!({ "type": "customer_changed_number", "body": "Anna changed", "new_wa_id": "393339999999", "customer": "393331234567" }),
        json!({ "type": "user_changed_number", "body": "Anna changed", "new_wa_id": "393339999999", "wa_id": "393331234567" }),
    ] {
        let (names, change) = system(&old, &body);
        assert_eq!(names, Names { phone: phone("393331234567"), bsuid: None }, "{body}");
        assert_eq!(change.now.phone, phone("393339999999"), "{body}");
        assert_eq!(change.text.as_deref(), Some("Anna changed"));
        assert_eq!(change.at, TimestampMs::from_unix_seconds(1_790_000_100));
    }
    let (names, _) = system(
        &json!({}),
        &json!({ "type": "customer_changed_number", "new_wa_id": "393339999999", "customer": "393331234567" }),
    );
    assert_eq!(names.phone, phone("393331234567"), "the old number may stand in the body only");
}

#[test]
fn f6_a_new_user_id_is_found_by_whatever_old_name_there_is() {
    let by_phone = system(
        &json!({ "from": "393331234567" }),
        &json!({ "type": "user_changed_user_id", "user_id": "IT.2" }),
    );
    assert_eq!(by_phone.0, Names { phone: phone("393331234567"), bsuid: None });
    assert_eq!(by_phone.1.now.bsuid, bsuid("IT.2"));
    let table = [
        (json!({ "from_user_id": "IT.1" }), json!({ "type": "user_changed_user_id", "user_id": "IT.2" })),
        (
            json!({ "from_user_id": "IT.2" }),
            json!({ "type": "user_changed_user_id", "user_id": "IT.2", "previous_user_id": "IT.1" }),
        ),
        (
            json!({}),
            json!({ "type": "user_changed_user_id", "user_id": "IT.2", "body": "User Anna changed from IT.1 to IT.2" }),
        ),
    ];
    for (from, body) in table {
        assert_eq!(system(&from, &body).0, Names { phone: None, bsuid: bsuid("IT.1") }, "{from} {body}");
    }
    let body = json!({ "type": "user_changed_user_id", "user_id": "IT.2", "wa_id": "393331234567", "body": "Anna changed" });
    assert_eq!(system(&json!({}), &body).0, Names { phone: phone("393331234567"), bsuid: bsuid("IT.2") });
}

#[test]
fn a_new_device_key_changes_no_name() {
    let body = json!({ "type": "customer_identity_changed", "body": "Security code changed" });
    let (names, change) = system(&json!({ "from": "393331234567", "identity": { "hash": "h" } }), &body);
    assert_eq!(names.phone, phone("393331234567"));
    assert_eq!(change.now, Identity::default());
}

#[test]
fn b4_calls_name_the_contact_whoever_called() {
    let call = |direction: &str, event: &str| {
        json!({ "calls": [{
            "id": "wacid.1", "from": if direction == "USER_INITIATED" { "393331234567" } else { "390612345678" },
            "to": if direction == "USER_INITIATED" { "390612345678" } else { "393331234567" },
            "event": event, "direction": direction, "timestamp": "1790000100", "duration": "42", "session": { "sdp": "v=0" },
        }] })
    };
    for (direction, by_contact) in [("USER_INITIATED", true), ("BUSINESS_INITIATED", false)] {
        let part = parts(&change("calls", &value(&call(direction, "terminate")))).remove(0);
        let (names, happening) = conversation(part);
        assert_eq!(names.phone, phone("393331234567"));
        let expected = CallEvent {
            call_id: ProviderId::new("wacid.1"),
            at: TimestampMs::from_unix_seconds(1_790_000_100),
            event: "terminate".into(),
            by_contact,
            duration_seconds: Some(42),
            identity: Identity { phone: phone("393331234567"), ..Identity::default() },
        };
        assert_eq!(happening, Happening::Call(expected));
    }
    let ringing = json!({ "statuses": [{ "id": "wacid.1", "type": "call", "status": "RINGING", "timestamp": "1790000100", "recipient_id": "393331234567" }] });
    let (_, happening) = conversation(parts(&change("calls", &value(&ringing))).remove(0));
    assert!(
        matches!(happening, Happening::Call(CallEvent { by_contact: false, event, .. }) if event == "ringing")
    );
}

#[test]
fn e3_marketing_preferences_stop_and_resume() {
    for (word, stopped) in [("stop", true), ("resume", false), ("signup", false)] {
        let lists = json!({ "user_preferences": [{
            "wa_id": "393331234567", "user_id": "IT.1", "detail": "User said so", "category": "marketing_messages",
            "value": word, "timestamp": 1_790_000_100,
        }] });
        let (_, happening) = conversation(parts(&change("user_preferences", &value(&lists))).remove(0));
        let expected = PreferenceChange {
            at: TimestampMs::from_unix_seconds(1_790_000_100),
            marketing_stopped: stopped,
            identity: Identity { phone: phone("393331234567"), bsuid: bsuid("IT.1"), ..Identity::default() },
            detail: Some("User said so".into()),
        };
        assert_eq!(happening, Happening::Preference(expected));
    }
}
