//! `load-tests`: the provider simulator as a process, load with a report, load with `kill -9`.

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match cli::Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(2)
        }
    }
}
