//! `gateway rebuild`: derives inbox, history and contacts again from the stored events.

use super::client::block_on;
use super::settings::SettingsArgs;
use super::{Failure, output};
use crate::server::open_records;

/// Derive inbox, history and contacts again from the stored events
#[derive(clap::Args)]
#[command(after_help = "\
Every server of the store must be stopped. Ledger, notifications and documents stay.

Example:
  gateway rebuild --data /var/lib/gateway")]
pub(super) struct Args {
    #[command(flatten)]
    settings: SettingsArgs,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let settings = args.settings.load()?.settings;
    let events = block_on(async {
        let records = open_records(&settings).await.map_err(|error| Failure::failed(&error))?;
        let rebuilt = records.rebuild().await.map_err(|error| Failure::failed(&error));
        let closed = records.close().await.map_err(|error| Failure::failed(&error));
        rebuilt.and_then(|events| closed.map(|()| events))
    })?;
    output::line(&format!("{events} events applied again"))
}
