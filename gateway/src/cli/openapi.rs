//! `gateway openapi`: the contract of the HTTP API.

use super::{Failure, output};

/// Print the OpenAPI 3.1 document of the HTTP API
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gateway openapi > openapi.json")]
pub(super) struct Args {}

pub(super) fn run(_: Args) -> Result<(), Failure> {
    let text = crate::api::document().to_pretty_json().map_err(|error| Failure::failed(&error))?;
    output::line(&text)
}
