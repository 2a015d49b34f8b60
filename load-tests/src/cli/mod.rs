//! The verbs. Each file holds one: its arguments and what it does with them.

mod bench;
mod ceiling;
mod crash;
mod report;
mod run;
mod scale;
mod shape;
mod simulator;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A provider, load and crashes for the recruiting conversation gateway.
#[derive(Parser)]
#[command(name = "load-tests", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Runs the provider simulator until it is interrupted.
    Simulator(simulator::Args),
    /// Plays a load profile against gateways that it starts, measures, and verifies that nothing was lost.
    Run(run::Args),
    /// Measures everything in one go: closed loops, the knee, every profile; writes pages and the README's tables.
    Report(report::Args),
    /// Kills, stops and pauses gateways and their servers under load and compares what was acknowledged with what is
    /// there.
    Crash(crash::Args),
    /// Compares a gateway with a bare server that only checks the signature.
    Bench(bench::Args),
    /// Fills a gateway with conversations, kills it, and measures its start and its memory.
    Scale(scale::Args),
    /// Runs that bare server.
    Ceiling(ceiling::Args),
}

impl Cli {
    /// Does what was asked. Exit codes: 0 done, 1 a check failed, 2 it could not be done.
    pub(crate) fn run(self) -> Result<ExitCode, Box<dyn Error>> {
        match self.verb {
            Verb::Simulator(args) => simulator::run(args),
            Verb::Run(args) => run::run(args),
            Verb::Report(args) => report::run(args),
            Verb::Crash(args) => crash::run(args),
            Verb::Bench(args) => bench::run(args),
            Verb::Scale(args) => scale::run(args),
            Verb::Ceiling(args) => ceiling::run(&args),
        }
    }
}
