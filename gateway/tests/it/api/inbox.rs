//! The inbox: what people see and do.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::ANNA_KEY;
use crate::harness::{World, text_webhook};

#[actix_web::test]
async fn a7_a_person_switches_the_mode_and_the_audit_says_who() {
    let world = World::start().await;
    let conversation = world.written("393334000001", "wamid.mode", "Buongiorno").await;
    assert_eq!(conversation["mode"], "bot");
    let path = format!("/v1/conversations/{}", conversation["id"].as_str().unwrap());
    let done = world
        .call(Method::PUT, format!("{path}/mode"))
        .with_key(ANNA_KEY)
        .body(json!({ "mode": "direct" }))
        .answer()
        .await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{done:?}");
    world.get_until(&path, |conversation| conversation["mode"] == "direct").await;
    let audit =
        world.get_until("/v1/audit?action=conversation.mode_changed", |a| a["data"][0].is_object()).await;
    assert!(audit["data"][0]["by"].as_str().unwrap().starts_with("user:usr_"), "{audit}");
    world.stop().await;
}

#[actix_web::test]
async fn d2_an_unknown_sender_is_assigned_and_d12_the_owner_is_told() {
    let world = World::start().await;
    let conversation = world.written("393334000002", "wamid.direct.1", "/chat").await;
    assert!(conversation["owner"]["user"].as_str().unwrap().starts_with("usr_"), "{conversation}");
    assert!(
        world
            .webhook(&text_webhook("393334000002", "wamid.direct.2", "C'è qualcuno?"))
            .await
            .status()
            .is_success()
    );
    let mine = loop {
        let answer = world.call(Method::GET, "/v1/notifications").with_key(ANNA_KEY).answer().await.json();
        if answer["data"].as_array().is_some_and(|all| all.iter().any(|one| one["kind"] == "new_message")) {
            break answer;
        }
        tokio::task::yield_now().await;
    };
    assert!(mine["unread"].as_u64().unwrap() >= 1);
    let through = mine["data"][0]["sequence"].clone();
    let read = world
        .call(Method::POST, "/v1/notifications/read")
        .with_key(ANNA_KEY)
        .body(json!({ "through": through }));
    assert_eq!(read.answer().await.status, StatusCode::NO_CONTENT);
    let after = world.call(Method::GET, "/v1/notifications").with_key(ANNA_KEY).answer().await.json();
    for one in after["data"].as_array().unwrap() {
        let is_older = one["sequence"].as_u64() <= through.as_u64();
        assert!(!is_older || one["read"] == true, "{one}");
    }
    world.stop().await;
}

#[actix_web::test]
async fn b2_a_blocked_contact_is_kept_apart_and_can_come_back() {
    let world = World::start().await;
    let conversation = world.written("393334000003", "wamid.block.1", "/chat").await;
    let path = format!("/v1/conversations/{}", conversation["id"].as_str().unwrap());
    let block = |blocked: bool| {
        world.call(Method::PUT, format!("{path}/block")).body(json!({ "blocked": blocked })).answer()
    };
    assert_eq!(block(true).await.status, StatusCode::NO_CONTENT);
    world.get_until(&path, |conversation| conversation["blocked"] == true).await;
    let refused = world
        .call(Method::POST, format!("{path}/messages"))
        .body(json!({ "type": "text", "text": { "body": "Ciao" } }))
        .answer()
        .await;
    assert_eq!(refused.code(), "blocked");
    assert_eq!(block(false).await.status, StatusCode::NO_CONTENT);
    world.get_until(&path, |conversation| conversation["blocked"] == false).await;
    world.stop().await;
}

#[actix_web::test]
async fn b3_search_and_filters_combine() {
    let world = World::start().await;
    let first = world.written("393334000004", "wamid.find.1", "Buongiorno").await;
    world.written("393334000005", "wamid.find.2", "Buonasera").await;
    let ids = |list: &Value| {
        list["data"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect::<Vec<_>>()
    };
    let both = world.get_until("/v1/conversations?q=test", |list| ids(list).len() == 2).await;
    assert_eq!(both["next"], Value::Null);
    let one = world.get("/v1/conversations?q=3334000004&window=open&mode=bot").await.json();
    assert_eq!(ids(&one), [first["id"].clone()]);
    let none = world.get("/v1/conversations?q=3334000004&window=closed").await.json();
    assert!(ids(&none).is_empty());
    let page = world.get("/v1/conversations?limit=1").await.json();
    let next = page["next"].as_str().unwrap();
    let rest = world.get(format!("/v1/conversations?limit=1&cursor={next}")).await.json();
    assert_ne!(ids(&page), ids(&rest));
    let wrong = world.get("/v1/conversations?limit=0").await;
    assert!(wrong.refuses("?limit"), "{wrong:?}");
    assert!(world.get("/v1/conversations?colour=red").await.refuses("?colour"));
    assert!(world.get("/v1/conversations?owner=%20").await.refuses("?owner"));
    world.stop().await;
}

#[actix_web::test]
async fn messages_are_listed_in_both_orders_and_read() {
    let world = World::start().await;
    let conversation = world.written("393334000006", "wamid.list.1", "/chat").await;
    let path = format!("/v1/conversations/{}", conversation["id"].as_str().unwrap());
    assert!(
        world.webhook(&text_webhook("393334000006", "wamid.list.2", "Ci siete?")).await.status().is_success()
    );
    world.get_until(&path, |conversation| conversation["unread"].as_u64() >= Some(1)).await;
    let ids = |list: &[Value]| list.iter().map(|message| message["id"].clone()).collect::<Vec<_>>();
    let newest = world.get(format!("{path}/messages")).await.json()["data"].as_array().unwrap().clone();
    let mut oldest =
        world.get(format!("{path}/messages?order=asc")).await.json()["data"].as_array().unwrap().clone();
    oldest.reverse();
    assert_eq!(ids(&newest), ids(&oldest));
    assert!(
        oldest
            .iter()
            .any(|message| message["text"]["body"] == "Ci siete?" && message["status"] == "received")
    );
    assert_eq!(world.call(Method::PUT, format!("{path}/read")).answer().await.status, StatusCode::NO_CONTENT);
    world.get_until(&path, |conversation| conversation["unread"] == 0).await;
    world.stop().await;
}

#[actix_web::test]
async fn d16_chats_are_picked_up_and_followed() {
    let world = World::start().await;
    let conversation = world.written("393334000020", "wamid.pick.1", "/chat").await;
    let path = format!("/v1/conversations/{}", conversation["id"].as_str().unwrap());
    let call =
        |method, part: &str, key: &'static str| world.call(method, format!("{path}/{part}")).with_key(key);
    let nobody = call(Method::POST, "pick-up", crate::harness::KEY).answer().await;
    assert_eq!(nobody.code(), "user_required");
    let role = json!({ "owner": { "role": "recruiter" } });
    let given = call(Method::PUT, "owner", ANNA_KEY).body(role).answer().await;
    assert_eq!(given.status, StatusCode::NO_CONTENT, "{given:?}");
    let picked = call(Method::POST, "pick-up", ANNA_KEY).answer().await;
    assert_eq!(picked.status, StatusCode::NO_CONTENT, "{picked:?}");
    let mine = world.get_until(&path, |row| row["owner"]["user"].is_string()).await;
    let user = json!({ "name": "Ivo", "email": "ivo@tests.example", "role": "recruiter" });
    let ivo = world.call(Method::POST, "/v1/users").body(user).answer().await.json();
    let given =
        call(Method::PUT, "owner", ANNA_KEY).body(json!({ "owner": { "user": ivo["id"] } })).answer().await;
    assert_eq!(given.status, StatusCode::NO_CONTENT, "{given:?}");
    let late = call(Method::POST, "pick-up", ANNA_KEY).answer().await;
    assert_eq!((late.status, late.code().as_str()), (StatusCode::CONFLICT, "already_owned"));

    let wrong = call(Method::PUT, "follow", ANNA_KEY).body(json!({ "following": "yes" })).answer().await;
    assert_eq!(wrong.json()["errors"][0]["pointer"], "/following");
    let followed = call(Method::PUT, "follow", ANNA_KEY).body(json!({ "following": true })).answer().await;
    assert_eq!(followed.status, StatusCode::NO_CONTENT, "{followed:?}");
    let hello = text_webhook("393334000020", "wamid.pick.2", "C'è qualcuno?");
    assert!(world.webhook(&hello).await.status().is_success());
    loop {
        let answer = world.call(Method::GET, "/v1/notifications").with_key(ANNA_KEY).answer().await.json();
        let told = |one: &Value| one["kind"] == "new_message" && one["conversation_id"] == mine["id"];
        if answer["data"].as_array().is_some_and(|all| all.iter().any(told)) {
            break;
        }
        tokio::task::yield_now().await;
    }
    world.stop().await;
}

#[actix_web::test]
async fn b1_a_chat_without_a_vacancy_is_marked_and_gets_one_later() {
    let world = World::start().await;
    let conversation = world.written("393334000021", "wamid.vacancy.1", "/chat").await;
    assert_eq!(conversation["vacancy"], Value::Null);
    let listed = world.get("/v1/conversations?vacancy=none&q=3334000021").await.json();
    assert_eq!(listed["data"][0]["id"], conversation["id"]);
    let path = format!("/v1/conversations/{}", conversation["id"].as_str().unwrap());
    let vacancy = json!({ "id": "vac-21", "title": "Autista" });
    let body = json!({ "vacancy": vacancy });
    let attached = world.call(Method::PUT, format!("{path}/vacancy")).body(body).answer().await;
    assert_eq!(attached.status, StatusCode::NO_CONTENT, "{attached:?}");
    world.get_until(&path, |row| row["vacancy"] == vacancy).await;
    let listed = world.get("/v1/conversations?vacancy=vac-21").await.json();
    assert_eq!(listed["data"][0]["id"], conversation["id"]);
    world.stop().await;
}

#[actix_web::test]
async fn b2_a_chat_is_left_and_entered_again() {
    let world = World::start().await;
    let conversation = world.written("393334000022", "wamid.left.1", "/chat").await;
    let path = format!("/v1/conversations/{}", conversation["id"].as_str().unwrap());
    let leave =
        |left: bool| world.call(Method::PUT, format!("{path}/left")).body(json!({ "left": left })).answer();
    assert_eq!(leave(true).await.status, StatusCode::NO_CONTENT);
    let text = json!({ "type": "text", "text": { "body": "Ciao" } });
    let send = || world.call(Method::POST, format!("{path}/messages")).body(text.clone()).answer();
    assert_eq!(send().await.code(), "left");
    world.get_until("/v1/conversations?left=true", |list| list["data"][0]["id"] == conversation["id"]).await;
    assert_eq!(leave(false).await.status, StatusCode::NO_CONTENT);
    assert_eq!(send().await.status, StatusCode::ACCEPTED);
    world.stop().await;
}
