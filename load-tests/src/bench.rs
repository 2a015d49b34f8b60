//! Ceiling and gateway in one run, by the same generator: how much of a bare server's speed is left when every webhook
//! is made durable, applied and committed.

use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::ceiling::{self, Depth};
use crate::client::inbound::Receiver;
use crate::intake::{self, Intake};
use crate::load::{Corpus, Numbers, Pace, Recipe, Target, drive_plain, to_f64};
use crate::metrics::Scraper;
use crate::process::{self, Cluster, Durability, Place, Process, Shape, Store, cpu_seconds};
use crate::simulator::Options;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is measured.
    pub shape: Shape,
    /// Seconds of each phase.
    pub seconds: f64,
    /// Connections of the generator.
    pub connections: usize,
    /// Contacts that write.
    pub conversations: u32,
    /// Conversations that are there before, theirs among them.
    pub known: u32,
    /// A few of them write most.
    pub zipf: bool,
    /// PostgreSQL stands still during the phases, as if it had processors of its own.
    pub hold_records: bool,
    /// Prebuilt webhooks for the gateway; each is sent once.
    pub requests: usize,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// How many gateways.
    pub nodes: usize,
    /// Where conversations were kept.
    pub store: Store,
    /// What an answer survives.
    pub durability: Durability,
    /// PostgreSQL stood still during the phases.
    pub records_held: bool,
    /// Seconds from the end of the first phase until the records had caught up; absent when they did not.
    pub catch_up_seconds: Option<f64>,
    /// The bare server, closed loop.
    pub ceiling: Numbers,
    /// The gateway, closed loop: answered with 200, so durable.
    pub accepted: Numbers,
    /// Applied and committed per second, from the first request to the last commit.
    pub committed_per_second: f64,
    /// Accepted over ceiling.
    pub accepted_ratio: f64,
    /// Committed over ceiling.
    pub committed_ratio: f64,
    /// The rate of the latency phase: 70 % of what is committed.
    pub open_loop_rate: f64,
    /// The gateway, open loop at that rate.
    pub at_70_percent: Numbers,
    /// Microseconds of a processor for each webhook of the closed loop, until all were committed.
    pub cost_us: Cost,
    /// Resident memory of all gateways at the end, and at its highest.
    pub memory_bytes: (u64, u64),
    /// Accepted where nothing is applied; the embedded store has no such nodes.
    pub intake: Option<Intake>,
    /// Bytes of one request.
    pub request_bytes: usize,
}

/// Microseconds of a processor for each webhook.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Cost {
    /// All gateways.
    pub gateway: f64,
    /// Redis.
    pub redis: f64,
    /// PostgreSQL, which works on the records for a while longer.
    pub postgres: f64,
    /// The generator.
    pub generator: f64,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A process.
    #[error(transparent)]
    Process(#[from] process::Error),
    /// Sockets and files.
    #[error("the load could not be applied")]
    Io(#[from] std::io::Error),
    /// The operator port.
    #[error("the gateway does not tell its progress")]
    Metrics(#[from] reqwest::Error),
    /// It stands still.
    #[error("the gateway committed only {committed} of {expected} events and makes no progress; see {log}")]
    Stuck {
        /// What it committed.
        committed: f64,
        /// What it accepted.
        expected: f64,
        /// Its log.
        log: PathBuf,
    },
}

/// Share of the sustained rate at which latency is measured.
const LATENCY_SHARE: f64 = 0.7;
/// A gateway that commits nothing for this long while it should is stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// The records may take this long to catch up.
const SETTLING: Duration = Duration::from_secs(60);
/// Opening the conversations may take this long, and the records as long again.
const OPENING: Duration = Duration::from_secs(600);
/// Makes the body about as long as the provider's webhooks are: 900 bytes.
pub(crate) const TEXT_CHARS: usize = 390;

/// Measures.
///
/// # Errors
/// When a process does not start, or stops making progress.
pub fn run(plan: &Plan) -> Result<Report, Error> {
    let options = Options::default();
    tracing::info!(requests = plan.requests, "building webhooks");
    let corpus = Rc::new(Corpus::build(
        &recipe(&options, plan.conversations, plan.zipf, &"x".repeat(TEXT_CHARS)),
        plan.requests,
    ));
    tracing::info!("ceiling");
    let secret = &options.accounts[0].app_secret.0;
    let limit = Duration::from_secs_f64(plan.seconds);
    let ceiling = ceiling::measure(Depth::Signature, &corpus, secret, plan.connections, limit)?;
    let request_bytes = corpus.request_bytes();
    let control = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut cluster = control.block_on(Cluster::prepare(&plan.shape, None, &options))?;
    let started = control.block_on(cluster.start_all()).map_err(Error::from);
    let measured = started.and_then(|()| both(plan, &options, &mut cluster, (&ceiling, corpus)));
    if measured.is_err() {
        tracing::error!(folder = %cluster.folder().display(), "the folder of nodes and servers is kept");
        cluster.keep();
    }
    let (gateway, intake) = measured?;
    let ratio = |rate: f64| rate / ceiling.per_second;
    Ok(Report {
        nodes: plan.shape.nodes,
        store: plan.shape.store,
        durability: plan.shape.durability,
        records_held: plan.hold_records,
        catch_up_seconds: gateway.catch_up_seconds,
        accepted_ratio: ratio(gateway.accepted.per_second),
        committed_ratio: ratio(gateway.committed_per_second),
        ceiling,
        accepted: gateway.accepted,
        committed_per_second: gateway.committed_per_second,
        open_loop_rate: gateway.open_loop_rate,
        at_70_percent: gateway.at_70_percent,
        cost_us: gateway.cost_us,
        memory_bytes: gateway.memory_bytes,
        intake,
        request_bytes,
    })
}

/// The gateway as it is, then, where there may be such nodes, without applying.
fn both(
    plan: &Plan,
    options: &Options,
    cluster: &mut Cluster,
    (ceiling, corpus): (&Numbers, Rc<Corpus>),
) -> Result<(Gateway, Option<Intake>), Error> {
    let gateway = gateway(plan, options, cluster, &corpus)?;
    drop(corpus);
    let measured = match plan.shape.store {
        Store::Embedded => None,
        Store::Redis => Some(intake::measure(plan, options, cluster, ceiling)?),
    };
    Ok((gateway, measured))
}

pub(crate) fn recipe(options: &Options, conversations: u32, zipf: bool, text: &str) -> Recipe {
    let account = &options.accounts[0];
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Recipe {
        receiver: Receiver {
            waba_id: account.waba_id.clone(),
            phone_number_id: account.numbers[0].phone_number_id.clone(),
            display_phone_number: account.numbers[0].display_phone_number.clone(),
        },
        app_secret: account.app_secret.0.clone(),
        path: "/webhooks/whatsapp".into(),
        conversations,
        zipf,
        text: text.into(),
        run: now.subsec_nanos(),
        unix_seconds: i64::try_from(now.as_secs()).unwrap_or(0),
    }
}

struct Gateway {
    accepted: Numbers,
    committed_per_second: f64,
    open_loop_rate: f64,
    at_70_percent: Numbers,
    cost_us: Cost,
    memory_bytes: (u64, u64),
    catch_up_seconds: Option<f64>,
}

fn gateway(plan: &Plan, options: &Options, cluster: &Cluster, corpus: &Rc<Corpus>) -> Result<Gateway, Error> {
    let control = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let progress = Progress::new(control, &cluster.places);
    let addresses = cluster.places.iter().map(|place| place.public).collect();
    let target = Target { addresses, connections: plan.connections };
    tracing::info!(conversations = plan.known, "opening conversations in direct mode");
    let chat = recipe(options, plan.known, false, "/chat");
    let chat = Rc::new(Corpus::build(&chat, plan.known as usize));
    let all = 0..chat.len();
    progress.of(|| drive_plain(&target, &chat, all, Pace::Closed, OPENING))?;
    // A node that is behind works on that first, and what is measured would be this.
    if !progress.settled(OPENING)? {
        tracing::warn!("the records have not caught up with the opening");
    }

    let limit = Duration::from_secs_f64(plan.seconds);
    let measured = |webhooks: Range<usize>, pace: Pace| {
        cluster.hold_postgres(plan.hold_records)?;
        let numbers = progress.of(|| drive_plain(&target, corpus, webhooks, pace, limit));
        // Whatever came of it: processes that stand still would outlive us.
        cluster.hold_postgres(false)?;
        numbers
    };
    tracing::info!("gateway, as fast as it answers");
    let before = Used::by_now(cluster);
    let (accepted, committed_per_second) = measured(0..corpus.len(), Pace::Closed)?;
    let cost_us = Used::by_now(cluster).since(&before, to_f64(accepted.ok));
    let sent = usize::try_from(accepted.ok + accepted.not_ok).unwrap_or(usize::MAX);

    // Latency is that of a steady state: the records may be behind after the rush, and would work on it meanwhile.
    let behind = Instant::now();
    let catch_up_seconds = progress.settled(SETTLING)?.then(|| behind.elapsed().as_secs_f64());
    if catch_up_seconds.is_none() {
        tracing::warn!("the records have not caught up");
    }
    let per_second = LATENCY_SHARE * committed_per_second.min(accepted.per_second);
    tracing::info!(per_second, "gateway, at a fixed rate");
    // Webhooks left over from the first phase; when they run out the phase is shorter.
    let rest = sent.min(corpus.len())..corpus.len();
    let (at_70_percent, _) = measured(rest, Pace::Open { per_second })?;
    let memory = cluster.running().filter_map(Process::memory_bytes);
    let memory_bytes = memory.fold((0, 0), |sum, node| (sum.0 + node.0, sum.1 + node.1));
    Ok(Gateway {
        accepted,
        committed_per_second,
        open_loop_rate: per_second,
        at_70_percent,
        cost_us,
        memory_bytes,
        catch_up_seconds,
    })
}

/// Seconds of a processor: gateways, Redis, PostgreSQL, and this process.
pub(crate) struct Used([f64; 4]);

impl Used {
    pub(crate) fn by_now(cluster: &Cluster) -> Self {
        let [gateway, redis, postgres] = cluster.usage().map(|usage| usage.cpu_seconds);
        Self([gateway, redis, postgres, cpu_seconds(std::process::id())])
    }

    pub(crate) fn since(&self, before: &Self, webhooks: f64) -> Cost {
        let part = |index: usize| (self.0[index] - before.0[index]) * 1e6 / webhooks.max(1.0);
        Cost { gateway: part(0), redis: part(1), postgres: part(2), generator: part(3) }
    }
}

/// Follows what the gateway commits.
pub(crate) struct Progress<'a> {
    scraper: Scraper,
    control: tokio::runtime::Runtime,
    places: &'a [Place],
}

impl<'a> Progress<'a> {
    pub(crate) fn new(control: tokio::runtime::Runtime, places: &'a [Place]) -> Self {
        Self { scraper: Scraper::new(places.iter().map(|place| place.operator)), control, places }
    }

    /// Waits until the records have caught up; answers whether they have.
    pub(crate) fn settled(&self, within: Duration) -> Result<bool, Error> {
        Ok(self.control.block_on(self.scraper.settled(within))?)
    }

    /// Applies a load and waits until all that was accepted is committed: its numbers, and the rate of commits.
    pub(crate) fn of(
        &self,
        load: impl FnOnce() -> std::io::Result<crate::load::Summary>,
    ) -> Result<(Numbers, f64), Error> {
        let before = self.control.block_on(self.scraper.committed_events())?;
        let numbers = load()?.numbers();
        // The load began when all connections were open, which may have taken seconds.
        let load_ended = Instant::now();
        let expected = to_f64(numbers.ok);
        let Some(reached) = self.control.block_on(self.scraper.reach(before + expected, PATIENCE))? else {
            let committed = self.control.block_on(self.scraper.committed_events())? - before;
            let log = self.places[0].log();
            return Err(Error::Stuck { committed, expected, log });
        };
        let seconds = numbers.seconds + reached.saturating_duration_since(load_ended).as_secs_f64();
        Ok((numbers, expected / seconds))
    }
}

/// The gateway beside the running program: cargo puts both into one folder.
#[must_use]
pub fn gateway_beside() -> Option<PathBuf> {
    Some(std::env::current_exe().ok()?.parent()?.join("gateway"))
}

/// A table for people.
#[must_use]
pub fn table(report: &Report) -> String {
    let row = |name: &str, numbers: &Numbers| {
        format!(
            "{name:<28} {:>10.0}/s   p50 {:>8.2} ms   p99 {:>8.2} ms   not 200: {}\n",
            numbers.per_second, numbers.p50_ms, numbers.p99_ms, numbers.not_ok
        )
    };
    let memory = report.memory_bytes.0 >> 20;
    let Cost { gateway, redis, postgres, generator } = report.cost_us;
    let intake = report.intake.as_ref().map(|intake| row("gateway without shards", &intake.accepted));
    format!(
        "{}{}{}{}committed: {:.0}/s   accepted/ceiling: {:.2}   committed/ceiling: {:.2}   memory: {memory} MiB\n\
         µs of a processor per webhook: gateway {gateway:.1}, Redis {redis:.1}, PostgreSQL {postgres:.1}, \
         generator {generator:.1}\n",
        row("ceiling (signature only)", &report.ceiling),
        row("gateway, saturated", &report.accepted),
        row("gateway, at 70 %", &report.at_70_percent),
        intake.unwrap_or_default(),
        report.committed_per_second,
        report.accepted_ratio,
        report.committed_ratio,
    )
}
