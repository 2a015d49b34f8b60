//! Starts a provider and a gateway that know each other.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use gateway::apply;
use gateway::config::{Settings, Sources, load};
use gateway::server::{Listeners, Server, ServerOptions};
use hmac::{Hmac, KeyInit, Mac};
use load_tests::simulator::{self, Account, LedgerEntry, Options, Secret, Template};
use reqwest::{Response, StatusCode};
use sha2::Sha256;

pub(crate) const APP_SECRET: &str = "s3cr3t-of-the-test-app";
pub(crate) const VERIFY_TOKEN: &str = "verify-token-of-the-tests";
pub(crate) const ACCESS_TOKEN: &str = "EAAG-access-token-of-the-tests";
pub(crate) const KEY: &str = "key_tests_0123456789abcdef0123456789";
pub(crate) const PHONE_NUMBER_ID: &str = "106540352242922";

/// One tenant with a number at the simulated provider.
pub(crate) const TENANT: &str = include_str!("tenant.yaml");

static HTTP: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);

/// A gateway with its provider.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) provider: Arc<simulator::Handle>,
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts with other settings than the defaults.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_as(TENANT, change).await
    }

    /// Starts with another apply file.
    pub(crate) async fn start_as(tenant: &str, change: impl FnOnce(&mut Settings)) -> Self {
        let account = Account {
            app_secret: Secret(APP_SECRET.into()),
            access_token: Secret(ACCESS_TOKEN.into()),
            templates: vec![Template::approved("invite", "it", "Ciao {{1}}")],
            ..Account::default()
        };
        let options = Options { accounts: vec![account], ..Options::default() };
        let provider = Arc::new(simulator::start(options).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let server = server(folder.path(), (tenant, &provider.base_url), change).await;
        provider.set_callback(&format!("http://{}/webhooks/whatsapp", server.public));
        Self { server, provider, folder }
    }

    /// Another node for the same provider. Webhooks of the provider go on to the first.
    pub(crate) async fn join(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let (provider, folder) = (self.provider.clone(), tempfile::tempdir().unwrap());
        let server = server(folder.path(), (TENANT, &provider.base_url), change).await;
        Self { server, provider, folder }
    }

    /// Stops the gateway and starts another one on the same stores.
    pub(crate) async fn restart(self) -> Self {
        let Self { server, provider, folder } = self;
        server.stop().await;
        let server = self::server(folder.path(), (TENANT, &provider.base_url), |_| {}).await;
        provider.set_callback(&format!("http://{}/webhooks/whatsapp", server.public));
        Self { server, provider, folder }
    }

    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }

    pub(crate) fn public(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.public)
    }

    pub(crate) async fn operator(&self, path: &str) -> (StatusCode, String) {
        let answer = HTTP.get(format!("http://{}{path}", self.server.operator)).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// POSTs a webhook with a right signature.
    pub(crate) async fn webhook(&self, body: &str) -> Response {
        self.webhook_signed(body, Some(&signature(APP_SECRET, body.as_bytes()))).await
    }

    pub(crate) async fn webhook_signed(&self, body: &str, signature: Option<&str>) -> Response {
        let mut request = HTTP.post(self.public("/webhooks/whatsapp")).body(body.to_owned());
        if let Some(signature) = signature {
            request = request.header("X-Hub-Signature-256", signature);
        }
        request.send().await.unwrap()
    }

    /// Waits until the provider accepted this many messages for a contact, and answers them.
    pub(crate) async fn heard(&self, digits: &str, count: usize) -> Vec<LedgerEntry> {
        loop {
            let heard: Vec<_> =
                self.provider.ledger().into_iter().filter(|entry| entry.to == digits).collect();
            if heard.len() >= count {
                return heard;
            }
            tokio::task::yield_now().await;
        }
    }
}

async fn server(
    folder: &Path,
    (tenant, provider): (&str, &str),
    change: impl FnOnce(&mut Settings),
) -> Server {
    let mut settings = settings(folder);
    change(&mut settings);
    let listeners = Listeners::bind(&settings).unwrap();
    let text = tenant.replace("{provider}", provider);
    let apply = Some(apply::parse(Path::new("tenant.yaml"), &text).unwrap());
    Server::start(ServerOptions { settings, apply, listeners }).await.unwrap()
}

pub(crate) fn settings(folder: &Path) -> Settings {
    let overrides = vec![
        ("data", folder.display().to_string()),
        ("public.listen", "127.0.0.1:0".to_owned()),
        ("operator.listen", "127.0.0.1:0".to_owned()),
        ("public.workers", "1".to_owned()),
        ("shutdown.drain_seconds", "1".to_owned()),
    ];
    load(&Sources { overrides, ..Sources::default() }).unwrap().settings
}

pub(crate) fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes()))
}

/// A webhook with one text message, sent now.
pub(crate) fn text_webhook(from: &str, wamid: &str, text: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    serde_json::json!({ "object": "whatsapp_business_account", "entry": [ { "id": "102290129340398", "changes": [ {
        "field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "15550783881", "phone_number_id": PHONE_NUMBER_ID },
            "contacts": [ { "profile": { "name": "Test" }, "wa_id": from } ],
            "messages": [ { "from": from, "id": wamid, "timestamp": now.to_string(), "type": "text",
                            "text": { "body": text } } ] } } ] } ] })
    .to_string()
}

/// The webhook when the provider also tells the user id of its contact, and the phone number or not.
pub(crate) fn with_names(webhook: &str, user_id: &str, with_phone: bool) -> serde_json::Value {
    let mut webhook: serde_json::Value = serde_json::from_str(webhook).unwrap();
    let value = &mut webhook["entry"][0]["changes"][0]["value"];
    value["contacts"][0]["user_id"] = user_id.into();
    value["messages"][0]["from_user_id"] = user_id.into();
    if !with_phone {
        value["contacts"][0].as_object_mut().unwrap().remove("wa_id");
        value["messages"][0].as_object_mut().unwrap().remove("from");
    }
    webhook
}
