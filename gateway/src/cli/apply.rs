//! `gateway apply`: loads tenants into the records, idempotently.

use std::path::PathBuf;

use protocol::time::TimestampMs;
use store::engine::{Clock as _, SystemClock};

use super::client::block_on;
use super::settings::SettingsArgs;
use super::{Failure, output};
use crate::apply;
use crate::server::open_records;

/// Load tenants, numbers, people, templates, flows and rate cards from a YAML or TOML file
#[derive(clap::Args)]
#[command(after_help = "\
Applying the same file twice changes nothing. A running gateway notices within a second.

Example:
  gateway apply tenants.yaml --data /var/lib/gateway")]
pub(super) struct Args {
    /// The file
    file: PathBuf,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Check the file and change nothing
    #[arg(long)]
    check: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let settings = args.settings.load()?.settings;
    let resolved =
        apply::read_file(&args.file).map_err(|error| Failure::Configuration(output::chain(&error)))?;
    if args.check {
        eprintln!("{} is sound", args.file.display());
        return Ok(());
    }
    let report = block_on(async {
        let records = open_records(&settings).await.map_err(|error| Failure::failed(&error))?;
        let now: TimestampMs = SystemClock::default().now();
        let written = apply::write(&*records, resolved, now).await.map_err(|error| Failure::failed(&error));
        let closed = records.close().await.map_err(|error| Failure::failed(&error));
        written.and_then(|report| closed.map(|()| report))
    })?;
    if args.json { output::print(&report, true) } else { output::line(&report.to_string()) }
}
