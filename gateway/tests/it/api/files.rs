//! Files: uploaded to us once, to the provider once, fetched from contacts, scanned, erased.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use data_encoding::BASE64;
use load_tests::simulator::{Inbound, Say};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::OTHER_KEY;
use crate::harness::{ACCESS_TOKEN, KEY, World};

pub(crate) const PDF: &[u8] = b"%PDF-1.7 curriculum vitae";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

impl World {
    pub(crate) async fn upload(&self, content: &'static [u8], kind: &str) -> Response {
        let request = reqwest::Client::new().post(self.public("/v1/files")).bearer_auth(KEY);
        request.header("Content-Type", kind).body(content).send().await.unwrap()
    }

    /// Uploads a file that is taken.
    pub(crate) async fn uploaded(&self, content: &'static [u8]) -> Value {
        let answer = self.upload(content, "application/octet-stream").await;
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.json().await.unwrap()
    }

    pub(crate) async fn send_file(&self, to: &str, media: Value) -> super::Answer {
        let body = json!({ "channel": "whatsapp", "to": to, "type": "media", "media": media });
        self.call(Method::POST, "/v1/messages").body(body).answer().await
    }

    /// A contact sends a file; answers the message once it is in the inbox.
    pub(crate) async fn sends(&self, from: &str, content: &[u8]) -> Value {
        let say = Say::Media {
            kind: "document".into(),
            mime_type: "application/x-anything".into(),
            filename: Some("cv.pdf".into()),
            caption: None,
            content: BASE64.encode(content),
        };
        self.provider.inbound(Inbound::new(from, say)).unwrap();
        let path = format!("/v1/conversations?q={from}");
        let list = self.get_until(&path, |list| list["data"][0]["last_message_at"].is_string()).await;
        let id = list["data"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/conversations/{id}/attachments");
        self.get_until(&path, |list| list["data"][0].is_object()).await["data"][0].clone()
    }

    /// Documents that the provider took for a contact; the bot talks, too.
    pub(crate) async fn documents(&self, digits: &str, count: usize) -> Vec<Value> {
        let mut heard = self.heard(digits, 1).await;
        loop {
            heard.retain(|entry| entry.message_type == "document");
            if heard.len() >= count {
                return heard.into_iter().map(|entry| entry.body["document"].clone()).collect();
            }
            tokio::task::yield_now().await;
            heard = self.provider.ledger().into_iter().filter(|entry| entry.to == digits).collect();
        }
    }

    /// The message once its file is here.
    pub(crate) async fn with_file(&self, message: &Value) -> Value {
        let path = format!("/v1/messages/{}", message["id"].as_str().unwrap());
        self.get_until(&path, |message| message["attachment"]["state"] == "stored").await
    }
}

#[actix_web::test]
async fn d15_a_file_is_uploaded_once_and_sent_by_its_id() {
    let world = World::start().await;
    world.written("393331500001", "wamid.file.1", "Buongiorno").await;
    let first = world.upload(PDF, "image/png").await;
    assert_eq!(first.status(), StatusCode::CREATED);
    let file: Value = first.json().await.unwrap();
    assert_eq!(
        (file["kind"].as_str(), file["mime_type"].as_str()),
        (Some("document"), Some("application/pdf"))
    );
    let again = world.upload(PDF, "application/pdf").await;
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(again.json::<Value>().await.unwrap(), file);

    let named = json!({ "file_id": file["id"], "filename": "cv.pdf", "caption": "Ecco" });
    for count in 1..=2 {
        let sent = world.send_file("+393331500001", named.clone()).await;
        assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
        world.documents("393331500001", count).await;
    }
    let documents = world.documents("393331500001", 2).await;
    assert_eq!(documents[0], documents[1], "the provider has it once");
    assert_eq!(
        (documents[0]["filename"].as_str(), documents[0]["caption"].as_str()),
        (Some("cv.pdf"), Some("Ecco"))
    );

    // The provider loses it: it is given to it again, and the message arrives all the same.
    let media = documents[0]["id"].as_str().unwrap();
    let url = format!("{}/v24.0/{media}", world.provider.base_url);
    let gone = reqwest::Client::new().delete(url).bearer_auth(ACCESS_TOKEN).send().await.unwrap();
    assert!(gone.status().is_success());
    assert_eq!(world.send_file("+393331500001", named).await.status, StatusCode::ACCEPTED);
    assert_ne!(world.documents("393331500001", 3).await[2]["id"], media);
    world.stop().await;
}

#[actix_web::test]
async fn d15_up_to_five_files_are_sent_at_once_and_all_are_checked_before() {
    let world = World::start().await;
    world.written("393331500007", "wamid.five.1", "Buongiorno").await;
    let file = world.uploaded(PDF).await;
    let named = |name: &str| json!({ "file_id": file["id"], "filename": name });
    let send = async |attachments: Vec<Value>| {
        let body = json!({ "channel": "whatsapp", "to": "+393331500007", "type": "media", "attachments": attachments });
        world.call(Method::POST, "/v1/messages").once("five").body(body).answer().await
    };
    let mut wrong = vec![named("1.pdf"), named("2.pdf")];
    wrong[1]["caption"] = "x".repeat(1_025).into();
    for (attachments, pointer) in [(wrong, "/attachments/1/caption"), (vec![named("x"); 6], "/attachments")] {
        let refused = send(attachments).await;
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{refused:?}");
    }
    let five: Vec<_> = (1..=5).map(|n| named(&format!("{n}.pdf"))).collect();
    let (sent, again) = (send(five.clone()).await, send(five).await);
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
    assert_eq!((sent.json()["more"].as_array().unwrap().len(), sent.json()), (4, again.json()));
    let heard = world.documents("393331500007", 5).await;
    let names: Vec<_> = heard.iter().map(|document| document["filename"].as_str().unwrap()).collect();
    assert_eq!(names, ["1.pdf", "2.pdf", "3.pdf", "4.pdf", "5.pdf"]);
    world.stop().await;
}

#[actix_web::test]
async fn d15_what_cannot_be_sent_is_refused_with_the_cure() {
    let world = World::start_with(|settings| settings.files.max_bytes = 1_024).await;
    static LARGE: [u8; 1_025] = [b' '; 1_025];
    for (content, kind, status, words) in [
        (b"<html>".as_slice(), "application/pdf", StatusCode::UNSUPPORTED_MEDIA_TYPE, "documents (pdf)"),
        (PDF, "multipart/form-data; boundary=x", StatusCode::UNSUPPORTED_MEDIA_TYPE, "--data-binary"),
        (b"", "application/pdf", StatusCode::UNPROCESSABLE_ENTITY, "empty"),
        (&LARGE, "application/pdf", StatusCode::PAYLOAD_TOO_LARGE, "1024 bytes"),
    ] {
        let answer = world.upload(content, kind).await;
        assert_eq!(answer.status(), status);
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
    let file = world.uploaded(PNG).await;
    let id = file["id"].as_str().unwrap();
    for (media, pointer) in [
        (json!({}), "/media"),
        (json!({ "file_id": id, "link": "https://x.example" }), "/media"),
        (json!({ "file_id": "fil_1" }), "/media/file_id"),
        (json!({ "file_id": "fil_00000000000000000000000000" }), "/media/file_id"),
        (json!({ "file_id": id, "kind": "document" }), "/media/kind"),
        (json!({ "link": "https://x.example" }), "/media/kind"),
        (json!({ "kind": "image", "link": "ftp://x.example" }), "/media/link"),
    ] {
        let refused = world.send_file("+393331500002", media).await;
        assert!(refused.refuses(pointer), "{refused:?}");
    }
    let path = format!("/v1/files/{id}");
    assert_eq!(world.get(&*path).await.json(), file);
    let delete = async |key| world.call(Method::DELETE, path.clone()).with_key(key).answer().await.status;
    assert_eq!(delete(OTHER_KEY).await, StatusCode::NOT_FOUND);
    for path in [path.clone(), format!("{path}/content")] {
        assert_eq!(
            world.call(Method::GET, path).with_key(OTHER_KEY).answer().await.status,
            StatusCode::NOT_FOUND
        );
    }
    assert_eq!((delete(KEY).await, delete(KEY).await), (StatusCode::NO_CONTENT, StatusCode::NOT_FOUND));
    world.stop().await;
}

#[actix_web::test]
async fn d15_what_a_contact_sends_is_fetched_listed_and_given_out() {
    let world = World::start().await;
    let message = world.sends("393331500003", PDF).await;
    let message = world.with_file(&message).await;
    let file = &message["attachment"]["file"];
    assert_eq!(
        (file["mime_type"].as_str(), file["size_bytes"].as_u64()),
        (Some("application/pdf"), Some(25))
    );
    let path = format!("/v1/attachments/{}", message["media"]["provider_media_id"].as_str().unwrap());
    assert_eq!(world.get(&*path).await.json(), message, "an application's answer leads to it");
    assert_eq!(
        world.call(Method::GET, path).with_key(OTHER_KEY).answer().await.status,
        StatusCode::NOT_FOUND
    );
    let path = format!("/v1/files/{}/content", file["id"].as_str().unwrap());
    let answer = world.call(Method::GET, path).response().await;
    assert_eq!(answer.headers()["content-type"], "application/pdf");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert_eq!(answer.bytes().await.unwrap(), PDF);

    let conversation =
        world.get(format!("/v1/conversations/{}", message["conversation_id"].as_str().unwrap())).await;
    let contact = conversation.json()["contact"]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/files/{}", file["id"].as_str().unwrap());
    assert_eq!(world.call(Method::DELETE, path).answer().await.code(), "file_in_use");
    let listed = world.get(format!("/v1/contacts/{contact}/attachments")).await.json();
    assert_eq!(listed["data"][0]["attachment"]["file"], *file);
    assert_eq!(world.get("/v1/contacts/con_00000000000000000000000000/attachments").await.status, 404);
    world.stop().await;
}

#[actix_web::test]
async fn d14_d15_files_are_exported_and_erased_with_their_contact() {
    let world = World::start().await;
    let message = world.sends("393331500004", PDF).await;
    let message = world.with_file(&message).await;
    let file = message["attachment"]["file"]["id"].as_str().unwrap();
    let conversation =
        world.get(format!("/v1/conversations/{}", message["conversation_id"].as_str().unwrap())).await;
    let contact = conversation.json()["contact"]["id"].as_str().unwrap().to_owned();
    let exported = world.get(format!("/v1/contacts/{contact}/export")).await.json();
    assert_eq!(exported["files"][0]["file"]["id"], file);
    assert_eq!(exported["files"][0]["content_base64"], BASE64.encode(PDF));

    let erased = world.call(Method::DELETE, format!("/v1/contacts/{contact}")).answer().await;
    assert_eq!(erased.status, StatusCode::OK, "{erased:?}");
    assert_eq!(world.get(format!("/v1/files/{file}/content")).await.status, StatusCode::NOT_FOUND);
    let path = format!("/v1/contacts/{contact}/erasure");
    let proof = world.get_until(&path, |report| report["complete"] == true).await;
    assert_eq!(proof["left"], json!([]), "its content is gone, too");
    world.stop().await;
}

#[actix_web::test]
async fn d15_nobody_gets_a_file_before_the_virus_scanner_has_seen_it() {
    let answers = Arc::new(AtomicBool::new(false));
    let seen = answers.clone();
    let scanner = HttpServer::new(move || {
        let answers = seen.clone();
        let scan = move |body: web::Bytes| {
            let answer = match (answers.load(Ordering::SeqCst), &body[..] == PDF) {
                (true, clean) => HttpResponse::Ok().json(json!({ "clean": clean })),
                (false, _) => HttpResponse::ServiceUnavailable().finish(),
            };
            async move { answer }
        };
        App::new().route("/scan", web::post().to(scan))
    });
    let scanner = scanner.workers(1).bind("127.0.0.1:0").unwrap();
    let address = scanner.addrs()[0];
    let scanner = scanner.run();
    let stop = scanner.handle();
    actix_web::rt::spawn(scanner);
    let world =
        World::start_with(|settings| settings.files.scan_url = format!("http://{address}/scan")).await;
    world.written("393331500005", "wamid.scan.1", "Buongiorno").await;
    let (clean, infected) = (world.uploaded(PDF).await, world.uploaded(PNG).await);
    let content = |file: &Value| format!("/v1/files/{}/content", file["id"].as_str().unwrap());
    assert_eq!(world.get(content(&clean)).await.code(), "file_not_scanned");
    let sent = world.send_file("+393331500005", json!({ "file_id": clean["id"] })).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "it waits: {sent:?}");
    let path = format!("/v1/messages/{}", sent.json()["id"].as_str().unwrap());
    world.get_until(&path, |message| !message["attempts"][0].is_null()).await;
    let left = world.provider.ledger().into_iter().filter(|entry| entry.message_type == "document");
    assert_eq!(left.count(), 0, "nothing leaves unseen");

    answers.store(true, Ordering::SeqCst);
    assert_eq!(world.documents("393331500005", 1).await.len(), 1);
    assert_eq!(world.get(content(&clean)).await.status, StatusCode::OK);
    let path = format!("/v1/files/{}", infected["id"].as_str().unwrap());
    world.get_until(&path, |file| file["scan"] == "infected").await;
    assert_eq!(world.get(content(&infected)).await.code(), "file_infected");
    let refused = world.send_file("+393331500005", json!({ "file_id": infected["id"] })).await;
    assert_eq!(refused.code(), "file_infected");
    world.stop().await;
    stop.stop(false).await;
}

/// As much of a server of buckets as is needed, and what it holds.
#[derive(Clone, Default)]
struct Bucket(Arc<Mutex<BTreeMap<String, web::Bytes>>>);

impl Bucket {
    fn start(&self) -> (SocketAddr, ServerHandle) {
        let bucket = self.clone();
        let server = HttpServer::new(move || {
            let bucket = bucket.clone();
            App::new().default_service(web::to(move |request: HttpRequest, body: web::Bytes| {
                let answer = bucket.answer(&request, body);
                async move { answer }
            }))
        });
        let server = server.workers(1).bind("127.0.0.1:0").unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        (address, handle)
    }

    fn answer(&self, request: &HttpRequest, body: web::Bytes) -> HttpResponse {
        let signed = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        if !signed.is_some_and(|value| value.starts_with("AWS4-HMAC-SHA256 Credential=key/")) {
            return HttpResponse::Forbidden().finish();
        }
        let (path, mut held) = (request.path().to_owned(), self.0.lock().unwrap());
        let etag = ("ETag", "\"1\"");
        match request.method().as_str() {
            "PUT" => {
                held.insert(path, body);
                HttpResponse::Ok().insert_header(etag).finish()
            }
            "DELETE" => {
                held.remove(&path);
                HttpResponse::NoContent().finish()
            }
            _ => match held.get(&path) {
                Some(content) => HttpResponse::Ok()
                    .insert_header(etag)
                    .insert_header(("Last-Modified", "Sat, 21 Nov 2026 12:00:00 GMT"))
                    .body(content.clone()),
                None => HttpResponse::NotFound().finish(),
            },
        }
    }
}

#[actix_web::test]
async fn d15_files_are_kept_in_a_bucket_where_the_settings_say_so() {
    let bucket = Bucket::default();
    let (address, server) = bucket.start();
    let world = World::start_with(|settings| {
        settings.files.url = "s3://files/live".to_owned();
        settings.files.s3_endpoint = format!("http://{address}");
        settings.files.s3_access_key_id = "key".to_owned();
        settings.files.s3_secret_access_key = "secret".to_owned();
    })
    .await;
    let message = world.sends("393331500006", PDF).await;
    let message = world.with_file(&message).await;
    let path = format!("/v1/files/{}/content", message["attachment"]["file"]["id"].as_str().unwrap());
    assert_eq!(world.get(path).await.text.as_bytes(), PDF);
    let names = || bucket.0.lock().unwrap().keys().cloned().collect::<Vec<_>>();
    assert!(names().len() == 1 && names()[0].starts_with("/files/live/ten_"), "{:?}", names());

    let path = format!("/v1/conversations/{}", message["conversation_id"].as_str().unwrap());
    let contact = world.get(path).await.json()["contact"]["id"].as_str().unwrap().to_owned();
    world.call(Method::DELETE, format!("/v1/contacts/{contact}")).answer().await;
    world.get_until(&format!("/v1/contacts/{contact}/erasure"), |report| report["complete"] == true).await;
    assert_eq!(names(), Vec::<String>::new());
    world.stop().await;
    server.stop(false).await;
}

#[actix_web::test]
async fn d14_a_repeated_send_is_answered_as_before_when_its_file_and_contact_are_erased() {
    let world = World::start().await;
    let chat = world.written("393331500011", "wamid.again.1", "Buongiorno").await;
    let file = world.uploaded(b"%PDF-1.7 of nobody else").await;
    let named = json!({ "file_id": file["id"] });
    let calls = [
        json!({ "contact_id": chat["contact"]["id"], "type": "media", "media": named }),
        json!({ "contact_id": chat["contact"]["id"], "type": "media", "attachments": [named, named] }),
    ];
    let send = async |key: &str, body: &Value| {
        world.call(Method::POST, "/v1/messages").once(key).body(body.clone()).answer().await
    };
    let mut answers = Vec::new();
    for (key, call) in ["media", "attachments"].into_iter().zip(&calls) {
        let sent = send(key, call).await;
        assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
        answers.push(sent.json());
    }
    world.documents("393331500011", 3).await;
    let path = format!("/v1/contacts/{}", chat["contact"]["id"].as_str().unwrap());
    let erased = world.call(Method::DELETE, path.clone()).answer().await;
    assert_eq!(erased.status, StatusCode::OK, "{erased:?}");
    world.get_until(&format!("{path}/erasure"), |proof| proof["complete"] == true).await;
    for ((key, call), before) in ["media", "attachments"].into_iter().zip(&calls).zip(answers) {
        let again = send(key, call).await;
        assert_eq!((again.status, again.json()), (StatusCode::ACCEPTED, before));
        assert_eq!(send(&format!("{key} anew"), call).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let reused = send("media", &calls[1]).await;
    assert_eq!(reused.code(), "idempotency_key_reused");
    world.documents("393331500011", 3).await;
    assert_eq!(world.provider.ledger().iter().filter(|entry| entry.message_type == "document").count(), 3);
    world.stop().await;
}
