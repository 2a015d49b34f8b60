//! A simulator with a frozen clock, and a callback that checks signatures.

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use load_tests::client::{SIGNATURE_HEADER, signature};
use load_tests::simulator::{self, Handle, Options, Template};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// 2026-11-20T12:00:00Z.
pub(crate) const NOON_MS: i64 = 1_795_176_000_000;
pub(crate) const NUMBER: &str = "106540352242922";
pub(crate) const WABA: &str = "102290129340398";
pub(crate) const TOKEN: &str = "simulator-access-token";
pub(crate) const ANNA: &str = "393331234567";

/// One webhook as it arrived.
pub(crate) struct Webhook {
    pub(crate) raw: Vec<u8>,
    pub(crate) body: Value,
}

pub(crate) struct World {
    pub(crate) provider: Handle,
    pub(crate) callback: SocketAddr,
    webhooks: mpsc::Receiver<Webhook>,
    answers: Arc<Mutex<VecDeque<u16>>>,
    client: reqwest::Client,
}

struct Callback {
    webhooks: mpsc::Sender<Webhook>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

/// Statuses in order, once each, all read: what most tests want.
pub(crate) fn options() -> Options {
    let mut options = Options { seed: Some(1), frozen_at_ms: Some(NOON_MS), ..Options::default() };
    options.accounts[0].templates =
        vec![Template::approved("interview_invite", "it", "Ciao {{1}}, ti aspettiamo il {{2}}.")];
    let statuses = &mut options.behaviour.statuses;
    statuses.read_probability = 1.0;
    statuses.skip_delivered_probability = 0.0;
    statuses.double_probability = 0.0;
    statuses.reorder_probability = 0.0;
    options.behaviour.delivery.linger_ms = 0;
    options.behaviour.delivery.concurrency = 1;
    options.behaviour.delivery.retry_first_ms = 1;
    options
}

impl World {
    pub(crate) fn start() -> Self {
        Self::with(options())
    }

    pub(crate) fn with(options: Options) -> Self {
        // Far more webhooks than any test makes.
        let (sender, webhooks) = mpsc::channel(1_024);
        let answers = Arc::new(Mutex::new(VecDeque::new()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let callback = listener.local_addr().unwrap();
        let state = web::Data::new(Callback { webhooks: sender, answers: Arc::clone(&answers) });
        let server = HttpServer::new(move || {
            App::new().app_data(state.clone()).route("/webhooks/whatsapp", web::post().to(receive))
        });
        actix_web::rt::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
        let provider = simulator::start(options).unwrap();
        provider.set_callback(&format!("http://{callback}/webhooks/whatsapp"));
        Self { provider, callback, webhooks, answers, client: reqwest::Client::new() }
    }

    /// The next webhooks are answered with these instead of 200.
    pub(crate) fn answer_with(&self, codes: &[u16]) {
        self.answers.lock().unwrap().extend(codes);
    }

    pub(crate) async fn webhook(&mut self) -> Webhook {
        self.webhooks.recv().await.unwrap()
    }

    /// The `value` of the first change of the next webhook.
    pub(crate) async fn value(&mut self) -> Value {
        self.webhook().await.body["entry"][0]["changes"][0]["value"].clone()
    }

    /// Statuses up to this one, in the order in which they came.
    pub(crate) async fn statuses_until(&mut self, last: &str) -> Vec<Value> {
        let mut statuses = Vec::new();
        while statuses.last().is_none_or(|status: &Value| status["status"] != last) {
            let body = self.webhook().await.body;
            let parts = |value: &Value| value.as_array().cloned().unwrap_or_default();
            let changes = parts(&body["entry"]).into_iter().flat_map(|entry| parts(&entry["changes"]));
            statuses.extend(changes.flat_map(|change| parts(&change["value"]["statuses"])));
        }
        statuses
    }

    /// A call of the Graph API with the right token: HTTP status and body.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.post_as(TOKEN, path, body).await
    }

    pub(crate) async fn post_as(&self, token: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = self.request(reqwest::Method::POST, path).bearer_auth(token).json(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.provider.base_url))
    }

    pub(crate) async fn send(&self, body: &Value) -> (u16, Value) {
        self.post(&format!("/v24.0/{NUMBER}/messages"), body).await
    }
}

pub(crate) fn text(to: &str, body: &str) -> Value {
    json!({ "messaging_product": "whatsapp", "to": to, "type": "text", "text": { "body": body },
            "biz_opaque_callback_data": "v1.opaque" })
}

async fn receive(request: HttpRequest, body: web::Bytes, state: web::Data<Callback>) -> HttpResponse {
    let given = request.headers().get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
    assert_eq!(given, Some(signature("simulator-app-secret", &body).as_str()));
    let code = state.answers.lock().unwrap().pop_front().unwrap_or(200);
    let webhook = Webhook { raw: body.to_vec(), body: serde_json::from_slice(&body).unwrap() };
    state.webhooks.send(webhook).await.unwrap();
    HttpResponse::build(actix_web::http::StatusCode::from_u16(code).unwrap()).finish()
}
