//! What processes use while a load is on, second by second.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::metrics::Scraper;
use crate::process::{Cluster, Usage, cpu_seconds, resident_bytes};

/// Between two looks.
const EVERY: Duration = Duration::from_millis(500);

/// One look.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Look {
    /// Since the beginning of the load.
    pub seconds: f64,
    /// All nodes.
    pub gateway: Usage,
    /// Redis.
    pub redis: Usage,
    /// PostgreSQL.
    pub postgres: Usage,
    /// This process: generator and provider.
    pub generator: Usage,
    /// Inputs that were applied and committed so far.
    pub committed: f64,
    /// How far the records are behind, in seconds.
    pub records_behind_seconds: f64,
}

/// Looks until told to stop; the first look is taken before anything, the last at the end.
pub(super) fn watch(cluster: &Cluster, stop: &AtomicBool) -> std::io::Result<Vec<Look>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let scraper = Scraper::new(cluster.places.iter().map(|place| place.operator));
        let began = Instant::now();
        let mut looks = vec![look(cluster, &scraper, began).await];
        while !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(EVERY).await;
            looks.push(look(cluster, &scraper, began).await);
        }
        Ok(looks)
    })
}

/// A gateway that is too busy to tell its progress leaves a gap in the line of commits, not in the others.
async fn look(cluster: &Cluster, scraper: &Scraper, began: Instant) -> Look {
    let [gateway, redis, postgres] = cluster.usage();
    let generator = Usage {
        cpu_seconds: cpu_seconds(std::process::id()),
        memory_bytes: resident_bytes(std::process::id()).unwrap_or_default().0,
    };
    let seconds = began.elapsed().as_secs_f64();
    let committed = scraper.committed_events().await.unwrap_or(f64::NAN);
    let records_behind_seconds = scraper.records_behind().await.unwrap_or(f64::NAN);
    Look { seconds, gateway, redis, postgres, generator, committed, records_behind_seconds }
}
