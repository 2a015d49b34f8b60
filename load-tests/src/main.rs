//! `load-tests`: the provider simulator as a process, load with a report, load with `kill -9`.

mod cli;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // The servers of this process start and stop often; what they say about it is for debugging.
    let quiet = "info,actix_server=warn";
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| quiet.into());
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
    match cli::Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            let mut causes = String::new();
            let mut source = error.source();
            while let Some(cause) = source {
                causes = format!("{causes}: {cause}");
                source = cause.source();
            }
            tracing::error!("{error}{causes}");
            ExitCode::from(2)
        }
    }
}
