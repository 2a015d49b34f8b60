//! Reads every conversation and message back through the API.

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::Value;

use super::traffic::Acknowledged;
use crate::process::{API_KEY, Place};
use crate::simulator::Handle;

/// One message as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) id: String,
    pub(crate) provider_id: Option<String>,
    pub(crate) inbound: bool,
    pub(crate) status: String,
}

/// The gateway projects what it committed with a delay, and unfinished sends need their deadline of a minute.
const PATIENCE: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(500);
const PAGE: usize = 100;

/// The messages of every conversation, oldest first. Waits until everything is there and settled, or nothing moves.
pub(crate) async fn read(
    place: &Place,
    provider: &Handle,
    acknowledged: &Acknowledged,
) -> Result<Vec<Vec<Found>>, reqwest::Error> {
    let client = Client::new();
    let expected: usize = acknowledged.inbound.values().map(Vec::len).sum();
    let since = Instant::now();
    loop {
        let found = read_once(&client, place).await?;
        let all = || found.iter().flatten();
        let inbound = all().filter(|message| message.inbound).count();
        let open = all().filter(|message| matches!(message.status.as_str(), "queued" | "claimed")).count();
        let settled = inbound >= expected && open == 0 && provider.stats().updates_waiting == 0;
        if settled || since.elapsed() > PATIENCE {
            return Ok(found);
        }
        tracing::info!(inbound, expected, open, "waiting for the gateway to settle");
        tokio::time::sleep(POLL).await;
    }
}

async fn read_once(client: &Client, place: &Place) -> Result<Vec<Vec<Found>>, reqwest::Error> {
    let base = format!("http://{}/v1/conversations", place.public);
    let mut conversations = Vec::new();
    for conversation in pages(client, &base, "").await? {
        let id = conversation["id"].as_str().unwrap_or_default();
        let messages = pages(client, &format!("{base}/{id}/messages"), "&order=asc").await?;
        conversations.push(messages.iter().map(found).collect());
    }
    Ok(conversations)
}

/// All pages of a list.
async fn pages(client: &Client, url: &str, more: &str) -> Result<Vec<Value>, reqwest::Error> {
    let mut data = Vec::new();
    let mut cursor = String::new();
    loop {
        let request = client.get(format!("{url}?limit={PAGE}{more}{cursor}")).bearer_auth(API_KEY);
        let mut page: Value = request.send().await?.error_for_status()?.json().await?;
        if let Value::Array(items) = page["data"].take() {
            data.extend(items);
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(data),
        }
    }
}

fn found(message: &Value) -> Found {
    let text = |key: &str| message[key].as_str().map(str::to_owned);
    Found {
        id: text("id").unwrap_or_default(),
        provider_id: text("provider_id"),
        inbound: message["direction"] == "inbound",
        status: text("status").unwrap_or_default(),
    }
}
