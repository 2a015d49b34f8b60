//! Sends are paid from credits.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{ANNA_KEY, Answer, invite_to};
use crate::harness::{TENANT, World};

const CANDIDATE: &str = "+393336000009";

/// The test tenant, which has paid this in advance.
pub(super) fn prepaid(balance: &str) -> String {
    let begins = "tenants:\n  - name: ";
    let name = TENANT.split_once(begins).unwrap().1.lines().next().unwrap();
    let named = format!("{begins}{name}\n");
    let credits = format!("{named}    credits: {{ balance: \"{balance}\", currency: EUR }}\n");
    TENANT.replacen(&named, &credits, 1)
}

async fn with_credits(balance: &str) -> World {
    World::start_as(&prepaid(balance), |_| {}).await
}

fn euro(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

async fn send(world: &World, key: &str) -> Answer {
    world.call(Method::POST, "/v1/messages").body(invite_to(CANDIDATE, &["Anna"])).once(key).answer().await
}

async fn buy(world: &World, amount: Value, reference: &str) -> Answer {
    let body = json!({ "amount": amount, "reference": reference });
    world.call(Method::POST, "/v1/credits/purchases").body(body).answer().await
}

#[actix_web::test]
async fn d9_sends_are_paid_from_credits_and_refused_without() {
    let world = with_credits("0.03").await;
    assert_eq!(world.get("/v1/credits").await.json()["available"], euro("0.03"));
    let first = send(&world, "first").await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{first:?}");
    let credits = world.get_until("/v1/credits", |credits| credits["balance"] == euro("0.01")).await;
    assert_eq!(credits["reserved"], euro("0"), "charged when it was delivered");
    let refused = send(&world, "second").await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::PAYMENT_REQUIRED, "insufficient_credits")
    );
    assert_eq!(send(&world, "first").await.json()["id"], first.json()["id"], "a repetition costs nothing");
    for _ in 0..2 {
        let bought = buy(&world, euro("1"), "inv-1").await;
        assert_eq!(bought.json()["balance"], euro("1.01"), "a payment counts once");
    }
    let third = send(&world, "third").await;
    let line = format!("/v1/billing/ledger?message_id={}", third.json()["id"].as_str().unwrap());
    world.get_until(&line, |ledger| ledger["data"][0].is_object()).await;
    let credits = world.get("/v1/credits").await.json();
    assert_eq!(
        credits["available"],
        euro("1.01"),
        "within the conversation that the first one opened: {credits}"
    );
    let entries = world.get("/v1/credits/entries").await.json();
    let amounts: Vec<_> =
        entries["data"].as_array().unwrap().iter().map(|entry| entry["amount"]["amount"].clone()).collect();
    assert_eq!(amounts, ["1", "-0.02", "0.03"], "{entries}");
    assert_eq!(world.provider.ledger().len(), 2);
    let metrics = world.operator("/metrics").await.1;
    assert!(metrics.contains("gateway_credits_reserved 0"), "nothing is on its way");
    world.stop().await;
}

#[actix_web::test]
async fn f3_a_send_without_credits_can_be_asked_why() {
    let world = with_credits("0.01").await;
    for key in ["one", "two", "three"] {
        assert_eq!(send(&world, key).await.code(), "insufficient_credits");
    }
    let audit = world.get_until("/v1/audit?action=command.refused", |list| list["data"][0].is_object()).await;
    let lines = audit["data"].as_array().unwrap();
    // Two where a minute ended between them.
    assert!(lines.len() <= 2, "not one for each attempt: {audit}");
    assert_eq!(lines[0]["data"], json!({ "action": "send", "code": "insufficient_credits" }));
    let subject = lines[0]["subject"].as_str().unwrap();
    let path = format!("/v1/explain/{}", subject.trim_start_matches("conversation/"));
    let why = world.get(path).await;
    let reasons = why.json()["reasons"].to_string();
    assert!(
        reasons.contains("insufficient_credits") && reasons.contains("0.01 EUR are available"),
        "{why:?}"
    );
    assert_eq!(buy(&world, euro("1"), "inv").await.status, StatusCode::OK);
    assert_eq!(send(&world, "one").await.status, StatusCode::ACCEPTED, "the same key, once it is paid for");
    world.stop().await;
}

#[actix_web::test]
async fn d9_wrong_payments_name_the_field_and_tenants_without_credits_are_told() {
    let world = with_credits("1").await;
    let table = [
        (json!({ "amount": "-1", "currency": "EUR" }), "inv", "/amount/amount"),
        (json!({ "amount": "a lot", "currency": "EUR" }), "inv", "/amount/amount"),
        (json!({ "amount": "1", "currency": "euro" }), "inv", "/amount/currency"),
        (json!({ "amount": "1", "currency": "USD" }), "inv", "/amount/currency"),
        (euro("1"), " ", "/reference"),
    ];
    for (amount, reference, pointer) in table {
        let refused = buy(&world, amount, reference).await;
        assert!(refused.refuses(pointer), "{refused:?}");
    }
    let other = world.call(Method::GET, "/v1/credits").with_key(super::OTHER_KEY).answer().await;
    assert_eq!((other.status, other.code().as_str()), (StatusCode::NOT_FOUND, "no_credits"));
    assert_eq!(world.get("/v1/credits").await.json()["balance"], euro("1"), "nothing was half applied");
    world.stop().await;
}

async fn put(world: &World, what: &str, body: Value) -> Answer {
    world.call(Method::PUT, format!("/v1/credits/{what}")).body(body).answer().await
}

/// The names and details of what the tenant is told about its credits.
async fn told(world: &World) -> Vec<(String, Value)> {
    let events = world.get("/v1/events?limit=200").await.json();
    let events = events["data"].as_array().unwrap().iter();
    let named = events.map(|event| (event["type"].as_str().unwrap().to_owned(), event["data"].clone()));
    named.filter(|(name, _)| name.starts_with("credits.")).collect()
}

#[actix_web::test]
async fn d9_low_credits_are_told_and_recharged_once() {
    let world = with_credits("5").await;
    let low = put(&world, "low-balance", json!({ "below": euro("10") })).await;
    assert_eq!((low.status, low.json()["below"].clone()), (StatusCode::OK, euro("10")));
    let rule = json!({ "minimum_balance": euro("6"), "amount": euro("20"), "monthly_limit": euro("30") });
    assert_eq!(put(&world, "auto-recharge", rule.clone()).await.json(), rule);
    let asked = world.get_until("/v1/credits/recharges", |list| list["data"][0].is_object()).await;
    let recharge = &asked["data"][0];
    assert_eq!((&recharge["state"], &recharge["available"]), (&json!("asked"), &euro("5")), "{asked}");
    let names: Vec<_> = told(&world).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["credits.low", "credits.recharge_asked"]);
    assert_eq!(told(&world).await[1].1["recharge_id"], recharge["id"]);

    let body = json!({ "amount": euro("20"), "reference": "card-1", "recharge_id": recharge["id"] });
    let paid = world.call(Method::POST, "/v1/credits/purchases").body(body).answer().await;
    assert_eq!(paid.json()["balance"], euro("25"), "{paid:?}");
    let ended = told(&world).await.pop().unwrap();
    assert_eq!((ended.0.as_str(), &ended.1["state"]), ("credits.recharge_ended", &json!("paid")));
    assert_eq!(world.get("/v1/credits/recharges").await.json()["data"][0]["detail"], "card-1");

    // Another rule that the month's limit does not leave room for.
    let rule = json!({ "minimum_balance": euro("30"), "amount": euro("20"), "monthly_limit": euro("30") });
    put(&world, "auto-recharge", rule).await;
    world.get_until("/v1/events?limit=200", |events| events.to_string().contains("recharge_held_back")).await;
    let held = told(&world).await.pop().unwrap().1;
    assert_eq!((&held["asked_this_month"], &held["monthly_limit"]), (&euro("20"), &euro("30")), "{held}");
    let gone = world.call(Method::DELETE, "/v1/credits/auto-recharge").answer().await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(world.get("/v1/credits/auto-recharge").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("/v1/credits/low-balance").await.json()["below"], euro("10"), "the other one stays");
    world.stop().await;
}

#[actix_web::test]
async fn d9_a_declined_recharge_says_why() {
    let world = with_credits("5").await;
    put(&world, "auto-recharge", json!({ "minimum_balance": euro("6"), "amount": euro("20") })).await;
    let asked = world.get_until("/v1/credits/recharges", |list| list["data"][0].is_object()).await;
    assert_eq!(world.get("/v1/credits").await.json()["recharge"], asked["data"][0]);
    let path = format!("/v1/credits/recharges/{}/decline", asked["data"][0]["id"].as_str().unwrap());
    let decline = async |reason: Value| {
        world.call(Method::POST, &path).body(json!({ "reason": reason })).answer().await
    };
    for wrong in [json!(""), json!(7), json!("a\nb")] {
        assert_eq!(decline(wrong).await.json()["errors"][0]["pointer"], "/reason");
    }
    let declined = decline(json!("no limit left")).await.json();
    assert_eq!((&declined["state"], &declined["detail"]), (&json!("declined"), &json!("no limit left")));
    assert_eq!(told(&world).await.pop().unwrap().1["detail"], "no limit left");
    assert!(world.get("/v1/credits").await.json()["recharge"].is_null());
    let body = json!({ "amount": euro("20"), "reference": "card-1", "recharge_id": asked["data"][0]["id"] });
    world.call(Method::POST, "/v1/credits/purchases").body(body).answer().await;
    let late = decline(json!("too late")).await;
    assert_eq!((late.status, late.code().as_str()), (StatusCode::CONFLICT, "already_ended"));
    let foreign = world.call(Method::POST, &path).with_key(super::OTHER_KEY).body(json!({ "reason": "x" }));
    assert_eq!(foreign.answer().await.status, StatusCode::NOT_FOUND);
    world.stop().await;
}

#[actix_web::test]
async fn d9_wrong_rules_name_the_field_and_change_nothing() {
    let world = with_credits("5").await;
    let rule = |minimum: Value, amount: Value, limit: Value| json!({ "minimum_balance": minimum, "amount": amount, "monthly_limit": limit });
    let dollars = json!({ "amount": "1", "currency": "USD" });
    for (what, body, pointer) in [
        ("auto-recharge", rule(euro("0"), euro("1"), Value::Null), "/minimum_balance/amount"),
        ("auto-recharge", rule(euro("1"), euro("0.0000000001"), Value::Null), "/amount/amount"),
        ("auto-recharge", rule(euro("1"), euro("9999999999"), Value::Null), "/amount/amount"),
        ("auto-recharge", rule(euro("1"), dollars.clone(), Value::Null), "/amount/currency"),
        ("auto-recharge", rule(euro("1"), euro("5"), euro("4")), "/monthly_limit"),
        ("auto-recharge", rule(euro("1"), json!(5), Value::Null), "/amount"),
        ("auto-recharge", json!({ "amount": euro("1") }), "/minimum_balance"),
        ("auto-recharge", json!({ "colour": "red" }), "/colour"),
        ("low-balance", json!({ "below": dollars }), "/below/currency"),
        ("low-balance", json!({ "below": euro("much") }), "/below/amount"),
        ("low-balance", json!({}), "/below"),
    ] {
        let refused = put(&world, what, body.clone()).await;
        assert!(refused.refuses(pointer), "{body}: {refused:?}");
    }
    for what in ["auto-recharge", "low-balance"] {
        assert_eq!(world.get(format!("/v1/credits/{what}")).await.status, StatusCode::NOT_FOUND);
        let path = format!("/v1/credits/{what}");
        let other = world.call(Method::PUT, path).with_key(super::OTHER_KEY);
        let body = if what == "low-balance" {
            json!({ "below": euro("1") })
        } else {
            rule(euro("1"), euro("1"), Value::Null)
        };
        assert_eq!(other.body(body).answer().await.code(), "no_credits");
    }
    let unknown =
        json!({ "amount": euro("1"), "reference": "x", "recharge_id": "rch_00000000000000000000000009" });
    let refused = world.call(Method::POST, "/v1/credits/purchases").body(unknown).answer().await;
    assert_eq!(refused.json()["errors"][0]["pointer"], "/recharge_id", "{refused:?}");
    assert_eq!(world.get("/v1/credits").await.json()["balance"], euro("5"), "nothing was half applied");
    world.stop().await;
}

#[actix_web::test]
async fn d9_a_statement_has_every_change_of_a_month_with_its_reason() {
    let world = with_credits("1").await;
    let sent = send(&world, "first").await;
    world.get_until("/v1/credits", |credits| credits["balance"] == euro("0.98")).await;
    buy(&world, euro("10"), "inv-1").await;
    let today = jiff::Timestamp::now().in_tz("Europe/Rome").unwrap().date();
    let path = format!("/v1/credits/statements/{}", today.strftime("%Y-%m"));
    let shown = world.get(&path).await.json();
    let lines: Vec<_> = shown["lines"].as_array().unwrap().iter().collect();
    let of = |name: &str| lines.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("kind"), ["opening", "charge", "purchase"], "{shown}");
    assert_eq!(of("balance"), [euro("1"), euro("0.98"), euro("10.98")]);
    assert_eq!((&shown["opening"], &shown["closing"]), (&euro("0"), &euro("10.98")));
    assert_eq!((&shown["complete"], &lines[1]["message_id"]), (&json!(false), &sent.json()["id"]));
    let why = lines[1]["explanation"].as_str().unwrap();
    assert!(why.contains("opened a conversation") && why.contains("rate card"), "{why}");

    let sheet = world.get(format!("{path}?format=csv")).await.text;
    let rows: Vec<_> = sheet.lines().collect();
    assert_eq!(rows.len(), 6, "head, balances and three changes: {sheet}");
    assert!(rows[1].contains("opening_balance\",\"\",\"\",\"0\""), "{sheet}");
    assert!(rows[3].contains("\"charge\",\"\",\"0.02\",\"0.98\",\"EUR\""), "{sheet}");
    assert!(rows[5].contains("closing_balance\",\"\",\"\",\"10.98\""), "{sheet}");

    let before = world.get("/v1/credits/statements/2020-01").await.json();
    assert_eq!((&before["opening"], &before["closing"]), (&euro("0"), &euro("0")), "{before}");
    assert_eq!((&before["lines"], &before["complete"]), (&json!([]), &json!(true)));
    assert_eq!(
        (&before["from"], &before["to"]),
        (&json!("2019-12-31T23:00:00.000Z"), &json!("2020-01-31T23:00:00.000Z"))
    );
    for wrong in ["0000-01", "2026-13", "2026-1", "november", "2026-11-01"] {
        let refused = world.get(format!("/v1/credits/statements/{wrong}")).await;
        assert!(refused.refuses("/month"), "{wrong}: {refused:?}");
    }
    let refused = world.get(format!("{path}?format=xml")).await;
    assert!(refused.refuses("?format"), "{refused:?}");
    let other = world.call(Method::GET, &path).with_key(super::OTHER_KEY).answer().await;
    assert_eq!((other.status, other.code().as_str()), (StatusCode::NOT_FOUND, "no_credits"));
    world.stop().await;
}

#[actix_web::test]
async fn d6_d9_f3_what_credits_do_not_cover_stops_says_why_and_tells_the_owner() {
    let world = with_credits("0.03").await;
    let pause = async |what: &str| {
        let done = world.call(Method::POST, format!("/v1/tenant/{what}")).answer().await;
        assert_eq!(done.status, StatusCode::NO_CONTENT, "{done:?}");
    };
    // Both are taken while nothing is reserved, and one of them can be paid.
    pause("pause").await;
    let mut paths = Vec::new();
    for phone in [CANDIDATE, "+393336000010"] {
        let sent = world.call(Method::POST, "/v1/messages").body(invite_to(phone, &["Anna"])).answer().await;
        assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
        let sent = sent.json();
        let path = format!("/v1/conversations/{}/pick-up", sent["conversation_id"].as_str().unwrap());
        let picked = world.call(Method::POST, path).with_key(ANNA_KEY).answer().await;
        assert_eq!(picked.status, StatusCode::NO_CONTENT, "{picked:?}");
        paths.push(sent["id"].as_str().unwrap().to_owned());
    }
    pause("resume").await;
    let mut reasons = String::new();
    while !reasons.contains("insufficient_credits") {
        for id in &paths {
            let why = world.get(format!("/v1/explain/{id}")).await.json()["reasons"].to_string();
            if why.contains("`refused`") {
                reasons = why;
            }
        }
    }
    assert!(reasons.contains("it may cost 0.02 EUR, 0.01 are available"), "{reasons}");
    let told = async || {
        let answer = world.call(Method::GET, "/v1/notifications").with_key(ANNA_KEY).answer().await.json();
        answer["data"].as_array().unwrap().iter().any(|one| one["kind"] == "send_failed")
    };
    while !told().await {
        tokio::task::yield_now().await;
    }
    let rule = json!({ "minimum_balance": euro("1"), "amount": euro("20") });
    put(&world, "auto-recharge", rule).await;
    world.get_until("/v1/credits", |credits| credits["recharge"].is_object()).await;
    let refused = send(&world, "third").await;
    assert_eq!(refused.status, StatusCode::PAYMENT_REQUIRED, "{refused:?}");
    assert!(refused.json()["detail"].as_str().unwrap().contains("20 EUR were asked for"), "{refused:?}");
    world.stop().await;
}
