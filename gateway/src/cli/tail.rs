//! `gateway tail`: domain events as they happen.

use std::time::Duration;

use serde_json::Value;

use super::client::{Client, ClientArgs, block_on};
use super::{Failure, output};

/// Events per call; the API allows no more.
const PAGE: usize = 100;
/// Pause when there is nothing new.
const PAUSE: Duration = Duration::from_secs(1);

/// Follow the events of a tenant
#[derive(clap::Args)]
#[command(after_help = "Example:\n  GATEWAY_KEY=… gateway tail --json | jq .type")]
pub(super) struct Args {
    /// Begin after this event (its sequence) instead of at the first
    #[arg(long)]
    after: Option<String>,
    /// Stop when there is nothing new instead of waiting
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    client: ClientArgs,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let client = args.client.connect()?;
    block_on(follow(client, args.after, args.once, args.json))
}

async fn follow(client: Client, mut after: Option<String>, once: bool, json: bool) -> Result<(), Failure> {
    loop {
        let mut query = vec![("limit", PAGE.to_string())];
        query.extend(after.clone().map(|after| ("after", after)));
        let page = client.get("events", &query).await?;
        let events = page.get("data").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for event in events {
            output::line(&if json { event.to_string() } else { for_people(event) })?;
        }
        let next = page.get("next").and_then(Value::as_str).map(str::to_owned);
        match next {
            Some(next) if !events.is_empty() => after = Some(next),
            _ if once => return Ok(()),
            _ => {}
        }
        if events.len() < PAGE {
            if once {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn for_people(event: &Value) -> String {
    let text = |field: &str| event.get(field).and_then(Value::as_str).unwrap_or("-").to_owned();
    format!("{}  {:<26} {}", text("at"), text("type"), text("conversation_id"))
}
