//! A gateway whose conversations are in Redis and whose records are in PostgreSQL.

mod erasure;

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use gateway::config::Settings;
use gateway::doctor::{self, Verdict};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

use crate::api::files::PDF;
use crate::api::text_to;
use crate::harness::{World, settings, text_webhook};
use crate::postgres::server::Server;

const CANDIDATE: &str = "393338000002";

/// A private Redis that syncs every write; killed when it is dropped.
struct Redis {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Redis {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        Self { child: spawn(&folder, port, &["--port", &port.to_string()]), folder, port }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn configure(&self, key: &str, value: &str) {
        let port = self.port.to_string();
        let done =
            Command::new("redis-cli").args(["-p", &port, "config", "set", key, value]).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    }

    fn restart(&mut self) {
        self.child = spawn(&self.folder, self.port, &["--port", &self.port.to_string()]);
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn spawn(folder: &TempDir, port: u16, listening: &[&str]) -> Child {
    let child = Command::new("redis-server")
        .args(listening)
        .args(["--bind", "127.0.0.1", "--save", ""])
        .args(["--appendonly", "yes", "--appendfsync", "always", "--dir"])
        .arg(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        std::thread::yield_now();
    }
    child
}

fn stores(settings: &mut Settings, redis: &Redis, postgres: &Server) {
    settings.store.url = format!("redis://127.0.0.1:{}", redis.port);
    settings.records.url = postgres.url("postgres");
}

/// Shards that a node owns, once it has all that fall to it among so many nodes.
async fn owned(world: &World, nodes: usize) -> u64 {
    loop {
        let (status, body) = world.operator("/readyz").await;
        let node = serde_json::from_str::<Value>(&body).unwrap()["node"].clone();
        if status == StatusCode::OK && node["nodes"] == nodes && node["shards_owned"] == node["shards_wanted"]
        {
            return node["shards_owned"].as_u64().unwrap();
        }
        tokio::task::yield_now().await;
    }
}

/// Two nodes that have shared out all shards, and how many there are.
async fn two_nodes(settings: impl Fn(&mut Settings)) -> (World, World, u64) {
    let first = World::start_with(&settings).await;
    let all = owned(&first, 1).await;
    let second = first.join(&settings).await;
    while owned(&first, 2).await + owned(&second, 2).await != all {}
    (first, second, all)
}

#[test]
fn redis_is_reached_over_tls_by_whoever_trusts_its_certificate() {
    let (postgres, folder) = (Server::start(), TempDir::new().unwrap());
    let signed = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let file = |name: &str, content: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (ours, another) = (signed(), signed());
    let certificate = file("certificate", ours.cert.pem());
    let key = file("key", ours.signing_key.serialize_pem());
    let stranger = file("stranger", another.cert.pem());
    let port = free_port();
    let tls = ["--tls-cert-file", &certificate, "--tls-key-file", &key, "--tls-auth-clients", "no"];
    let number = port.to_string();
    let listening = [&["--port", "0", "--tls-port", &number], &tls[..]].concat();
    let _redis = Redis { child: spawn(&folder, port, &listening), folder, port };
    let doctor = |trusted: &str| {
        let mut doctor = Command::new(env!("CARGO_BIN_EXE_gateway"));
        doctor.arg("doctor").env("SSL_CERT_FILE", trusted);
        doctor.env("GATEWAY_STORE__URL", format!("rediss://localhost:{port}"));
        doctor.env("GATEWAY_RECORDS__URL", postgres.url("postgres"));
        String::from_utf8(doctor.output().unwrap().stdout).unwrap()
    };
    let said = doctor(&certificate);
    assert!(said.contains("PASS  engine store"), "{said}");
    let said = doctor(&stranger);
    assert!(said.contains("FAIL  engine store") && said.contains("certificate"), "{said}");
}

#[actix_web::test]
async fn nodes_share_the_work_and_each_answers_for_all() {
    let (postgres, redis) = (Server::start(), Redis::start());
    let (first, second, all) = two_nodes(|settings| stores(settings, &redis, &postgres)).await;
    let contacts: Vec<String> = (0..8).map(|contact| format!("39333800100{contact}")).collect();
    for (contact, world) in contacts.iter().zip([&first, &second].into_iter().cycle()) {
        let wrote = world.webhook(&text_webhook(contact, &format!("wamid.{contact}"), "TEST0001")).await;
        assert_eq!(wrote.status(), StatusCode::OK);
    }
    for (contact, world) in contacts.iter().zip([&second, &first].into_iter().cycle()) {
        first.heard(contact, 1).await;
        let sent = world.call(Method::POST, "/v1/messages").body(text_to(&format!("+{contact}"), "Ciao"));
        let sent = sent.answer().await;
        assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
        first.heard(contact, 2).await;
        let path = format!("/v1/conversations?q={contact}");
        second.get_until(&path, |list| list["data"][0]["mode"] == "bot").await;
    }
    first.stop().await;
    assert_eq!(owned(&second, 1).await, all);
    for contact in &contacts {
        let wrote = second.webhook(&text_webhook(contact, &format!("wamid.{contact}.2"), "Anna")).await;
        assert_eq!(wrote.status(), StatusCode::OK);
        second.heard(contact, 3).await;
    }
    second.stop().await;
}

#[actix_web::test]
async fn c4_whichever_node_is_asked_a_text_is_submitted_and_sent_once() {
    let (postgres, redis) = (Server::start(), Redis::start());
    let (first, second, _) = two_nodes(|settings| stores(settings, &redis, &postgres)).await;
    let contacts: Vec<String> = (0..4).map(|contact| format!("39333800200{contact}")).collect();
    for (contact, world) in contacts.iter().zip([&first, &second].into_iter().cycle()) {
        let mut body = text_to(&format!("+{contact}"), "Sei ancora interessato al posto?");
        body["approval"] = serde_json::json!({});
        let sent = world.call(Method::POST, "/v1/messages").body(body).answer().await;
        assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
    }
    for contact in &contacts {
        let heard = first.heard(contact, 1).await;
        assert_eq!((heard.len(), heard[0].message_type.as_str()), (1, "template"));
    }
    let made = second.get("/v1/templates").await.json();
    assert_eq!(made["data"].as_array().unwrap().len(), 2, "one wording, one template: {made}");
    second.stop().await;
    first.stop().await;
}

#[actix_web::test]
async fn d15_every_node_gives_out_and_sends_what_another_one_has_stored() {
    let (postgres, redis, files) = (Server::start(), Redis::start(), tempfile::tempdir().unwrap());
    let share = |settings: &mut Settings| {
        stores(settings, &redis, &postgres);
        settings.files.url = format!("file://{}", files.path().display());
    };
    let (first, second, _) = two_nodes(share).await;
    let file = first.uploaded(PDF).await;
    let contacts: Vec<String> = (0..4).map(|contact| format!("39333800300{contact}")).collect();
    for (contact, world) in contacts.iter().zip([&first, &second].into_iter().cycle()) {
        let message = first.sends(contact, format!("%PDF-1.7 of {contact}").as_bytes()).await;
        let message = second.with_file(&message).await;
        let path = format!("/v1/files/{}/content", message["attachment"]["file"]["id"].as_str().unwrap());
        assert_eq!(second.get(&*path).await.text, format!("%PDF-1.7 of {contact}"));
        assert_eq!(first.get(path).await.status, StatusCode::OK);
        let sent =
            world.send_file(&format!("+{contact}"), serde_json::json!({ "file_id": file["id"] })).await;
        assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
        first.documents(contact, 1).await;
    }
    second.stop().await;
    first.stop().await;
}

#[actix_web::test]
async fn the_doctor_examines_both_servers_and_says_what_is_wrong() {
    let (mut redis, mut postgres, folder) = (Redis::start(), Server::start(), tempfile::tempdir().unwrap());
    let mut settings = settings(folder.path());
    stores(&mut settings, &redis, &postgres);
    let found = async |settings: &Settings, name: &str| {
        let checks = doctor::examine(settings).await;
        let verdict = checks.iter().find(|check| check.name == name).map(|check| check.verdict);
        (verdict.unwrap(), format!("{checks:?}"))
    };
    assert_eq!(found(&settings, "engine store").await.0, Verdict::Pass);
    assert_eq!(found(&settings, "clock").await.0, Verdict::Pass);
    assert_eq!(found(&settings, "records").await.0, Verdict::Warn, "no tenants yet");
    redis.configure("appendfsync", "everysec");
    let (verdict, text) = found(&settings, "engine store").await;
    assert!(verdict == Verdict::Fail && text.contains("appendfsync"), "{text}");
    redis.kill();
    postgres.kill();
    assert_eq!(found(&settings, "engine store").await.0, Verdict::Fail);
    assert_eq!(found(&settings, "records").await.0, Verdict::Fail);
}

#[actix_web::test]
async fn p1_redis_may_crash_and_nothing_that_was_answered_is_lost_or_doubled() {
    let postgres = Server::start();
    let mut redis = Redis::start();
    let world = World::start_with(|settings| stores(settings, &redis, &postgres)).await;
    let conversation = world.written(CANDIDATE, "wamid.1", "TEST0001").await;
    world.heard(CANDIDATE, 1).await;
    redis.kill();
    let refused = world.webhook(&text_webhook(CANDIDATE, "wamid.2", "Anna")).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE, "what cannot be made durable is not taken");
    redis.restart();
    // As the provider does: again, until it is taken.
    while world.webhook(&text_webhook(CANDIDATE, "wamid.2", "Anna")).await.status() != StatusCode::OK {}
    world.heard(CANDIDATE, 2).await;
    let path = format!("/v1/conversations/{}/messages?order=asc", conversation["id"].as_str().unwrap());
    let texts = |messages: &serde_json::Value| -> Vec<String> {
        let all = messages["data"].as_array().into_iter().flatten();
        let inbound = all.filter(|one| one["direction"] == "inbound");
        inbound.filter_map(|one| Some(one["text"]["body"].as_str()?.to_owned())).collect()
    };
    let messages = world.get_until(&path, |messages| texts(messages).len() == 2).await;
    assert_eq!(texts(&messages), ["TEST0001", "Anna"]);
    world.stop().await;
}
