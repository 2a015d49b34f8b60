//! How fast webhooks become durable where nothing else is done with them: at nodes that own no shards. What they took in
//! is applied afterwards, by nodes that do, and counted.

use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;

use crate::bench::{Cost, Error, PATIENCE, Plan, Used, recipe};
use crate::load::{Corpus, Numbers, Pace, Target, drive_plain, to_f64};
use crate::metrics::Scraper;
use crate::process::Cluster;
use crate::simulator::Options;

/// The setting that takes shards away from a node.
const OWNS_SHARDS: &str = "node.owns_shards";

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Intake {
    /// Closed loop: answered with 200, so durable.
    pub accepted: Numbers,
    /// Accepted over ceiling.
    pub accepted_ratio: f64,
    /// Microseconds of a processor for each webhook.
    pub cost_us: Cost,
}

/// Measures with the nodes of a cluster, which start anew for it, and once more to apply what was taken in.
///
/// # Errors
/// When a process does not start, or when less is applied than was accepted.
pub(crate) fn measure(
    plan: &Plan,
    options: &Options,
    cluster: &mut Cluster,
    ceiling: &Numbers,
) -> Result<Intake, Error> {
    let control = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let text = &"y".repeat(crate::bench::TEXT_CHARS);
    let corpus = Rc::new(Corpus::build(&recipe(options, plan.conversations, plan.zipf, text), plan.requests));
    control.block_on(cluster.restart_with(OWNS_SHARDS, "false"))?;
    let addresses = cluster.places.iter().map(|place| place.public).collect();
    let target = Target { addresses, connections: plan.connections };
    tracing::info!("gateway without shards, as fast as it answers");
    let limit = Duration::from_secs_f64(plan.seconds);
    let before = Used::by_now(cluster);
    let accepted = drive_plain(&target, &corpus, 0..corpus.len(), Pace::Closed, limit)?.numbers();
    let cost_us = Used::by_now(cluster).since(&before, to_f64(accepted.ok));
    tracing::info!(webhooks = accepted.ok, "gateway with shards applies what was taken in");
    control.block_on(cluster.restart_with(OWNS_SHARDS, "true"))?;
    let scraper = Scraper::new(cluster.places.iter().map(|place| place.operator));
    // Nodes count from their start.
    let expected = to_f64(accepted.ok);
    if control.block_on(scraper.reach(expected, PATIENCE))?.is_none() {
        let committed = control.block_on(scraper.committed_events())?;
        return Err(Error::Stuck { committed, expected, log: cluster.places[0].log() });
    }
    let accepted_ratio = accepted.per_second / ceiling.per_second;
    Ok(Intake { accepted, accepted_ratio, cost_us })
}
