//! The command line: one file per verb. Data goes to stdout, progress and log to stderr.

mod apply;
mod check_config;
mod client;
mod config;
mod dead_letters;
#[cfg(feature = "demo")]
mod demo;
mod doctor;
mod explain;
mod healthcheck;
mod notify;
mod openapi;
mod output;
mod push_key;
mod rebuild;
mod replay;
mod serve;
mod settings;
mod tail;
mod top;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub(crate) use self::output::chain;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed
  2  wrong usage of the command line
  3  the configuration or the apply file has mistakes (all are listed)
  4  the server cannot be reached, or refused the request
  5  not healthy (healthcheck, doctor)

Configuration: built-in defaults < --config FILE < GATEWAY_… variables < flags.";

#[derive(Parser)]
#[command(
    name = "gateway",
    version,
    about = "Recruiting conversations over WhatsApp: durable, in order, explained"
)]
#[command(after_help = EXIT_CODES, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    #[cfg(feature = "demo")]
    Demo(demo::Args),
    Serve(serve::Args),
    Apply(apply::Args),
    CheckConfig(check_config::Args),
    Config(config::Args),
    Doctor(doctor::Args),
    Explain(explain::Args),
    DeadLetters(dead_letters::Args),
    Tail(tail::Args),
    Healthcheck(healthcheck::Args),
    Openapi(openapi::Args),
    PushKey(push_key::Args),
    Rebuild(rebuild::Args),
    Replay(replay::Args),
    Top(top::Args),
}

/// Why a verb ended badly. Each kind has its exit code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Anything else.
    #[error("{0}")]
    Failed(String),
    /// Mistakes in files or variables.
    #[error("{0}")]
    Configuration(String),
    /// No server, or a refusal.
    #[error("{0}")]
    Server(String),
    /// Checks failed; they were printed.
    #[error("{0}")]
    Unhealthy(String),
}

impl Failure {
    /// An error with everything that caused it.
    pub(crate) fn failed(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::Failed(chain(error))
    }

    const fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Configuration(_) => 3,
            Self::Server(_) => 4,
            Self::Unhealthy(_) => 5,
        }
    }
}

/// Runs the verb that the command line names.
#[must_use]
pub fn run() -> ExitCode {
    let ended = match Cli::parse().verb {
        #[cfg(feature = "demo")]
        Verb::Demo(args) => demo::run(args),
        Verb::Serve(args) => serve::run(args),
        Verb::Apply(args) => apply::run(args),
        Verb::CheckConfig(args) => check_config::run(args),
        Verb::Config(args) => config::run(args),
        Verb::Doctor(args) => doctor::run(args),
        Verb::Explain(args) => explain::run(args),
        Verb::DeadLetters(args) => dead_letters::run(args),
        Verb::Tail(args) => tail::run(args),
        Verb::Healthcheck(args) => healthcheck::run(args),
        Verb::Openapi(args) => openapi::run(args),
        Verb::PushKey(args) => push_key::run(args),
        Verb::Rebuild(args) => rebuild::run(args),
        Verb::Replay(args) => replay::run(args),
        Verb::Top(args) => top::run(args),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_shows_an_example() {
        for verb in Cli::command().get_subcommands() {
            let help = verb.clone().render_long_help().to_string();
            assert!(help.contains("Example"), "{} shows no example:\n{help}", verb.get_name());
        }
    }
}
