//! `kill -9` under load: what was acknowledged must be there afterwards, once, in order, and nothing was sent twice.
//!
//! Contacts write signed webhooks one after the other, each repeated until it is answered with 200, as the provider
//! does. Some of what they write needs an answer of the bot. Meanwhile a service sends messages through the API,
//! repeating each request under its idempotency key until it is answered. The gateway is killed at random moments and
//! started again on the same data. In the end everything is read back through the API and compared with what was
//! acknowledged and with the provider's ledger.

mod readback;
mod traffic;
mod verdict;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::RngExt as _;

pub use self::verdict::Verdict;

use self::traffic::Traffic;
use crate::process::{self, Place, Process};
use crate::simulator::{self, Handle, Latency, Options, WindowRule};

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The gateway.
    pub gateway: PathBuf,
    /// How often it is killed.
    pub kills: u32,
    /// How long the load lasts.
    pub seconds: f64,
    /// Contacts that write, each one message at a time.
    pub conversations: u32,
    /// Callers of the API, each one message at a time.
    pub callers: u32,
    /// Keeps the folder of the gateway.
    pub keep: bool,
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A process.
    #[error(transparent)]
    Process(#[from] process::Error),
    /// The simulator.
    #[error(transparent)]
    Simulator(#[from] simulator::Error),
    /// Files and signals.
    #[error("the crash test could not run")]
    Io(#[from] std::io::Error),
    /// Reading back.
    #[error("the gateway does not tell what it has")]
    Api(#[from] reqwest::Error),
}

/// Runs load and kills, then compares.
///
/// # Errors
/// When a process does not start (again), or cannot be asked.
pub fn run(plan: &Plan) -> Result<Verdict, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let folder = tempfile::tempdir()?;
    let options = provider();
    let provider = simulator::start(options.clone())?;
    let place = Place::prepare(&plan.gateway, folder.path(), Some(&provider.base_url), &options)?;
    provider.set_callback(&place.webhook_url());
    let verdict = runtime.block_on(run_at(plan, &place, &provider, &options));
    if plan.keep || !verdict.as_ref().is_ok_and(Verdict::is_clean) {
        tracing::warn!(folder = %folder.keep().display(), "the folder of the gateway is kept");
    }
    verdict
}

/// A provider with awkward manners and without limits: load does not come through it, so it knows no windows.
fn provider() -> Options {
    let mut options = Options::default();
    options.accounts[0].numbers[0].throughput_per_second = 1_000;
    let behaviour = &mut options.behaviour;
    behaviour.window = WindowRule::Ignored;
    behaviour.number_limit = false;
    behaviour.pair_limit = false;
    behaviour.latency = Latency { min_ms: 1, median_ms: 5, tail_probability: 0.01, tail_ms: 200 };
    behaviour.delivery.attempts = 1_000;
    behaviour.delivery.retry_max_ms = 500;
    behaviour.delivery.double_probability = 0.05;
    options
}

async fn run_at(plan: &Plan, place: &Place, provider: &Handle, options: &Options) -> Result<Verdict, Error> {
    let mut process = place.start().await?;
    let stop = Arc::new(AtomicBool::new(false));
    let traffic = Traffic::start(plan, place, options, &stop);
    for kill in 1..=plan.kills {
        process = kill_once(plan, place, process).await?;
        tracing::info!(kill, of = plan.kills, "killed and started again");
    }
    tokio::time::sleep(slice(plan)).await;
    stop.store(true, Ordering::Relaxed);
    let acknowledged = traffic.finish().await;
    tracing::info!("reading back");
    let found = readback::read(place, provider, &acknowledged).await?;
    drop(process);
    Ok(verdict::compare(&acknowledged, &found, &provider.ledger()))
}

/// The load lasts as long before each kill, and after the last.
fn slice(plan: &Plan) -> Duration {
    Duration::from_secs_f64(plan.seconds / f64::from(plan.kills + 1))
}

async fn kill_once(plan: &Plan, place: &Place, mut process: Process) -> Result<Process, Error> {
    let moment = rand::rng().random_range(0.3..1.0);
    tokio::time::sleep(slice(plan).mul_f64(moment)).await;
    process.kill()?;
    Ok(place.start().await?)
}
