//! `load-tests report`.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use load_tests::bench::gateway_beside;
use load_tests::report::{readme, suite};

/// For example: `load-tests report --out target/report --readme README.md`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The gateway; the one beside this program when absent.
    #[arg(long)]
    gateway: Option<PathBuf>,
    /// Profiles.
    #[arg(long, default_value = "load-tests/profiles")]
    profiles: PathBuf,
    /// Where pages, plots and JSON go.
    #[arg(long, default_value = "target/report")]
    out: PathBuf,
    /// Writes its tables into this file, where it says so.
    #[arg(long)]
    readme: Option<PathBuf>,
    /// Profiles that last longer are shortened.
    #[arg(long, default_value_t = 40.0)]
    seconds: f64,
    /// Seconds of each phase of the closed loops.
    #[arg(long, default_value_t = 8.0)]
    bench_seconds: f64,
    /// Leaves out what needs Redis and PostgreSQL.
    #[arg(long)]
    embedded_only: bool,
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let Args { gateway, profiles, out, readme, seconds, bench_seconds, embedded_only } = args;
    let gateway = gateway.or_else(gateway_beside).ok_or("give the gateway with --gateway")?;
    let plan = suite::Plan { gateway, profiles, out, seconds, bench_seconds, embedded_only };
    let measured = suite::run(&plan)?;
    println!("{}", readme::tables(&measured));
    if let Some(path) = readme {
        readme::put(&path, &measured)?;
    }
    let sound = measured.sheets.iter().chain([&measured.knee]).all(|sheet| sheet.report.is_sound());
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
