//! `load-tests run`.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use load_tests::lab::{self, Plan, Profile};
use load_tests::report::{self, Origin, Sheet};

use super::shape::ShapeArgs;

/// For example: `load-tests run --profile load-tests/profiles/steady.toml --store redis --find-knee`
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    shape: ShapeArgs,
    /// What the load is like; see load-tests/profiles.
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// Requests per second, instead of the profile's.
    #[arg(long)]
    rate: Option<f64>,
    /// How long all phases last together, instead of the profile's.
    #[arg(long)]
    seconds: Option<f64>,
    /// Connections, instead of the profile's.
    #[arg(long)]
    connections: Option<usize>,
    /// Looks for the highest rate that keeps the profile's objectives; each step lasts as long as its first phase.
    #[arg(long)]
    find_knee: bool,
    /// Seconds for each of the two bare servers that results are compared with; 0 leaves them out.
    #[arg(long, default_value_t = 3.0)]
    ceiling_seconds: f64,
    /// Writes JSON, a page and its plots into this folder.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let mut profile = Profile::read(&args.profile)?;
    profile.rate = args.rate.unwrap_or(profile.rate);
    profile.connections = args.connections.unwrap_or(profile.connections);
    if let Some(seconds) = args.seconds {
        profile.last(seconds);
    }
    let Args { shape, find_knee, ceiling_seconds, out, profile: path, .. } = args;
    let plan = Plan { profile, shape: shape.shape()?, find_knee, ceiling_seconds };
    let origin = Origin::here();
    let report = lab::run(&plan)?;
    if !report.run.lateness.is_small() {
        let p99_ms = report.run.lateness.own_ms.p99;
        tracing::warn!(p99_ms, "the generator was late itself: latencies say little about the gateway");
    }
    let good = report.is_sound() && report.keeps_objectives();
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let sheet = Sheet { name, origin, report };
    if let Some(folder) = out {
        tracing::info!(page = %report::write(&folder, &sheet)?.display(), "written");
    }
    println!("{}", serde_json::to_string_pretty(&sheet)?);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
