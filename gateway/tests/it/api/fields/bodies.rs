//! Bodies that are taken, which together have every text that the contract knows.

use serde_json::{Value, json};

use super::Belongings;
use crate::api::notices::POINT;

/// Bodies by method and path of the contract.
pub(super) fn all(ours: &Belongings) -> Vec<(&'static str, &'static str, Value)> {
    let mut all: Vec<_> = [contacts(), billing(), settings(), flows(), templates(), views()].concat();
    let message = ours.id("/v1/messages/");
    for (method, path) in [
        ("POST", "/v1/messages"),
        ("POST", "/v1/billing/preview"),
        ("POST", "/v1/conversations/{id}/messages"),
    ] {
        for mut body in sends(message) {
            if !path.contains("{id}") {
                (body["to"], body["channel"]) = (json!("+393339990001"), json!("whatsapp"));
            }
            all.push((method, path, body));
        }
        all.push((method, path, json!({ "type": "text", "to": "+393339990001" })));
    }
    all
}

fn sends(message: &str) -> Vec<Value> {
    let link = || {
        json!({ "kind": "document", "link": "https://files.tests.example/cv.pdf", "mime_type": "application/pdf",
                "caption": "CV", "filename": "cv.pdf" })
    };
    let given = || json!({ "kind": "document", "provider_media_id": "1234567890" });
    let template = |values: (&str, Value)| {
        let mut template = json!({ "name": "invite", "language": "it" });
        template[values.0] = values.1;
        json!({ "type": "template", "template": template })
    };
    vec![
        json!({ "type": "text", "text": { "body": "Ciao" }, "approval": { "language": "it", "within_seconds": 60 } }),
        json!({ "type": "media", "media": link() }),
        json!({ "type": "media", "media": given() }),
        json!({ "type": "media", "attachments": [link()] }),
        json!({ "type": "media", "attachments": [given()] }),
        json!({ "type": "interactive",
                "interactive": { "body": "Quando?", "options": [{ "id": "today", "title": "Oggi" }] } }),
        template(("parameters", json!(["Anna"]))),
        template(("parameters", json!([{ "name": "1", "text": "Anna" }]))),
        template(("merge", json!({ "1": "Anna" }))),
        json!({ "type": "reaction", "reaction": { "message_id": message, "emoji": "👍" } }),
    ]
}

fn contacts() -> Vec<(&'static str, &'static str, Value)> {
    let card = |mut names: Value| {
        let card = json!({ "email": "anna@tests.example", "external_id": "c-1", "first_name": "Anna", "middle_name": "M",
            "last_name": "Rossi", "stage": "screening", "owner": { "role": "recruiter" },
            "vacancy": { "id": "v-1", "title": "Cook" }, "fields": { "1": "x" } });
        names.as_object_mut().unwrap().extend(card.as_object().unwrap().clone());
        names
    };
    let vacancy = || json!({ "vacancy": { "id": "v-1", "title": "Cook" } });
    vec![
        ("POST", "/v1/contacts", card(json!({ "phone": "+393339990009", "country": "IT" }))),
        ("POST", "/v1/contacts", json!({ "bsuid": "IT.1", "fields": { "1": ["x"] } })),
        ("PATCH", "/v1/contacts/{id}", card(json!({ "country": "IT" }))),
        ("PATCH", "/v1/contacts/{id}", json!({ "fields": { "1": ["x"] } })),
        ("PATCH", "/v1/contacts/{id}", json!({ "phone": "+393339990009" })),
        ("PATCH", "/v1/contacts/{id}", json!({ "bsuid": "IT.1" })),
        (
            "PUT",
            "/v1/contacts/{id}/consent",
            json!({ "channel": "whatsapp", "consent": "opted_in", "text": "yes" }),
        ),
        ("PUT", "/v1/conversations/{id}/owner", json!({ "owner": { "role": "recruiter" } })),
        ("PUT", "/v1/conversations/{id}/vacancy", vacancy()),
    ]
}

fn billing() -> Vec<(&'static str, &'static str, Value)> {
    let euro = |amount: &str| json!({ "amount": amount, "currency": "EUR" });
    let rule = json!({ "minimum_balance": euro("1"), "amount": euro("5"), "monthly_limit": euro("9") });
    vec![
        ("PUT", "/v1/credits/auto-recharge", rule),
        ("PUT", "/v1/credits/low-balance", json!({ "below": euro("1") })),
        ("POST", "/v1/credits/purchases", json!({ "amount": euro("5"), "reference": "card-1" })),
        ("POST", "/v1/credits/recharges/{id}/decline", json!({ "reason": "card expired" })),
    ]
}

fn settings() -> Vec<(&'static str, &'static str, Value)> {
    let endpoint = || json!({ "url": "https://hooks.tests.example/", "events": ["message.received"] });
    let user = || json!({ "name": "Bo", "email": "bo@tests.example", "role": "recruiter" });
    let group = || json!({ "name": "Night", "members": [] });
    let wishes = json!({ "time_zone": "Europe/Rome", "quiet_hours": { "from": "20:00", "to": "08:00" },
        "digest": "daily", "digest_at": "08:30" });
    vec![
        ("PUT", "/v1/notifications/settings", wishes),
        ("POST", "/v1/notifications/read", json!({ "through": 1 })),
        ("POST", "/v1/notifications/devices", device()),
        ("POST", "/v1/webhook-endpoints", endpoint()),
        ("PUT", "/v1/webhook-endpoints/{id}", endpoint()),
        ("POST", "/v1/users", user()),
        ("PUT", "/v1/users/{id}", user()),
        ("POST", "/v1/groups", group()),
        ("PUT", "/v1/groups/{id}", group()),
        ("POST", "/v1/keys", json!({ "name": "one", "scopes": ["*"] })),
        ("PATCH", "/v1/numbers/{id}", json!({ "nickname": "main" })),
    ]
}

/// Flows with steps of several kinds.
fn flows() -> Vec<(&'static str, &'static str, Value)> {
    let steps = [
        json!({ "key": "name", "ask": "Come ti chiami?", "type": "text", "retry": "Come?" }),
        json!({ "key": "age", "ask": "Quanti anni hai?", "type": "number", "min": "18", "max": "99" }),
        json!({ "key": "licence", "ask": "Hai la patente?", "type": "choice", "options": ["1", "2"],
                "branches": { "1": "end" } }),
    ];
    let flow = |step| {
        json!({ "id": "TEST0001", "language": "it", "completion": "Grazie.", "reminder": "Ci sei?",
                "reminder_after_seconds": 60, "vacancy": { "id": "v-1", "title": "Cook" }, "steps": [step] })
    };
    steps.map(|step| ("PUT", "/v1/flows/{id}", flow(step))).into()
}

/// A browser.
pub(super) fn device() -> Value {
    json!({ "endpoint": "https://push.example/one", "keys": { "p256dh": POINT, "auth": "BTBZMqHH6r4Tts7J_aSIgg" } })
}

fn templates() -> Vec<(&'static str, &'static str, Value)> {
    let wording = json!({ "body": "Ciao {{1}}, a presto", "examples": ["Anna"], "merge": { "1": "candidate.first_name" } });
    let mut new = wording.clone();
    let named = json!({ "name": "soon", "kind": "approved", "category": "utility", "language": "it" });
    new.as_object_mut().unwrap().extend(named.as_object().unwrap().clone());
    vec![
        ("POST", "/v1/templates", new),
        ("PUT", "/v1/templates/{id}", wording),
        ("POST", "/v1/templates/match", json!({ "text": "Ciao" })),
        ("POST", "/v1/templates/{id}/preview", json!({ "merge": { "1": "Anna" } })),
    ]
}

fn views() -> Vec<(&'static str, &'static str, Value)> {
    let conditions =
        [("q", "ross"), ("owner", "none"), ("replied_by", "me"), ("vacancy", "v-1"), ("stage", "screening")];
    let spans = ["minutes", "hours", "days", "weeks", "months"];
    let filters = conditions.map(|(name, value)| json!({ name: value })).into_iter();
    let filters: Vec<_> = filters.chain(spans.map(|unit| json!({ "unanswered_for": { unit: 3 } }))).collect();
    let paths = [("POST", "/v1/views"), ("PUT", "/v1/views/{id}")];
    let of = |(method, path)| {
        let body = move |filter: &Value| (method, path, json!({ "name": "Late", "filter": filter }));
        filters.iter().map(body).collect::<Vec<_>>()
    };
    paths.into_iter().flat_map(of).collect()
}

/// The places of all texts of a body.
pub(super) fn texts(body: &Value, above: &str) -> Vec<String> {
    match body {
        Value::String(_) => vec![above.to_owned()],
        Value::Array(of) => of
            .iter()
            .enumerate()
            .flat_map(|(place, value)| texts(value, &format!("{above}/{place}")))
            .collect(),
        Value::Object(of) => {
            of.iter().flat_map(|(name, value)| texts(value, &format!("{above}/{name}"))).collect()
        }
        _ => Vec::new(),
    }
}
