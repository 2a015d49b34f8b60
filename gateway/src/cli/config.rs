//! `gateway config default`: the reference of all settings.

use clap::Subcommand;

use super::{Failure, output};
use crate::config::DEFAULT_FILE;

/// Show the built-in configuration
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gateway config default > gateway.toml")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Print the default file: every key with its unit, range and reason
    Default,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    match args.what {
        What::Default => output::line(DEFAULT_FILE.trim_end()),
    }
}
