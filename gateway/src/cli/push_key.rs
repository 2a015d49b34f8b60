//! `gateway push-key`: a key for push messages.

use runtime::consumers::VapidKey;

use super::{Failure, output};

/// Draw a private key that signs push messages to browsers
#[derive(clap::Args)]
#[command(after_help = "Example:\n  GATEWAY_PUSH__PRIVATE_KEY=$(gateway push-key) gateway serve")]
pub(super) struct Args {}

pub(super) fn run(_: Args) -> Result<(), Failure> {
    let key = VapidKey::draw().ok_or_else(|| Failure::Failed("the system has no randomness".to_owned()))?;
    output::line(&key)
}
