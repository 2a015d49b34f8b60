//! Contacts as the tenant's systems write them.

use load_tests::simulator::Inbound;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{ANNA_KEY, OTHER_KEY, invite_to};
use crate::harness::{World, text_webhook, with_names};

async fn create(world: &World, body: Value) -> super::Answer {
    world.call(Method::POST, "/v1/contacts").body(body).answer().await
}

fn path(contact: &Value) -> String {
    format!("/v1/contacts/{}", contact["id"].as_str().unwrap())
}

#[actix_web::test]
async fn a_contact_is_made_found_and_changed() {
    let world = World::start().await;
    let body = json!({
        "phone": "+39 333 800 0001", "first_name": "Анна", "middle_name": "Сергеевна", "last_name": "Фёдорова",
        "email": "anna@example.com", "country": "IT", "vacancy": { "id": "vac-7", "title": "Magazziniere" },
        "stage": "screening", "owner": { "role": "recruiter" }, "external_id": "ats-1",
        "fields": { "city": "Bari", "interview.date": ["Monday", "Friday"] },
    });
    let made = create(&world, body.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let contact = made.json();
    assert_eq!(contact["phone"], "+393338000001");
    assert_eq!(contact["name"], "Анна Сергеевна Фёдорова");
    assert_eq!(contact["record_type"], "candidate");
    let again = create(&world, body).await;
    assert_eq!((again.status, again.code().as_str()), (StatusCode::CONFLICT, "already_exists"));
    // B3: surname first, without the accent.
    let found = world.get("/v1/contacts?q=федорова%20анна").await.json();
    assert_eq!(found["data"][0]["id"], contact["id"]);

    let path = path(&contact);
    let read = world.get(path.clone()).await;
    assert_eq!((read.etag.as_ref(), &read.json()), (made.etag.as_ref(), &contact));
    let change = json!({ "stage": "offer", "email": null, "owner": { "role": "admin" }, "fields": { "city": null, "shift": "night" } });
    let change = || {
        world
            .call(Method::PATCH, path.clone())
            .body(change.clone())
            .header("If-Match", made.etag.clone().unwrap())
    };
    let changed = change().answer().await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    let after = changed.json();
    assert_eq!(
        (&after["stage"], &after["email"], &after["last_name"]),
        (&json!("offer"), &Value::Null, &contact["last_name"])
    );
    assert_eq!(
        (&after["fields"], &after["owner"]),
        (&json!({ "shift": "night", "interview.date": ["Monday", "Friday"] }), &json!({ "role": "admin" }))
    );
    let stale = change().answer().await;
    assert_eq!((stale.status, stale.code().as_str()), (StatusCode::PRECONDITION_FAILED, "changed_meanwhile"));
    for (method, path) in [(Method::GET, path.clone()), (Method::PATCH, path)] {
        let foreign = world.call(method, path).with_key(OTHER_KEY).body(json!({})).answer().await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    }
    world.stop().await;
}

#[actix_web::test]
async fn mistakes_in_contacts_are_named() {
    let world = World::start().await;
    let cases = [
        (json!({}), "/phone"),
        (json!({ "phone": "333 800" }), "/phone"),
        (json!({ "phone": "12", "country": "IT" }), "/phone"),
        (json!({ "phone": "+55 11 88765-4321" }), "/phone"),
        (json!({ "phone": 393338000002u64 }), "/phone"),
        (json!({ "phone": "+393338000002", "bsuid": "IT.1" }), "/phone"),
        (json!({ "bsuid": "1" }), "/bsuid"),
        (json!({ "phone": "+393338000002", "first_name": " " }), "/first_name"),
        (json!({ "phone": "+393338000002", "email": "anna" }), "/email"),
        (json!({ "phone": "+393338000002", "country": "Italy" }), "/country"),
        (
            json!({ "phone": "+393338000002", "owner": { "user": "usr_00000000000000000000000001" } }),
            "/owner",
        ),
        (json!({ "phone": "+393338000002", "vacancy": { "id": "", "title": "x" } }), "/vacancy/id"),
        (json!({ "phone": "+393338000002", "fields": { "No Name": "x" } }), "/fields"),
        (json!({ "phone": "+393338000002", "fields": { "city": 7 } }), "/fields/city"),
        (json!({ "phone": "+393338000002", "fields": { "city": [] } }), "/fields/city"),
        (
            json!({ "phone": "+393338000002", "fields": { "interview.date": ["a", 7] } }),
            "/fields/interview.date/1",
        ),
        (json!({ "phone": "+393338000002", "fields": { ".date": "a" } }), "/fields"),
        (json!({ "phone": "+393338000002", "colour": "red" }), "/colour"),
    ];
    for (body, pointer) in cases {
        let refused = create(&world, body.clone()).await;
        assert!(refused.refuses(pointer), "{body}: {refused:?}");
    }
    let contact = create(&world, json!({ "phone": "+393338000002" })).await.json();
    let moved =
        world.call(Method::PATCH, path(&contact)).body(json!({ "phone": "+393338000003" })).answer().await;
    assert_eq!(moved.json()["errors"][0]["pointer"], "/phone");
    world.stop().await;
}

#[actix_web::test]
async fn what_the_record_says_holds_in_its_conversations() {
    let world = World::start().await;
    let conversation = world.written("393338000004", "wamid.card.1", "/chat").await;
    let contact = conversation["contact"].clone();
    let without_card = world.get(path(&contact)).await;
    assert_eq!(without_card.etag.as_deref(), Some("\"0\""));
    let users = world.get("/v1/users").await.json();
    let owner = json!({ "user": users["data"][0]["id"] });
    let vacancy = json!({ "id": "vac-9", "title": "Autista" });
    let change = json!({ "last_name": "Verdi", "stage": "invited", "owner": owner, "vacancy": vacancy });
    let patch = world.call(Method::PATCH, path(&contact)).with_key(ANNA_KEY).body(change);
    let changed = patch.header("If-Match", "\"0\"").answer().await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    let shown = format!("/v1/conversations/{}", conversation["id"].as_str().unwrap());
    let after = world.get_until(&shown, |row| row["vacancy"] == vacancy).await;
    assert_eq!((&after["owner"], &after["contact"]["name"]), (&owner, &json!("Verdi")));
    // B3: the stage combines with a search.
    let found = world.get("/v1/conversations?q=verdi&stage=invited").await.json();
    assert_eq!(found["data"][0]["id"], conversation["id"]);
    let none = world.get("/v1/conversations?q=verdi&stage=offer").await.json();
    assert_eq!(none["data"], json!([]));
    world.stop().await;
}

#[actix_web::test]
async fn d7_a_phone_without_country_code_takes_the_records_country() {
    let world = World::start().await;
    let made = create(&world, json!({ "phone": "333 800 0011", "country": "IT" })).await;
    assert_eq!(
        (made.status, &made.json()["phone"]),
        (StatusCode::CREATED, &json!("+393338000011")),
        "{made:?}"
    );
    let twice = create(&world, json!({ "phone": "+39 333 800 0011" })).await;
    assert_eq!(twice.code(), "already_exists");
    world.stop().await;
}

#[actix_web::test]
async fn e1_a_brazilian_is_known_with_and_without_the_ninth_digit() {
    let world = World::start().await;
    let chat = world.written("551187654321", "wamid.brazil.1", "/chat").await;
    let card =
        create(&world, json!({ "phone": "11 98765-4321", "country": "BR", "first_name": "Bia" })).await;
    assert_eq!(card.json()["id"], chat["contact"]["id"], "{card:?}");
    let text =
        json!({ "channel": "whatsapp", "to": "+5511987654321", "type": "text", "text": { "body": "Oi" } });
    let sent = world.call(Method::POST, "/v1/messages").body(text).answer().await;
    assert_eq!(sent.json()["conversation_id"], chat["id"], "{sent:?}");
    world.stop().await;
}

#[actix_web::test]
async fn e1_whoever_has_a_record_is_known_by_it_when_writing_without_the_ninth_digit() {
    let world = World::start().await;
    let record = json!({ "phone": "+5511987650001", "first_name": "Davi", "stage": "invited", "owner": { "role": "admin" },
                         "vacancy": { "id": "vac-9", "title": "Motorista" } });
    let card = create(&world, record).await;
    assert_eq!(card.status, StatusCode::CREATED, "{card:?}");
    let chat = world.written("551187650001", "wamid.brazil.2", "/chat").await;
    assert_eq!(chat["contact"]["id"], card.json()["id"], "{chat}");
    assert_eq!(chat["contact"]["name"], "Davi");
    let path = format!("/v1/conversations/{}", chat["id"].as_str().unwrap());
    let known = world.get_until(&path, |chat| chat["vacancy"]["id"] == "vac-9").await;
    assert_eq!(known["owner"], card.json()["owner"], "{known}");
    let twice = create(&world, json!({ "phone": "+551187650001" })).await;
    assert_eq!(twice.code(), "already_exists");
    world.stop().await;
}

#[actix_web::test]
async fn e1_what_is_sent_to_one_writing_is_told_of_and_answered_under_the_other_in_one_conversation() {
    let world = World::start().await;
    world.provider.adjust(|manners| {
        // Nothing else tells who it is.
        (manners.drops_ninth_digit, manners.user_ids) = (true, false);
        manners.statuses.read_probability = 1.0;
    });
    let invite = world.call(Method::POST, "/v1/messages").body(invite_to("+5511987650002", &["Caio"]));
    let sent = invite.answer().await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
    world.heard("551187650002", 1).await;
    let path = format!("/v1/messages/{}", sent.json()["id"].as_str().unwrap());
    world.get_until(&path, |message| message["status"] == "read").await;
    for (place, writing) in ["551187650002", "5511987650002"].into_iter().enumerate() {
        world.provider.inbound(Inbound::text(writing, &format!("/chat {place}"))).unwrap();
    }
    world.provider.inbound(Inbound::text("5511987650002", "/chat")).unwrap();
    let chat = format!("/v1/conversations/{}", sent.json()["conversation_id"].as_str().unwrap());
    let inbound = |list: &Value| {
        let all = list["data"].as_array().unwrap().iter();
        all.filter(|message| message["direction"] == "inbound").count()
    };
    world.get_until(&format!("{chat}/messages"), |list| inbound(list) == 3).await;
    let text = json!({ "to": "+551187650002", "type": "text", "text": { "body": "Oi, Caio" } });
    let answer = world.call(Method::POST, "/v1/messages").body(text).answer().await;
    assert_eq!(answer.json()["conversation_id"], sent.json()["conversation_id"], "{answer:?}");
    for (list, what) in [("/v1/conversations", "conversation"), ("/v1/contacts", "contact")] {
        let found = world.get(list).await.json();
        assert_eq!(found["data"].as_array().unwrap().len(), 1, "one {what}: {found}");
    }
    world.stop().await;
}

#[actix_web::test]
async fn f6_a_record_pushed_by_phone_number_finds_who_wrote_by_user_id() {
    let world = World::start().await;
    let record = json!({ "phone": "+393338000055", "first_name": "Elsa", "owner": { "role": "admin" } });
    let card = create(&world, record).await;
    let webhook = |wamid: &str, with_phone: bool| {
        with_names(&text_webhook("393338000055", wamid, "/chat"), "IT.55", with_phone).to_string()
    };
    assert!(world.webhook(&webhook("wamid.elsa.1", false)).await.status().is_success());
    let by_card = |list: &Value| list["data"].as_array().unwrap().len();
    let list = world.get_until("/v1/conversations?q=test", |list| by_card(list) == 1).await;
    assert_ne!(list["data"][0]["contact"]["id"], card.json()["id"], "nobody can know yet");
    assert!(world.webhook(&webhook("wamid.elsa.2", true)).await.status().is_success());
    let list = world.get_until("/v1/conversations?q=elsa&owner=admin", |list| by_card(list) == 1).await;
    assert_eq!(list["data"][0]["contact"]["name"], "Elsa");
    let contacts = world.get("/v1/contacts?q=elsa").await;
    assert_eq!(by_card(&contacts.json()), 1, "one person: {contacts:?}");
    world.stop().await;
}

#[actix_web::test]
async fn e2_consents_are_reported_and_exported() {
    let world = World::start().await;
    let chat = world.written("393338000012", "wamid.report.1", "/chat").await;
    assert!(
        world.webhook(&text_webhook("393338000012", "wamid.report.2", "=STOP")).await.status().is_success()
    );
    assert!(
        world.webhook(&text_webhook("393338000012", "wamid.report.3", "stop")).await.status().is_success()
    );
    let path = "/v1/consents?consent=opted_out&source=keyword";
    let report = world.get_until(path, |list| list["data"][0].is_object()).await;
    let line = &report["data"][0];
    assert_eq!((&line["contact"]["id"], &line["by"]), (&chat["contact"]["id"], &json!("contact")));
    assert_eq!((&line["consent"]["text"], &line["consent"]["channel"]), (&json!("stop"), &json!("whatsapp")));
    for none in ["consent=opted_in", "channel=sms", "source=recorded", "to=2020-01-01T00:00:00Z"] {
        assert_eq!(world.get(format!("/v1/consents?{none}")).await.json()["data"], json!([]), "{none}");
    }
    let file = world.get("/v1/consents/export?consent=opted_out").await;
    assert!(file.kind.starts_with("text/csv"), "{file:?}");
    let lines: Vec<_> = file.text.lines().collect();
    assert_eq!(lines.len(), 2, "{file:?}");
    assert!(lines[1].contains("\"'+393338000012\"") && lines[1].contains("\"opted_out\""), "{file:?}");
    for (query, pointer) in [
        ("consent=maybe", "?consent"),
        ("channel=fax", "?channel"),
        ("source=heard", "?source"),
        ("from=yesterday", "?from"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "?to"),
        ("limit=0", "?limit"),
        ("colour=red", "?colour"),
    ] {
        let refused = world.get(format!("/v1/consents?{query}")).await;
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{query}");
    }
    world.stop().await;
}
