//! Saved views, and filters that combine.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{ANNA_KEY, Answer, OTHER_KEY};
use crate::harness::{World, text_webhook};

async fn save(world: &World, key: &str, body: Value) -> Answer {
    world.call(Method::POST, "/v1/views").with_key(key).body(body).answer().await
}

fn names(list: &Value) -> Vec<String> {
    list["data"].as_array().unwrap().iter().map(|view| view["name"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn d11_views_are_private_or_shared_and_counted() {
    let world = World::start().await;
    let chat = world.written("393336000001", "wamid.view.1", "/chat").await;
    let hello = text_webhook("393336000001", "wamid.view.2", "C'è qualcuno?");
    assert!(world.webhook(&hello).await.status().is_success());
    let path = format!("/v1/conversations/{}", chat["id"].as_str().unwrap());
    world.get_until(&path, |row| row["unread"] == 1).await;
    world.written("393336000002", "wamid.view.3", "Buongiorno").await;

    let mine = json!({ "name": "Mine", "filter": { "all": [{ "owner": "me" }, { "unread": true }] } });
    let mine = save(&world, ANNA_KEY, mine).await;
    assert_eq!(mine.status, StatusCode::CREATED, "{mine:?}");
    let everybody = json!({ "name": "Open windows", "shared": true, "filter": { "window": "open" } });
    let everybody = save(&world, ANNA_KEY, everybody).await.json();
    let list = world.call(Method::GET, "/v1/views").with_key(ANNA_KEY).answer().await.json();
    let built_in = ["Unanswered", "All sent today", "All unanswered"];
    assert_eq!(names(&list)[..3], built_in);
    assert_eq!(list["data"].as_array().unwrap().len(), 5, "{list}");
    let unanswered = json!({ "conversations": 1, "unread": 1, "more": false });
    for view in list["data"].as_array().unwrap() {
        let open = view["name"] == "Open windows";
        let expected = match view["name"].as_str().unwrap() {
            "All sent today" => view["counts"].clone(), // the bot may have answered by now
            _ => unanswered.clone(),
        };
        assert!(open || view["counts"] == expected, "{view}");
        assert!(!open || view["counts"]["conversations"] == 2, "{view}");
    }
    // A service sees what is shared; nobody else sees what is private.
    let service = world.get("/v1/views?counts=false").await.json();
    assert_eq!(names(&service)[3..], ["Open windows"]);
    let private = format!("/v1/views/{}", mine.json()["id"].as_str().unwrap());
    let other = world.call(Method::GET, private.clone()).with_key(OTHER_KEY).answer().await;
    assert_eq!(
        (world.get(private).await.status, other.status),
        (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND)
    );
    let alone = save(&world, crate::harness::KEY, json!({ "name": "x", "filter": { "unread": true } })).await;
    assert_eq!(alone.code(), "user_required");

    // A view is looked at, also together with other filters.
    let look = async |key: &str, query: String| {
        let path = format!("/v1/conversations?view={query}");
        world.call(Method::GET, path).with_key(key).answer().await.json()
    };
    let of_mine = look(ANNA_KEY, mine.json()["id"].as_str().unwrap().to_owned()).await;
    assert_eq!(of_mine["data"][0]["id"], chat["id"], "{of_mine}");
    let both = format!("{}&q=3336000002", everybody["id"].as_str().unwrap());
    assert_eq!(look(ANNA_KEY, both).await["data"].as_array().unwrap().len(), 1);
    world.stop().await;
}

#[actix_web::test]
async fn d11_a_view_is_changed_with_its_version_and_removed() {
    let world = World::start().await;
    let body = json!({ "name": "Late", "shared": true, "filter": { "unanswered_for": { "days": 3 } } });
    let made = save(&world, crate::harness::KEY, body).await;
    let path = format!("/v1/views/{}", made.json()["id"].as_str().unwrap());
    let body = json!({ "name": "Later", "shared": true, "filter": { "unanswered_for": { "months": 1 } } });
    let change = || {
        let call = world.call(Method::PUT, path.clone()).header("If-Match", made.etag.clone().unwrap());
        call.body(body.clone()).answer()
    };
    let changed = change().await;
    assert_eq!((changed.status, changed.json()["name"].clone()), (StatusCode::OK, json!("Later")));
    assert_eq!(change().await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(world.call(Method::DELETE, path.clone()).answer().await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.get(path.clone()).await.status, StatusCode::NOT_FOUND);
    let gone = path.replace("/v1/views/", "/v1/conversations?view=");
    assert_eq!(world.get(gone).await.json()["errors"][0]["pointer"], "?view");
    world.stop().await;
}

#[actix_web::test]
async fn d11_mistakes_in_views_are_named() {
    let world = World::start().await;
    let many: Vec<_> = (0..40).map(|_| json!({ "unread": true })).collect();
    let cases = [
        (json!({ "shared": true, "filter": { "unread": true } }), "/name"),
        (json!({ "name": 7, "shared": true, "filter": { "unread": true } }), "/name"),
        (json!({ "name": " ", "shared": true, "filter": { "unread": true } }), "/name"),
        (json!({ "name": "x".repeat(101), "shared": true, "filter": { "unread": true } }), "/name"),
        (json!({ "name": "x", "shared": "yes", "filter": { "unread": true } }), "/shared"),
        (json!({ "name": "x", "shared": true }), "/filter"),
        (json!({ "name": "x", "shared": true, "filter": "unread" }), "/filter/unread"),
        (json!({ "name": "x", "shared": true, "filter": { "unread": "yes" } }), "/filter/unread"),
        (json!({ "name": "x", "shared": true, "filter": { "colour": "red" } }), "/filter"),
        (
            json!({ "name": "x", "shared": true, "filter": { "any": [{ "channel": "fax" }] } }),
            "/filter/any/0/channel",
        ),
        (
            json!({ "name": "x", "shared": true, "filter": { "unanswered_for": { "days": -1 } } }),
            "/filter/unanswered_for/days",
        ),
        (json!({ "name": "x", "shared": true, "filter": { "all": many } }), "/filter"),
        (json!({ "name": "x", "shared": true, "filter": { "stage": "s".repeat(201) } }), "/filter"),
        (json!({ "name": "x", "shared": true, "filter": { "replied_by": "anna" } }), "/filter"),
        (json!({ "name": "x", "shared": true, "colour": "red", "filter": { "unread": true } }), "/colour"),
    ];
    for (body, pointer) in cases {
        let refused = save(&world, crate::harness::KEY, body.clone()).await;
        assert!(refused.refuses(pointer), "{body}: {refused:?}");
    }
    assert_eq!(names(&world.get("/v1/views").await.json()).len(), 3, "nothing was half-applied");
    world.stop().await;
}

#[actix_web::test]
async fn d10_conditions_combine_with_and_or_not() {
    let world = World::start().await;
    let first = world.written("393336000003", "wamid.cond.1", "Buongiorno").await;
    let second = world.written("393336000004", "wamid.cond.2", "Buongiorno").await;
    let ask = async |filter: Value| {
        let query: String = form_urlencoded::byte_serialize(filter.to_string().as_bytes()).collect();
        world.get(format!("/v1/conversations?filter={query}")).await
    };
    let ids = |answer: Answer| -> Vec<Value> {
        answer.json()["data"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect()
    };
    let [one, two] = ["3336000003", "3336000004"].map(|digits| json!({ "q": digits }));
    assert_eq!(ids(ask(json!({ "any": [one, two] })).await).len(), 2);
    assert_eq!(ids(ask(json!({ "all": [one, two] })).await), [] as [Value; 0]);
    assert_eq!(
        ids(ask(json!({ "all": [{ "not": two }, { "last_message_within": { "weeks": 1 } }] })).await),
        [first["id"].clone()]
    );
    assert_eq!(
        ids(ask(json!({ "all": [two, { "window_closes_within": { "hours": 25 } }] })).await),
        [second["id"].clone()]
    );
    assert_eq!(ids(ask(json!({ "window_closes_within": { "hours": 1 } })).await), [] as [Value; 0]);
    for (filter, pointer) in
        [("{", "?filter"), (r#"{"all":[{"unread":1}]}"#, "?filter/all/0/unread"), (r#"{"q":""}"#, "?filter")]
    {
        let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let refused = world.get(format!("/v1/conversations?filter={query}")).await;
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{filter}");
    }
    world.stop().await;
}
