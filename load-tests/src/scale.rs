//! Many conversations known, few of them live: how soon a gateway is back after `kill -9`, and what it holds in memory.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::bench::{self, Error, Progress};
use crate::load::{Corpus, Pace, Target, drive_plain};
use crate::process::{Place, Process};
use crate::simulator::Options;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The gateway.
    pub gateway: PathBuf,
    /// Conversations in the store.
    pub known: u32,
    /// Those of them that write again after the restart.
    pub live: u32,
    /// Connections of the generator.
    pub connections: usize,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Conversations in the store.
    pub known: u32,
    /// Conversations that were opened per second.
    pub opened_per_second: f64,
    /// From the start of the process after `kill -9` to the first `/readyz` that says so.
    pub cold_start_seconds: f64,
    /// Resident memory then.
    pub memory_at_start_bytes: u64,
    /// Conversations that wrote since.
    pub live: u32,
    /// Resident memory with them.
    pub memory_live_bytes: u64,
    /// The highest since the start.
    pub memory_highest_bytes: u64,
}

/// Filling the store may take this long.
const FILLING: Duration = Duration::from_secs(1_800);

/// Measures.
///
/// # Errors
/// When a process does not start, or stops making progress.
pub fn run(plan: &Plan) -> Result<Report, Error> {
    let options = Options::default();
    let folder = tempfile::tempdir()?;
    let place = Place::prepare(&plan.gateway, folder.path(), None, &options)?;
    let target = Target { addresses: vec![place.public], connections: plan.connections };
    let everybody = |people: u32| {
        let recipe = bench::recipe(&options, people, false, "Good morning");
        Rc::new(Corpus::build(&recipe, people as usize))
    };

    tracing::info!(known = plan.known, "opening conversations");
    let (mut process, progress) = start(&place)?;
    let corpus = everybody(plan.known);
    let range = 0..corpus.len();
    let (_, opened_per_second) =
        progress.of(|| drive_plain(&target, &corpus, range, Pace::Closed, FILLING))?;
    if !progress.settled(FILLING)? {
        tracing::warn!("the records have not caught up");
    }
    process.kill()?;

    tracing::info!("cold start after kill -9");
    let began = Instant::now();
    let (process, progress) = start(&place)?;
    let cold_start_seconds = began.elapsed().as_secs_f64();
    let (memory_at_start_bytes, _) = process.memory_bytes().unwrap_or_default();

    tracing::info!(live = plan.live, "conversations come to life");
    let corpus = everybody(plan.live);
    let range = 0..corpus.len();
    progress.of(|| drive_plain(&target, &corpus, range, Pace::Closed, FILLING))?;
    let (memory_live_bytes, memory_highest_bytes) = process.memory_bytes().unwrap_or_default();
    Ok(Report {
        known: plan.known,
        opened_per_second,
        cold_start_seconds,
        memory_at_start_bytes,
        live: plan.live,
        memory_live_bytes,
        memory_highest_bytes,
    })
}

fn start(place: &Place) -> Result<(Process, Progress<'_>), Error> {
    let control = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let process = control.block_on(place.start())?;
    Ok((process, Progress::new(control, std::slice::from_ref(place))))
}

/// A table for people.
#[must_use]
pub fn table(report: &Report) -> String {
    let mib = |bytes: u64| bytes >> 20;
    format!(
        "known {}, opened {:.0}/s   cold start {:.2} s, {} MiB   {} live: {} MiB (highest {} MiB)\n",
        report.known,
        report.opened_per_second,
        report.cold_start_seconds,
        mib(report.memory_at_start_bytes),
        report.live,
        mib(report.memory_live_bytes),
        mib(report.memory_highest_bytes),
    )
}
