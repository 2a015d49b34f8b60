//! Contacts are forgotten by every node, whichever is asked.

use std::process::Command;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Redis, stores, two_nodes};
use crate::api::invite_to;
use crate::harness::{World, text_webhook, with_names};
use crate::postgres::server::Server;

/// A word that nothing else has.
const NAME: &str = "Zaccheo";

struct Person {
    phone: String,
    user_id: String,
    refuses: bool,
}

impl Person {
    fn new(place: usize) -> Self {
        let (phone, user_id) = (format!("39333800400{place}"), format!("IT.1349120865530200{place}"));
        // Two by two: each node is asked about some who refused, and about some who did not.
        Self { phone, user_id, refuses: place % 4 < 2 }
    }

    /// Writes under the names that the provider tells this time: at least one.
    async fn writes(&self, node: &World, (by_phone, by_id): (bool, bool), text: &str) {
        let wamid = format!("wamid.{}.{text}", self.phone);
        let webhook = text_webhook(&self.phone, &wamid, text);
        let mut body = if by_id {
            with_names(&webhook, &self.user_id, by_phone)
        } else {
            serde_json::from_str(&webhook).unwrap()
        };
        body["entry"][0]["changes"][0]["value"]["contacts"][0]["profile"]["name"] = json!(NAME);
        assert_eq!(node.webhook(&body.to_string()).await.status(), StatusCode::OK);
    }

    /// The only conversation under the phone number, once it has so many messages of the person.
    async fn conversation(&self, node: &World, messages: usize) -> Value {
        let found = node.get_until(&format!("/v1/conversations?q={}", self.phone), is_one).await;
        let path =
            format!("/v1/conversations/{}/messages?limit=50", found["data"][0]["id"].as_str().unwrap());
        let inbound = |list: &Value| {
            let all = list["data"].as_array().into_iter().flatten();
            all.filter(|message| message["direction"] == "inbound").count()
        };
        node.get_until(&path, |list| inbound(list) >= messages).await;
        found["data"][0].clone()
    }
}

fn is_one(list: &Value) -> bool {
    list["data"].as_array().is_some_and(|found| found.len() == 1)
}

/// What Redis would write to disk now, uncompressed.
fn redis_holds(redis: &Redis, word: &str) -> bool {
    redis.configure("rdbcompression", "no");
    let port = redis.port.to_string();
    let saved = Command::new("redis-cli").args(["-p", &port, "save"]).output().unwrap();
    assert!(saved.status.success(), "{saved:?}");
    holds(&std::fs::read(redis.folder.path().join("dump.rdb")).unwrap(), word)
}

/// Every row of every table; bytes are written as hexadecimal digits.
fn postgres_holds(postgres: &Server, word: &str) -> bool {
    let dump = Command::new("pg_dump").arg(postgres.url("postgres")).output().unwrap();
    assert!(dump.status.success(), "{dump:?}");
    holds(&dump.stdout, word) || holds(&dump.stdout, &data_encoding::HEXLOWER.encode(word.as_bytes()))
}

fn holds(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

/// Erased through one node, looked for through another.
async fn erase(asked: &World, other: &World, chat: &Value) {
    let path = format!("/v1/contacts/{}", chat["contact"]["id"].as_str().unwrap());
    let erased = asked.call(Method::DELETE, path.clone()).answer().await;
    let proof = erased.json();
    assert_eq!((&proof["complete"], &proof["left"]), (&json!(true), &json!([])), "{erased:?}");
    let check = other.get(format!("{path}/erasure")).await.json();
    assert_eq!((&check["complete"], &check["left"]), (&json!(true), &json!([])), "{check}");
    for gone in [path, format!("/v1/conversations/{}", chat["id"].as_str().unwrap())] {
        assert_eq!(other.get(gone.clone()).await.status, StatusCode::NOT_FOUND, "{gone}");
    }
}

#[actix_web::test]
async fn d14_whichever_node_is_asked_nothing_of_a_contact_stays_with_any() {
    let (postgres, redis) = (Server::start(), Redis::start());
    let (first, second, _) = two_nodes(|settings| stores(settings, &redis, &postgres)).await;
    // Enough to have some whose shard the asked node owns, and some whose it does not.
    let people: Vec<_> = (0..8).map(Person::new).collect();
    let nodes = || [(&first, &second), (&second, &first)].into_iter().cycle();
    for (person, (asked, _)) in people.iter().zip(nodes()) {
        // By the name that decides from then on which conversation it is.
        person.writes(asked, (person.refuses, !person.refuses), "Mi chiamo Zaccheo").await;
    }
    let known = |list: &Value| list["data"].as_array().is_some_and(|found| found.len() == people.len());
    first.get_until("/v1/contacts?q=zaccheo", known).await;
    let mut chats = Vec::new();
    for (person, (asked, other)) in people.iter().zip(nodes()) {
        person.writes(other, (true, true), "ecco il mio numero").await;
        person.conversation(asked, 2).await;
        person.writes(asked, (true, false), "ci siete?").await;
        person.writes(other, (true, false), if person.refuses { "STOP" } else { "/chat" }).await;
        let chat = person.conversation(other, 4).await;
        let card = json!({ "last_name": NAME });
        let path = format!("/v1/contacts/{}", chat["contact"]["id"].as_str().unwrap());
        assert_eq!(asked.call(Method::PATCH, path).body(card).answer().await.status, StatusCode::OK);
        chats.push(chat);
    }
    assert!(
        redis_holds(&redis, NAME) && postgres_holds(&postgres, NAME),
        "otherwise the search finds nothing"
    );
    for (chat, (asked, other)) in chats.iter().zip(nodes()) {
        erase(asked, other, chat).await;
    }
    // The log and the facts of a conversation are trimmed behind what was done with them.
    while redis_holds(&redis, NAME) || people.iter().any(|person| redis_holds(&redis, &person.user_id)) {}
    for word in people.iter().flat_map(|person| [NAME, &person.phone, &person.user_id]) {
        assert!(!postgres_holds(&postgres, word), "{word}");
    }
    // Who changes the configuration reads all of it anew: both nodes have heard of the erasures then.
    for node in [&first, &second] {
        let key = json!({ "name": format!("key of {}", node.server.public), "scopes": ["*"] });
        let made = node.call(Method::POST, "/v1/keys").body(key).answer().await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    }
    for ((person, chat), (asked, other)) in people.iter().zip(&chats).zip(nodes()) {
        let names = if person.refuses { (true, true) } else { (true, false) };
        person.writes(other, names, "di nuovo io").await;
        person.writes(asked, names, "eccomi").await;
        let back = person.conversation(asked, 2).await;
        assert_eq!(
            back["contact"]["consent"] == "opted_out",
            person.refuses,
            "all that stayed is a refusal: {back}"
        );
        assert_eq!(back["id"] == chat["id"], person.refuses, "its name then decides who somebody is");
        let invited = invite_to(&format!("+{}", person.phone), &["x"]);
        let invited = other.call(Method::POST, "/v1/messages").body(invited).answer().await;
        assert_eq!(invited.status.is_success(), !person.refuses, "{invited:?}");
    }
    second.stop().await;
    first.stop().await;
}
