//! `load-tests crash`.

use std::error::Error;
use std::process::ExitCode;

use load_tests::crash::{self, Fault, Plan};
use load_tests::process::Store;

use super::shape::ShapeArgs;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    shape: ShapeArgs,
    /// Faults in this order, with commas between them; those of nodes come to one node after the other. For the
    /// embedded store kill-node four times, else each once.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "FAULT,…")]
    faults: Vec<FaultArg>,
    /// How often the faults come.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// How long the load lasts, without the time that faults need.
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
    /// Contacts that write, each one message at a time.
    #[arg(long, default_value_t = 100)]
    conversations: u32,
    /// Callers of the API, each one message at a time.
    #[arg(long, default_value_t = 4)]
    callers: u32,
    /// Keeps the data of the gateway even when nothing is wrong.
    #[arg(long)]
    keep: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum FaultArg {
    /// `kill -9` of a node.
    KillNode,
    /// `kill -9` of Redis.
    KillRedis,
    /// SIGTERM of a node.
    StopNode,
    /// SIGSTOP of a node for longer than its lease, then SIGCONT.
    PauseNode,
    /// `kill -9` of PostgreSQL.
    KillPostgres,
}

impl From<FaultArg> for Fault {
    fn from(fault: FaultArg) -> Self {
        match fault {
            FaultArg::KillNode => Self::KillNode,
            FaultArg::KillRedis => Self::KillRedis,
            FaultArg::StopNode => Self::StopNode,
            FaultArg::PauseNode => Self::PauseNode,
            FaultArg::KillPostgres => Self::KillPostgres,
        }
    }
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let Args { shape, faults, rounds, seconds, conversations, callers, keep } = args;
    let shape = shape.shape()?;
    let once: Vec<Fault> = match (faults.is_empty(), shape.store) {
        (false, _) => faults.into_iter().map(Fault::from).collect(),
        (true, Store::Embedded) => vec![Fault::KillNode; 4],
        (true, Store::Redis) => {
            vec![Fault::KillNode, Fault::KillRedis, Fault::StopNode, Fault::PauseNode, Fault::KillPostgres]
        }
    };
    let faults = once.repeat(rounds);
    let verdict = crash::run(&Plan { shape, faults, seconds, conversations, callers, keep })?;
    println!("{}", serde_json::to_string_pretty(&verdict)?);
    Ok(if verdict.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
