//! `load-tests ceiling`.

use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use load_tests::ceiling::{self, Depth};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:9998")]
    listen: SocketAddr,
    /// Secret of the signatures.
    #[arg(long, default_value = "simulator-app-secret")]
    secret: String,
    /// Reads the whole webhook too, as the gateway does.
    #[arg(long)]
    parse: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let listener = TcpListener::bind(args.listen)?;
    println!("http://{}", listener.local_addr()?);
    let depth = if args.parse { Depth::Parsed } else { Depth::Signature };
    ceiling::serve(listener, &args.secret, depth)?;
    Ok(ExitCode::SUCCESS)
}
