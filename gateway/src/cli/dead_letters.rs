//! `gateway dead-letters`: inputs that could not be applied.

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::{Client, ClientArgs, block_on};
use super::{Failure, output};

/// Letters per page; the API allows no more.
const PAGE: usize = 100;

/// List, show and replay inputs that could not be applied
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  GATEWAY_KEY=… gateway dead-letters list --json\n  GATEWAY_KEY=… gateway dead-letters replay dlt_…"
)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    client: ClientArgs,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum What {
    /// All of them, oldest first
    List,
    /// One with its reason and entry
    Show {
        /// `dlt_…`
        id: String,
    },
    /// Append the entry to the log again and forget the letter
    Replay {
        /// `dlt_…`
        id: String,
    },
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let client = args.client.connect()?;
    let answer = block_on(async move {
        match args.what {
            What::List => list(&client, &[]).await,
            What::Show { id } => show(&client, &id).await,
            What::Replay { id } => client.post(&format!("dead-letters/{id}/replay")).await,
        }
    })?;
    if answer.is_null() {
        eprintln!("done");
        return Ok(());
    }
    output::print(&answer, args.json)
}

/// Every letter that the query asks for.
pub(super) async fn list(client: &Client, asked: &[(&str, String)]) -> Result<Value, Failure> {
    let (mut letters, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut query = asked.to_vec();
        query.push(("limit", PAGE.to_string()));
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let mut page = client.get("dead-letters", &query).await?;
        if let Some(Value::Array(data)) = page.get_mut("data").map(Value::take) {
            letters.extend(data);
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(json!(letters)),
        }
    }
}

async fn show(client: &Client, id: &str) -> Result<Value, Failure> {
    let Value::Array(letters) = list(client, &[]).await? else { return Ok(Value::Null) };
    let found = letters.into_iter().find(|letter| letter.get("id").and_then(Value::as_str) == Some(id));
    found.ok_or_else(|| Failure::Server(format!("no dead letter {id}; `dead-letters list` shows all")))
}
