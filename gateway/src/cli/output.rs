//! How verbs print.

use std::io::Write as _;

use serde::Serialize;

use super::Failure;

/// Prints data on stdout: JSON for programs, YAML for people. A closed pipe ends quietly.
pub(super) fn print(data: &impl Serialize, json: bool) -> Result<(), Failure> {
    let text = if json {
        serde_json::to_string_pretty(data).map_err(|error| Failure::failed(&error))?
    } else {
        serde_saphyr::to_string(data).map_err(|error| Failure::failed(&error))?
    };
    line(text.trim_end())
}

/// Prints one line on stdout.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::failed(&error)),
        _ => Ok(()),
    }
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
