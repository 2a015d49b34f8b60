//! The internal API over real HTTP, as services and people use it.

mod approvals;
mod billing;
mod cards;
mod contacts;
mod contract;
mod credits;
mod erasure;
mod fields;
pub(crate) mod files;
mod fresh;
mod inbox;
mod merge;
mod notices;
mod numbers;
mod sends;
mod settings;
mod templates;
mod views;
mod watch;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{KEY, World, text_webhook};

/// The key of the other tenant in the apply file.
pub(crate) const OTHER_KEY: &str = "key_others_0123456789abcdef012345678";
/// A key that acts for somebody of the other tenant.
pub(crate) const OLGA_KEY: &str = "key_olga_0123456789abcdef01234567890";
/// A key that acts for Anna.
pub(crate) const ANNA_KEY: &str = "key_anna_0123456789abcdef01234567890";

/// One call, described step by step.
pub(crate) struct Call<'a> {
    world: &'a World,
    method: Method,
    path: String,
    key: &'a str,
    idempotency_key: Option<&'a str>,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
}

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) etag: Option<String>,
    pub(crate) kind: String,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The `code` of a problem, after a look at what every problem has.
    pub(crate) fn code(&self) -> String {
        let problem = self.json();
        assert_eq!(self.kind, "application/problem+json", "{self:?}");
        assert_eq!(problem["status"], self.status.as_u16(), "{self:?}");
        assert!(!problem["detail"].as_str().unwrap().is_empty(), "{self:?}");
        problem["code"].as_str().unwrap().to_owned()
    }
}

impl Answer {
    /// Whether it refuses a request for what stands at a place: as the contract does not allow, or as cannot be done.
    pub(crate) fn refuses(&self, pointer: &str) -> bool {
        let malformed = self.code() == "malformed";
        let status = if malformed { StatusCode::BAD_REQUEST } else { StatusCode::UNPROCESSABLE_ENTITY };
        self.status == status && self.json()["errors"][0]["pointer"] == pointer
    }
}

impl World {
    pub(crate) fn call(&self, method: Method, path: impl Into<String>) -> Call<'_> {
        Call {
            world: self,
            method,
            path: path.into(),
            key: KEY,
            idempotency_key: None,
            headers: Vec::new(),
            body: None,
        }
    }

    pub(crate) async fn get(&self, path: impl Into<String>) -> Answer {
        self.call(Method::GET, path).answer().await
    }

    /// Reads until the records have what a test waits for: they follow the commits.
    pub(crate) async fn get_until(&self, path: &str, there: impl Fn(&Value) -> bool) -> Value {
        loop {
            let found = self.get(path).await.json();
            if there(&found) {
                return found;
            }
            tokio::task::yield_now().await;
        }
    }

    /// A contact writes; answers the conversation once the inbox shows the message.
    pub(crate) async fn written(&self, from: &str, wamid: &str, text: &str) -> Value {
        assert!(self.webhook(&text_webhook(from, wamid, text)).await.status().is_success());
        let found = self
            .get_until(&format!("/v1/conversations?q={from}"), |list| {
                list["data"][0]["last_message_at"].is_string() && list["data"][0]["window"]["open"] == true
            })
            .await;
        found["data"][0].clone()
    }
}

impl<'a> Call<'a> {
    pub(crate) fn with_key(mut self, key: &'a str) -> Self {
        self.key = key;
        self
    }

    pub(crate) fn once(mut self, key: &'a str) -> Self {
        self.idempotency_key = Some(key);
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(crate) async fn response(self) -> reqwest::Response {
        let client = reqwest::Client::new();
        let mut request = client.request(self.method, self.world.public(&self.path)).bearer_auth(self.key);
        if let Some(key) = self.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        if let Some(body) = self.body {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }

    pub(crate) async fn answer(self) -> Answer {
        let response = self.response().await;
        let header =
            |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        Answer {
            status: response.status(),
            etag: header("etag"),
            kind: header("content-type").unwrap_or_default(),
            text: response.text().await.unwrap(),
        }
    }
}

/// A text to a phone number.
pub(crate) fn text_to(phone: &str, text: &str) -> Value {
    json!({ "channel": "whatsapp", "to": phone, "type": "text", "text": { "body": text } })
}

/// The test tenant's template to a phone number.
pub(crate) fn invite_to(phone: &str, parameters: &[&str]) -> Value {
    json!({
        "channel": "whatsapp", "to": phone, "type": "template",
        "template": { "name": "invite", "language": "it", "parameters": parameters }
    })
}
