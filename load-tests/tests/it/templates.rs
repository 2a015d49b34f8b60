use load_tests::simulator::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::harness::{ANNA, TOKEN, WABA, World};

fn invite(language: &str, parameters: &[&str]) -> Value {
    let parameters: Vec<_> = parameters.iter().map(|text| json!({ "type": "text", "text": text })).collect();
    json!({ "messaging_product": "whatsapp", "to": ANNA, "type": "template", "template": {
        "name": "interview_invite", "language": { "code": language },
        "components": [{ "type": "body", "parameters": parameters }] } })
}

#[actix_web::test]
async fn a_template_must_match_exactly() {
    let mut world = World::start();
    let (status, answer) = world.send(&invite("it_IT", &["Anna", "lunedì"])).await;
    assert_eq!((status, &answer["error"]["code"]), (404, &json!(132_001)));
    let (status, answer) = world.send(&invite("it", &["Anna"])).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!(132_000)));
    let (status, answer) = world.send(&invite("it", &["Anna", "lunedì"])).await;
    assert_eq!((status, &answer["messages"][0]["message_status"]), (200, &json!("accepted")));
    world.provider.advance_ms(1_000);
    let sent = &world.statuses_until("read").await[0];
    assert_eq!(sent["pricing"]["category"], "utility");
    assert_eq!(sent["pricing"]["billable"], true);
}

#[actix_web::test]
async fn a_paced_template_is_held_then_sent_or_dropped() {
    let mut world = World::start();
    for (kind, last) in [(FaultKind::Hold(60_000), "read"), (FaultKind::HoldThenDrop(60_000), "failed")] {
        world.provider.set_faults(vec![Fault::always(kind)]);
        let (status, answer) = world.send(&invite("it", &["Anna", "lunedì"])).await;
        assert_eq!(status, 200);
        assert_eq!(answer["messages"][0]["message_status"], "held_for_quality_assessment");
        world.provider.set_faults(Vec::new());
        world.provider.advance_ms(62_000);
        let told = world.statuses_until(last).await;
        assert_eq!(told.iter().any(|status| status["errors"][0]["code"] == 132_015), last == "failed");
    }
    let (_, answer) = world.send(&invite("it", &["Anna", "lunedì"])).await;
    assert_eq!(answer["error"]["code"], 132_015, "what was dropped is paused");
}

#[actix_web::test]
async fn a_submitted_template_is_reviewed_and_its_owner_told() {
    let mut world = World::start();
    let path = format!("/v24.0/{WABA}/message_templates");
    let submitted = json!({ "name": "thanks", "language": "pt_BR", "category": "UTILITY",
                            "components": [{ "type": "BODY", "text": "Obrigado {{1}}, até logo.",
                                             "example": { "body_text": [["Ana"]] } }] });
    let (status, answer) = world.post(&path, &submitted).await;
    assert_eq!((status, &answer["status"]), (200, &json!("PENDING")));
    let (_, again) = world.post(&path, &submitted).await;
    assert_eq!(again["error"]["error_subcode"], 2_388_024);

    world.provider.advance_ms(1_000);
    let webhook = world.webhook().await;
    let change = &webhook.body["entry"][0]["changes"][0];
    assert_eq!(change["field"], "message_template_status_update");
    assert_eq!(change["value"]["event"], "APPROVED");
    assert_eq!(change["value"]["message_template_language"], "pt-BR");
    assert!(webhook.body["entry"][0]["time"].is_i64());

    let list = world.request(reqwest::Method::GET, &format!("{path}?status=APPROVED&name=thanks"));
    let list: Value = list.bearer_auth(TOKEN).send().await.unwrap().json().await.unwrap();
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    let delete = world.request(reqwest::Method::DELETE, &format!("{path}?name=thanks"));
    let deleted: Value = delete.bearer_auth(TOKEN).send().await.unwrap().json().await.unwrap();
    assert_eq!(deleted, json!({ "success": true }));
}

#[actix_web::test]
async fn a_paused_template_is_refused_and_its_owner_told() {
    let mut world = World::start();
    world.provider.judge_template("interview_invite", "PAUSED");
    let value = world.value().await;
    assert_eq!(
        (&value["event"], &value["message_template_name"]),
        (&json!("PAUSED"), &json!("interview_invite"))
    );
    let (status, answer) = world.send(&invite("it", &["Anna", "lunedì"])).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!(132_015)));
}

fn draft(name: &str, body: &Value) -> Value {
    json!({ "name": name, "language": "it", "category": "UTILITY", "components": [body] })
}

#[actix_web::test]
async fn a_submitted_template_needs_samples_and_words_at_its_ends() {
    let world = World::start();
    let path = format!("/v24.0/{WABA}/message_templates");
    let sample = json!({ "body_text": [["x"]] });
    let table = [
        (json!({ "type": "BODY", "text": "Ciao {{1}}.", "example": sample }), None),
        (json!({ "type": "BODY", "text": "Ciao {{1}}." }), Some(2_388_043)),
        (json!({ "type": "BODY", "text": "{{1}} ciao.", "example": sample }), Some(2_388_299)),
        (json!({ "type": "BODY", "text": "Ciao {{1}}", "example": sample }), Some(2_388_299)),
    ];
    for (index, (body, subcode)) in table.into_iter().enumerate() {
        let (_, answer) = world.post(&path, &draft(&format!("sampled_{index}"), &body)).await;
        assert_eq!(answer["error"]["error_subcode"].as_i64(), subcode, "{body}");
    }
}

#[actix_web::test]
async fn an_approved_template_is_edited_once_a_day_and_its_name_is_blocked_after_deletion() {
    let world = World::start();
    let list = format!("/v24.0/{WABA}/message_templates");
    let body = json!({ "type": "BODY", "text": "Ciao a tutti." });
    let (_, made) = world.post(&list, &draft("edited", &body)).await;
    let path = format!("/v24.0/{}", made["id"].as_str().unwrap());
    let edit = json!({ "components": [{ "type": "BODY", "text": "Salve a tutti." }] });
    let (status, _) = world.post(&path, &edit).await;
    assert_eq!(status, 400, "pending ones cannot be edited");
    world.provider.advance_ms(1_000);
    assert_eq!(world.post(&path, &edit).await.0, 200);
    world.provider.advance_ms(1_000);
    assert_eq!(world.post(&path, &edit).await.0, 400, "once in 24 hours");
    world.provider.advance_ms(24 * 3_600_000);
    let category = json!({ "category": "MARKETING", "components": [body] });
    assert_eq!(world.post(&path, &category).await.0, 400, "the category of an approved one stays");
    let delete = world.request(reqwest::Method::DELETE, &format!("{list}?name=edited"));
    assert_eq!(delete.bearer_auth(TOKEN).send().await.unwrap().status(), 200);
    let (_, again) = world.post(&list, &draft("edited", &body)).await;
    assert_eq!(again["error"]["error_subcode"], 2_388_023);
}

#[actix_web::test]
async fn a_paused_template_goes_on_when_its_owner_says_so() {
    let mut world = World::start();
    let list = format!("/v24.0/{WABA}/message_templates");
    let listed = world.request(reqwest::Method::GET, &list).bearer_auth(TOKEN).send().await.unwrap();
    let listed: Value = listed.json().await.unwrap();
    let path = format!("/v24.0/{}/unpause", listed["data"][0]["id"].as_str().unwrap());
    assert_eq!(world.post(&path, &json!({})).await.0, 400);
    world.provider.judge_template("interview_invite", "PAUSED");
    world.value().await;
    assert_eq!(world.post(&path, &json!({})).await.0, 200);
    assert_eq!(world.value().await["event"], "APPROVED");
    assert_eq!(world.send(&invite("it", &["Anna", "lunedì"])).await.0, 200);
}

#[actix_web::test]
async fn lists_have_pages() {
    let world = World::start();
    let list = format!("/v24.0/{WABA}/message_templates");
    let body = json!({ "type": "BODY", "text": "Ciao a tutti." });
    for name in ["one", "two"] {
        world.post(&list, &draft(name, &body)).await;
    }
    let page = async |query: &str| -> Value {
        let path = format!("{list}?limit=2{query}");
        let answer = world.request(reqwest::Method::GET, &path).bearer_auth(TOKEN).send().await.unwrap();
        answer.json().await.unwrap()
    };
    let first = page("").await;
    assert_eq!(first["data"].as_array().unwrap().len(), 2);
    let after = first["paging"]["cursors"]["after"].as_str().unwrap();
    assert!(first["paging"]["next"].as_str().unwrap().ends_with(after));
    let second = page(&format!("&after={after}")).await;
    assert_eq!(second["data"][0]["name"], "two");
    assert!(second["paging"]["next"].is_null());
}

#[actix_web::test]
async fn owners_can_be_told_anything() {
    let mut world = World::start();
    let value = json!({ "message_template_name": "interview_invite", "new_category": "MARKETING" });
    world.provider.tell("template_category_update", &value);
    assert_eq!(world.value().await, value);
}
