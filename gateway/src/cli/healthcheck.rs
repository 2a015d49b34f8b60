//! `gateway healthcheck`: for containers and scripts, without curl.

use std::time::Duration;

use super::client::block_on;
use super::settings::SettingsArgs;
use super::{Failure, output};

/// A probe that takes longer is a failure by itself.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Ask the running gateway whether it is ready
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gateway healthcheck || echo 'not ready'")]
pub(super) struct Args {
    /// Address of the operator listener; the configured one when absent
    #[arg(long)]
    url: Option<String>,
    #[command(flatten)]
    settings: SettingsArgs,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let base = match args.url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("http://{}", args.settings.load()?.settings.operator.listen),
    };
    block_on(async move {
        let client =
            reqwest::Client::builder().timeout(TIMEOUT).build().map_err(|error| Failure::failed(&error))?;
        let answer = client.get(format!("{base}/readyz")).send().await;
        let answer = answer.map_err(|error| Failure::Unhealthy(output::chain(&error)))?;
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        if status.is_success() {
            output::line(text.trim())
        } else {
            Err(Failure::Unhealthy(text.trim().to_owned()))
        }
    })
}
