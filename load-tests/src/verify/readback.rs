//! Reads every conversation and message back through the API.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::Client;
use serde_json::Value;

use crate::process::Place;
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
/// The most that the API gives.
const PAGE: usize = 200;
/// Conversations that are read at once: enough to keep two cores busy.
const AT_ONCE: usize = 8;

/// The messages of every conversation of the tenants with these keys, oldest first. Waits until so many inbound messages
/// are there and everything is settled, or until it has waited long enough.
pub(crate) async fn read(
    place: &Place,
    keys: &[String],
    provider: &Handle,
    expected: usize,
) -> Result<Vec<Vec<Found>>, reqwest::Error> {
    let client = Client::new();
    let since = Instant::now();
    loop {
        let mut found = Vec::new();
        for key in keys {
            found.extend(conversations(&client, place, key).await?);
        }
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

async fn conversations(client: &Client, place: &Place, key: &str) -> Result<Vec<Vec<Found>>, reqwest::Error> {
    let base = format!("http://{}/v1/conversations", place.public);
    let list = pages(client, key, &base, "").await?;
    let messages = list.iter().map(|conversation| {
        let id = conversation["id"].as_str().unwrap_or_default();
        let url = format!("{base}/{id}/messages");
        async move {
            let messages = pages(client, key, &url, "&order=asc").await?;
            Ok(messages.iter().map(found).collect())
        }
    });
    stream::iter(messages).buffered(AT_ONCE).try_collect().await
}

/// All pages of a list.
async fn pages(client: &Client, key: &str, url: &str, more: &str) -> Result<Vec<Value>, reqwest::Error> {
    let mut data = Vec::new();
    let mut cursor = String::new();
    loop {
        let request = client.get(format!("{url}?limit={PAGE}{more}{cursor}")).bearer_auth(key);
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
