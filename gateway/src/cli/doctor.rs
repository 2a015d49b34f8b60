//! `gateway doctor`: is everything there that the gateway needs?

use super::client::block_on;
use super::settings::SettingsArgs;
use super::{Failure, output};
use crate::doctor::{Verdict, examine};

/// Test stores, disk, clock and provider credentials, with a hint for whatever is wrong
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gateway doctor --data /var/lib/gateway")]
pub(super) struct Args {
    #[command(flatten)]
    settings: SettingsArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let settings = args.settings.load()?.settings;
    let checks = block_on(async { Ok(examine(&settings).await) })?;
    if args.json {
        output::print(&checks, true)?;
    } else {
        for check in &checks {
            let verdict = format!("{:?}", check.verdict).to_uppercase();
            output::line(&format!("{verdict}  {:<24} {}", check.name, check.detail))?;
        }
    }
    match checks.iter().filter(|check| check.verdict == Verdict::Fail).count() {
        0 => Ok(()),
        failed => Err(Failure::Unhealthy(format!("{failed} check(s) failed"))),
    }
}
