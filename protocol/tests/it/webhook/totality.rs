//! Nothing is lost and nothing panics, whatever comes.

use proptest::prelude::*;
use protocol::entry::Notice;
use protocol::whatsapp::limits::MAX_RAW_BYTES;
use protocol::whatsapp::webhook::{DecodeError, Part, Payload, decode};
use serde_json::{Value, json};

use super::{change, notice, parts, value};

fn message(index: usize) -> Value {
    json!({ "from": "393331234567", "id": format!("wamid.{index}"), "timestamp": "1", "type": "text", "text": { "body": "x" } })
}

fn unknown(part: &Part) -> Option<(&str, &str)> {
    match &part.payload {
        Payload::Notice(Notice::Unknown { field, reason, .. }, _) => Some((field, reason)),
        _ => None,
    }
}

#[test]
fn only_what_is_no_webhook_is_refused() {
    for (body, expected) in [
        ("", DecodeError::NotJson),
        ("{", DecodeError::NotJson),
        ("\u{fffd}", DecodeError::NotJson),
        ("[]", DecodeError::NotAnObject),
        ("\"x\"", DecodeError::NotAnObject),
        ("{}", DecodeError::Object),
        (r#"{"object":"page","entry":[]}"#, DecodeError::Object),
        (r#"{"object":"page","entry":7}"#, DecodeError::Object),
        (r#"{"object":"whatsapp_business_account"}"#, DecodeError::Entry),
        (r#"{"object":"whatsapp_business_account","entry":null}"#, DecodeError::Entry),
        (r#"{"object":"whatsapp_business_account","entry":{}}"#, DecodeError::Entry),
    ] {
        let error = decode(body.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), expected.to_string(), "{body}");
    }
    assert!(matches!(decode(&[0xff, b'{']), Err(DecodeError::NotJson)));
    assert_eq!(decode(br#"{"object":"whatsapp_business_account","entry":[]}"#).unwrap().parts, []);
}

#[test]
fn a_bad_part_leaves_its_neighbours_alone() {
    let good = change("messages", &value(&json!({ "messages": [message(1), 7, { "id": 3 }, message(4)] })));
    let good = good["entry"][0].clone();
    let body = json!({
        "object": "whatsapp_business_account",
        "entry": [
            "no entry",
            { "id": "1" },
            { "id": "1", "changes": 7 },
            { "id": { "odd": true }, "changes": ["no change", { "field": "messages" }, { "field": "messages", "value": [] }] },
            { "id": "2", "changes": [{ "field": "messages", "value": value(&json!({ "messages": [message(5)], "statuses": "none", "contacts": [9] })) }] },
            good,
        ],
    });
    let parts = parts(&body);
    let odd: Vec<_> = parts.iter().filter_map(unknown).collect();
    assert_eq!(
        odd,
        [
            ("entry", "malformed"),
            ("entry", "malformed"),
            ("changes", "malformed"),
            ("changes", "malformed"),
            ("changes", "malformed"),
            ("messages", "nothing known in it"),
            ("statuses", "not a list"),
            ("contacts", "malformed"),
            ("messages", "malformed"),
            ("messages", "no sender"),
        ]
    );
    assert_eq!(parts.len() - odd.len(), 3, "messages 1, 4 and 5");
}

#[test]
fn incomplete_messages_say_what_is_missing() {
    for (gone, reason) in [("from", "no sender"), ("id", "no id"), ("timestamp", "no timestamp")] {
        let mut message = message(1);
        message.as_object_mut().unwrap().remove(gone);
        let parts = parts(&change("messages", &value(&json!({ "messages": [message] }))));
        assert_eq!(unknown(&parts[0]), Some(("messages", reason)));
    }
    let empty = parts(&change("messages", &value(&json!({}))));
    assert_eq!(unknown(&empty[0]), Some(("messages", "nothing known in it")));
}

#[test]
fn p11_what_is_kept_raw_is_bounded_and_cut_between_characters() {
    let long = "è".repeat(MAX_RAW_BYTES);
    let part = parts(&change("telepathy", &json!({ "a": long }))).remove(0);
    let Notice::Unknown { raw, .. } = notice(part) else { panic!() };
    assert!(raw.0.len() <= MAX_RAW_BYTES && raw.0.len() > MAX_RAW_BYTES - 4);
}

#[test]
fn depth_does_not_overflow() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let body = format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":{deep},"changes":[{{"field":"messages","value":{{"messages":[{deep},{{"id":{deep}}}]}}}}]}}]}}"#
    );
    assert!(!decode(body.as_bytes()).unwrap().parts.is_empty());
}

/// Any JSON, with the names that the reader looks for.
fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "id",
        "from",
        "from_user_id",
        "timestamp",
        "type",
        "text",
        "body",
        "image",
        "system",
        "interactive",
        "edit",
        "message",
        "wa_id",
        "profile",
        "name",
        "errors",
        "code",
        "status",
        "pricing",
        "metadata",
        "contacts",
        "value",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec![
            "text",
            "image",
            "system",
            "edit",
            "sent",
            "1790000000",
            "393331234567",
            "\u{0}è👋",
            ""
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone().prop_map(String::from), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A valid webhook with one bit of it changed.
fn bent() -> impl Strategy<Value = Vec<u8>> {
    let lists = json!({ "contacts": [{ "wa_id": "393331234567", "profile": { "name": "Anna" } }], "messages": [message(1)],
        "statuses": [{ "id": "w", "status": "sent", "timestamp": "1", "recipient_id": "393331234567", "pricing": { "category": "utility" } }] });
    let body = change("messages", &value(&lists)).to_string().into_bytes();
    (0..body.len(), any::<u8>()).prop_map(move |(at, byte)| {
        let mut body = body.clone();
        body[at] = byte;
        body
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body: Vec<u8>) {
        let _ = decode(&body);
    }

    #[test]
    fn bent_webhooks_never_panic(body in bent()) {
        let _ = decode(&body);
    }

    #[test]
    fn k_elements_in_are_k_parts_out(
        messages in prop::collection::vec(any_json(), 0..6),
        statuses in prop::collection::vec(any_json(), 0..6),
        calls in prop::collection::vec(any_json(), 0..6),
        good in 1usize..4,
    ) {
        let messages: Vec<Value> = messages.into_iter().chain((0..good).map(message)).collect();
        let expected = messages.len() + statuses.len() + calls.len();
        let lists = json!({ "messages": messages, "statuses": statuses, "calls": calls });
        let parts = parts(&change("messages", &value(&lists)));
        prop_assert_eq!(parts.len(), expected);
        let understood = parts.iter().filter(|part| matches!(part.payload, Payload::Conversation { .. })).count();
        prop_assert!(understood >= good);
    }

    #[test]
    fn k_changes_in_are_at_least_k_parts_out(values in prop::collection::vec(any_json(), 1..6)) {
        let changes: Vec<Value> = values.iter().map(|value| json!({ "field": "account_update", "value": value })).collect();
        let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": changes }] });
        prop_assert_eq!(parts(&body).len(), values.len());
    }
}
