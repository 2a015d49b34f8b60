use load_tests::simulator::{Inbound, Say};
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use crate::harness::{ANNA, NUMBER, TOKEN, World};

async fn describe(world: &World, id: &str) -> Value {
    let request = world.request(reqwest::Method::GET, &format!("/v24.0/{id}")).bearer_auth(TOKEN);
    request.send().await.unwrap().json().await.unwrap()
}

#[actix_web::test]
async fn a_file_is_uploaded_described_downloaded_and_deleted() {
    let world = World::start();
    let file = Part::bytes(b"%PDF-1.7 cv".to_vec()).file_name("cv.pdf").mime_str("application/pdf").unwrap();
    let form = Form::new().text("messaging_product", "whatsapp").part("file", file);
    let request = world.request(reqwest::Method::POST, &format!("/v24.0/{NUMBER}/media"));
    let answer: Value =
        request.bearer_auth(TOKEN).multipart(form).send().await.unwrap().json().await.unwrap();
    let id = answer["id"].as_str().unwrap();

    let media = describe(&world, id).await;
    assert_eq!(
        (media["mime_type"].as_str(), media["file_size"].as_str()),
        (Some("application/pdf"), Some("11"))
    );
    let client = reqwest::Client::new();
    let url = media["url"].as_str().unwrap();
    assert_eq!(client.get(url).send().await.unwrap().status().as_u16(), 401, "the bearer is needed");
    let content = client.get(url).bearer_auth(TOKEN).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(content, b"%PDF-1.7 cv".as_slice());

    world.provider.advance_ms(5 * 60_000 + 1);
    assert_eq!(client.get(url).bearer_auth(TOKEN).send().await.unwrap().status().as_u16(), 404, "expired");

    let delete = world.request(reqwest::Method::DELETE, &format!("/v24.0/{id}")).bearer_auth(TOKEN);
    assert_eq!(delete.send().await.unwrap().status().as_u16(), 200);
    assert_eq!(describe(&world, id).await["error"]["error_subcode"], 33);
}

#[actix_web::test]
async fn a_contacts_file_can_be_fetched_by_its_id() {
    let mut world = World::start();
    let say = Say::Media {
        kind: "document".into(),
        mime_type: "application/pdf".into(),
        filename: Some("cv.pdf".into()),
        caption: None,
        content: "JVBERi0xLjc=".into(),
    };
    world.provider.inbound(Inbound::new(ANNA, say)).unwrap();
    let value = world.value().await;
    let document = &value["messages"][0]["document"];
    assert_eq!(document["filename"], "cv.pdf");
    let media = describe(&world, document["id"].as_str().unwrap()).await;
    assert_eq!(media["sha256"], document["sha256"]);
}
