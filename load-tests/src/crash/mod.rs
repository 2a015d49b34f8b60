//! Faults under load: what was acknowledged must be there afterwards, once, in order, and nothing was sent twice.
//!
//! Contacts write signed webhooks one after the other, each repeated until it is answered with 200, as the provider
//! does. Some of what they write needs an answer of the bot. Meanwhile a service sends messages through the API,
//! repeating each request under its idempotency key until it is answered. Requests go to all nodes in turn. At random
//! moments a node or a server is killed, stopped or paused, and started again on the same data. In the end everything is
//! read back through the API and compared with what was acknowledged and with the provider's ledger.

mod fault;
mod tally;
mod traffic;
mod verdict;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::RngExt as _;

pub use self::fault::{Fault, Incident};
pub use self::tally::{Met, Requests};
pub use self::verdict::Verdict;

use self::tally::Tally;
use self::traffic::Traffic;
use self::watch::Watch;
use crate::process::{self, API_KEY, Cluster, Shape};
use crate::simulator::{self, Handle, Latency, Options, WindowRule};
use crate::verify;

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// To whom.
    pub shape: Shape,
    /// Faults in order. Those of nodes come to one node after the other.
    pub faults: Vec<Fault>,
    /// How long the load lasts, without the time that faults need.
    pub seconds: f64,
    /// Contacts that write, each one message at a time.
    pub conversations: u32,
    /// Callers of the API, each one message at a time.
    pub callers: u32,
    /// Keeps the folder of the nodes and servers.
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
    /// Shards without an owner.
    #[error("the nodes did not share all shards among them in time")]
    NotWhole,
}

/// Runs load and faults, then compares.
///
/// # Errors
/// When a process does not start (again), cannot be asked, or the nodes do not get their shards.
pub fn run(plan: &Plan) -> Result<Verdict, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let options = provider();
    let provider = simulator::start(options.clone())?;
    let prepared = Cluster::prepare(&plan.shape, Some(&provider.base_url), &options);
    let mut cluster = runtime.block_on(prepared)?;
    let callbacks: Vec<String> = cluster.places.iter().map(process::Place::webhook_url).collect();
    provider.set_callbacks(&callbacks);
    let verdict = runtime.block_on(run_on(plan, &mut cluster, &provider, &options));
    if plan.keep || !verdict.as_ref().is_ok_and(Verdict::is_clean) {
        tracing::warn!(folder = %cluster.folder().display(), "the folder of nodes and servers is kept");
        cluster.keep();
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

async fn run_on(
    plan: &Plan,
    cluster: &mut Cluster,
    provider: &Handle,
    options: &Options,
) -> Result<Verdict, Error> {
    cluster.start_all().await?;
    let watch = Watch::new(&cluster.places);
    watch.whole(Instant::now()).await?;
    let (tally, stop) = (Tally::default(), Arc::new(AtomicBool::new(false)));
    let traffic = Traffic::start(plan, &cluster.places, options, &tally, &stop);
    let incidents = disturb(plan, cluster, &watch, &tally).await?;
    stop.store(true, Ordering::Relaxed);
    let acknowledged = traffic.finish().await;
    tracing::info!("reading back");
    let promises = acknowledged.promises();
    let keys = [API_KEY.to_owned()];
    let found = verify::read(&cluster.places[0], &keys, provider, promises.inbound.len()).await?;
    let damage = verify::compare(&promises, &found, &provider.ledger());
    let (sends_refused, abandoned) = (acknowledged.refused, acknowledged.abandoned);
    let verdict = Verdict { damage, sends_refused, abandoned, ..Verdict::default() };
    Ok(verdict.with(incidents, cluster.places.len()))
}

/// All faults with load before, between and after them.
async fn disturb(
    plan: &Plan,
    cluster: &mut Cluster,
    watch: &Watch,
    tally: &Tally,
) -> Result<Vec<Incident>, Error> {
    let mut incidents: Vec<Incident> = Vec::new();
    let mut victim = 0;
    for fault in &plan.faults {
        tokio::time::sleep(slice(plan).mul_f64(rand::rng().random_range(0.3..1.0))).await;
        let requests = tally.take();
        if let Some(last) = incidents.last_mut() {
            last.requests = requests;
        }
        let incident = fault::inject(*fault, victim, cluster, watch).await?;
        victim = (victim + usize::from(incident.node.is_some())) % cluster.places.len();
        let (taken_over, whole) = (incident.taken_over_seconds, incident.whole_again_seconds);
        tracing::info!(?fault, node = incident.node, taken_over, whole, "the cluster is whole again");
        incidents.push(incident);
    }
    tokio::time::sleep(slice(plan)).await;
    if let Some(last) = incidents.last_mut() {
        last.requests = tally.take();
    }
    Ok(incidents)
}

/// The load lasts as long before each fault, and after the last.
fn slice(plan: &Plan) -> Duration {
    Duration::from_secs_f64(plan.seconds / (plan.faults.len() + 1) as f64)
}
