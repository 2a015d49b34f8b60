//! `load-tests bench`.

use std::error::Error;
use std::process::ExitCode;

use load_tests::bench::{self, Plan};

use super::shape::ShapeArgs;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    shape: ShapeArgs,
    /// Seconds of each phase.
    #[arg(long, default_value_t = 8.0)]
    seconds: f64,
    /// Connections of the generator. Each waits for its answer: with fewer, disks decide how much is under way.
    #[arg(long, default_value_t = 512)]
    connections: usize,
    /// Contacts that write.
    #[arg(long, default_value_t = 20_000)]
    conversations: u32,
    /// Conversations that are there, with those of the contacts that write.
    #[arg(long)]
    known: Option<u32>,
    /// A few contacts write most.
    #[arg(long)]
    zipf: bool,
    /// PostgreSQL stands still while webhooks come, as if it had processors of its own; then it catches up.
    #[arg(long)]
    hold_records: bool,
    /// Prebuilt webhooks, about 1.1 KB of memory each; every one is sent once.
    #[arg(long, default_value_t = 1_000_000)]
    requests: usize,
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let Args { shape, seconds, connections, conversations, known, zipf, hold_records, requests } = args;
    let shape = shape.shape()?;
    let known = known.unwrap_or(conversations).max(conversations);
    let plan = Plan { shape, seconds, connections, conversations, known, zipf, hold_records, requests };
    let report = bench::run(&plan)?;
    eprint!("{}", bench::table(&report));
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(ExitCode::SUCCESS)
}
