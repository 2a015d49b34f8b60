//! `load-tests simulator`.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use load_tests::simulator::{self, Options};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:9999")]
    listen: SocketAddr,
    /// YAML file with accounts, contacts, behaviour and faults; see `--print-defaults`.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Where the webhooks of every account go; overrides the file.
    #[arg(long)]
    callback: Option<String>,
    /// Prints the defaults as YAML and ends.
    #[arg(long)]
    print_defaults: bool,
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    if args.print_defaults {
        println!("{}", serde_saphyr::to_string(&Options::default())?);
        return Ok(ExitCode::SUCCESS);
    }
    let mut options = match &args.config {
        Some(path) => serde_saphyr::from_str(&std::fs::read_to_string(path)?)?,
        None => Options::default(),
    };
    options.listen = args.listen;
    let provider = simulator::start(options)?;
    if let Some(url) = &args.callback {
        provider.set_callback(url);
    }
    println!("{}", provider.base_url);
    let interrupted = actix_rt::System::new().block_on(tokio::signal::ctrl_c());
    provider.stop();
    interrupted?;
    Ok(ExitCode::SUCCESS)
}
