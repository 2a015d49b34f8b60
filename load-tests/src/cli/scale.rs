//! `load-tests scale`.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use load_tests::bench;
use load_tests::scale::{self, Plan};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The gateway; the one beside this program when absent.
    #[arg(long)]
    gateway: Option<PathBuf>,
    /// Conversations in the store; 1.1 KB of memory of the generator each.
    #[arg(long, default_value_t = 1_000_000)]
    known: u32,
    /// Those of them that write again after the restart.
    #[arg(long, default_value_t = 10_000)]
    live: u32,
    /// Connections of the generator.
    #[arg(long, default_value_t = 256)]
    connections: usize,
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let Args { gateway, known, live, connections } = args;
    let gateway = gateway.or_else(bench::gateway_beside).ok_or("give the gateway with --gateway")?;
    let report = scale::run(&Plan { gateway, known, live, connections })?;
    eprint!("{}", scale::table(&report));
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(ExitCode::SUCCESS)
}
