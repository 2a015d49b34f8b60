//! `gateway explain`: why was this refused, charged or not sent yet?

use super::client::{ClientArgs, block_on};
use super::{Failure, output};

/// Explain a conversation or a message: its state, reasons and log
#[derive(clap::Args)]
#[command(after_help = "Example:\n  GATEWAY_KEY=… gateway explain cnv_7x1905qprjp2xqcbde17xgsbgs")]
pub(super) struct Args {
    /// `cnv_…` or `msg_…`
    id: String,
    #[command(flatten)]
    client: ClientArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let client = args.client.connect()?;
    let explained = block_on(async move { client.get(&format!("explain/{}", args.id), &[]).await })?;
    output::print(&explained, args.json)
}
