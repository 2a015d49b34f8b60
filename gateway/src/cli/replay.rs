//! `gateway replay`: what was set aside goes into the log again.

use serde_json::{Value, json};

use super::client::{Client, ClientArgs, block_on};
use super::dead_letters::list;
use super::{Failure, output};

/// Apply dead letters again: of one conversation, of one number, or all of the tenant
#[derive(clap::Args)]
#[command(after_help = "\
Letters that fail again are set aside again. Answers how many there were.

Example:
  GATEWAY_KEY=… gateway replay cnv_7x1905qprjp2xqcbde17xgsbgs
  GATEWAY_KEY=… gateway replay --all")]
pub(super) struct Args {
    /// `cnv_…` or `num_…`
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    of: Option<String>,
    /// Every dead letter of the tenant
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    client: ClientArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let query = match args.of.as_deref() {
        None => Vec::new(),
        Some(id) if id.starts_with("cnv_") => vec![("conversation_id", id.to_owned())],
        Some(id) if id.starts_with("num_") => vec![("number_id", id.to_owned())],
        Some(id) => {
            return Err(Failure::Server(format!(
                "{id} is neither a conversation (cnv_…) nor a number (num_…)"
            )));
        }
    };
    let client = args.client.connect()?;
    let replayed = block_on(async move { replay(&client, &query).await })?;
    output::print(&json!({ "replayed": replayed }), args.json)
}

async fn replay(client: &Client, query: &[(&str, String)]) -> Result<usize, Failure> {
    let Value::Array(letters) = list(client, query).await? else { return Ok(0) };
    for letter in &letters {
        let id = letter.get("id").and_then(Value::as_str).unwrap_or_default();
        client.post(&format!("dead-letters/{id}/replay")).await?;
    }
    Ok(letters.len())
}
