//! `gateway serve`: the server.

use std::path::PathBuf;

use super::settings::SettingsArgs;
use super::{Failure, notify, output};
use crate::apply;
use crate::server::{Listeners, Server, ServerOptions};
use crate::telemetry::Telemetry;

/// Run the gateway
#[derive(clap::Args)]
#[command(after_help = "\
SIGTERM or Ctrl-C drains: requests and shards finish, leases are given back. A second one stops at once.

Example:
  gateway serve --config gateway.toml --apply tenants.yaml --data /var/lib/gateway")]
pub(super) struct Args {
    #[command(flatten)]
    settings: SettingsArgs,
    /// Load this apply file before listening
    #[arg(long, value_name = "FILE")]
    apply: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let settings = args.settings.load()?.settings;
    let apply = args.apply.as_deref().map(apply::read_file).transpose();
    let apply = apply.map_err(|error| Failure::Configuration(output::chain(&error)))?;
    let telemetry = Telemetry::install(&settings).map_err(|error| Failure::failed(&error))?;
    let ended = actix_rt::System::new().block_on(async {
        let listeners = Listeners::bind(&settings).map_err(|error| Failure::failed(&error))?;
        let options = ServerOptions { settings, apply, listeners };
        let server = Server::start(options).await.map_err(|error| Failure::failed(&error))?;
        until_told(server).await
    });
    telemetry.shutdown();
    ended
}

/// Serves until SIGTERM or Ctrl-C, then drains; a second signal ends the process.
pub(super) async fn until_told(server: Server) -> Result<(), Failure> {
    let mut signals = Signals::new().map_err(|error| Failure::failed(&error))?;
    notify::tell("READY=1");
    signals.next().await;
    notify::tell("STOPPING=1");
    tracing::info!("draining; a second signal stops at once");
    tokio::select! {
        () = server.stop() => Ok(()),
        () = signals.next() => Err(Failure::Failed("stopped before everything was finished".to_owned())),
    }
}

struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
