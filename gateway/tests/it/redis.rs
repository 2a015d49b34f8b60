//! A gateway whose conversations are in Redis and whose records are in PostgreSQL.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use reqwest::StatusCode;
use tempfile::TempDir;

use crate::harness::{World, text_webhook};
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
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        Self { child: spawn(&folder, port), folder, port }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn restart(&mut self) {
        self.child = spawn(&self.folder, self.port);
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(folder: &TempDir, port: u16) -> Child {
    let child = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
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

#[actix_web::test]
async fn p1_redis_may_crash_and_nothing_that_was_answered_is_lost_or_doubled() {
    let postgres = Server::start();
    let mut redis = Redis::start();
    let (store, records) = (format!("redis://127.0.0.1:{}", redis.port), postgres.url("postgres"));
    let world = World::start_with(|settings| {
        settings.store.url = store;
        settings.records.url = records;
    })
    .await;
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
