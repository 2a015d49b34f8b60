//! `load-tests crash`.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use load_tests::bench::gateway_beside;
use load_tests::crash::{self, Plan};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The gateway; the one beside this program when absent.
    #[arg(long)]
    gateway: Option<PathBuf>,
    /// How often it is killed with `kill -9`.
    #[arg(long, default_value_t = 4)]
    kills: u32,
    /// How long the load lasts.
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
    /// Contacts that write, each one message at a time.
    #[arg(long, default_value_t = 100)]
    conversations: u32,
    /// Callers of the API, each one message at a time.
    #[arg(long, default_value_t = 4)]
    callers: u32,
    /// Keeps the data of the gateway even when nothing is wrong.
    #[arg(long)]
    keep: bool,
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let Args { gateway, kills, seconds, conversations, callers, keep } = args;
    let gateway = gateway.or_else(gateway_beside).ok_or("give the gateway with --gateway")?;
    let verdict = crash::run(&Plan { gateway, kills, seconds, conversations, callers, keep })?;
    println!("{}", serde_json::to_string_pretty(&verdict)?);
    Ok(if verdict.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
