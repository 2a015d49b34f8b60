//! Calls to the HTTP API of a running gateway.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::Value;

use super::{Failure, output};

/// Longer than any answer of the API takes; its own deadline for commands is 10 s.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Where the server is and who asks.
#[derive(clap::Args)]
pub(super) struct ClientArgs {
    /// Address of the gateway
    #[arg(long, env = "GATEWAY_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// API key; better in the environment than on the command line, where other users see it
    #[arg(long, env = "GATEWAY_KEY", hide_env_values = true)]
    key: Option<String>,
}

/// A connection to the API.
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    key: String,
}

impl ClientArgs {
    pub(super) fn connect(self) -> Result<Client, Failure> {
        let Some(key) = self.key else {
            return Err(Failure::Server("no API key: set GATEWAY_KEY or give --key".to_owned()));
        };
        let http =
            reqwest::Client::builder().timeout(TIMEOUT).build().map_err(|error| Failure::failed(&error))?;
        Ok(Client { http, base: self.url.trim_end_matches('/').to_owned(), key })
    }
}

impl Client {
    /// GETs a path under `/v1`.
    pub(super) async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value, Failure> {
        self.call(Method::GET, path, query).await
    }

    /// POSTs to a path under `/v1`, without a body.
    pub(super) async fn post(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::POST, path, &[]).await
    }

    async fn call(&self, method: Method, path: &str, query: &[(&str, String)]) -> Result<Value, Failure> {
        let request = self.http.request(method, format!("{}/v1/{path}", self.base));
        let request = request.bearer_auth(&self.key).query(query);
        let answer = request.send().await.map_err(|error| {
            Failure::Server(format!("{} cannot be reached: {}", self.base, output::chain(&error)))
        })?;
        read(answer).await
    }
}

async fn read(answer: Response) -> Result<Value, Failure> {
    let status = answer.status();
    let text = answer.text().await.map_err(|error| Failure::Server(output::chain(&error)))?;
    let body: Value =
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(text.into()) };
    if status.is_success() {
        return Ok(body);
    }
    let detail = ["detail", "title"].iter().find_map(|field| body.get(field)?.as_str());
    Err(Failure::Server(format!("{status}: {}", detail.unwrap_or("no explanation"))))
}

/// Runs a call to its end; verbs that talk to a server need no more than one thread.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::failed(&error))?.block_on(work)
}
