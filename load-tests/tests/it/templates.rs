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
async fn a_submitted_template_is_reviewed_and_its_owner_told() {
    let mut world = World::start();
    let path = format!("/v24.0/{WABA}/message_templates");
    let submitted = json!({ "name": "thanks", "language": "pt_BR", "category": "UTILITY",
                            "components": [{ "type": "BODY", "text": "Obrigado {{1}}, até logo." }] });
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
