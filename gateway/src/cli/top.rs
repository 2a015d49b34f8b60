//! `gateway top`: what a node is doing, from its operator listener.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::client::block_on;
use super::settings::SettingsArgs;
use super::{Failure, output};

/// A node that takes longer to answer is in trouble.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Shards that are listed: as many as a terminal shows.
const BUSIEST: usize = 10;

/// Show what a node does: shards, rates, queues, lag
#[derive(clap::Args)]
#[command(after_help = "Example:\n  gateway top\n  gateway top --once --json | jq .busiest")]
pub(super) struct Args {
    /// Address of the operator listener; the configured one when absent
    #[arg(long)]
    url: Option<String>,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Seconds between two looks; rates are over this time
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=60))]
    every: u64,
    /// Look twice, print once and stop
    #[arg(long)]
    once: bool,
    /// Print JSON, one document for each look
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let base = match args.url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("http://{}", args.settings.load()?.settings.operator.listen),
    };
    let every = Duration::from_secs(args.every);
    block_on(async move {
        let http =
            reqwest::Client::builder().timeout(TIMEOUT).build().map_err(|error| Failure::failed(&error))?;
        let mut before = Look::take(&http, &base).await?;
        loop {
            tokio::time::sleep(every).await;
            let now = Look::take(&http, &base).await?;
            let top = Top::between(&before, &now);
            if args.json {
                output::print(&top, true)?;
            } else {
                output::line(&top.for_people())?;
            }
            if args.once {
                return Ok(());
            }
            before = now;
        }
    })
}

/// One look at a node.
struct Look {
    at: Instant,
    shards: Vec<Value>,
    /// Sums over all labels, by metric.
    metrics: BTreeMap<String, f64>,
}

impl Look {
    async fn take(http: &reqwest::Client, base: &str) -> Result<Self, Failure> {
        let get = async |path: &str| {
            let answer = http.get(format!("{base}{path}")).send().await;
            let answer = answer.and_then(reqwest::Response::error_for_status).map_err(|error| {
                Failure::Server(format!("{base} cannot be asked: {}", output::chain(&error)))
            })?;
            answer.text().await.map_err(|error| Failure::Server(output::chain(&error)))
        };
        let shards = serde_json::from_str(&get("/debug/shards").await?)
            .map_err(|error| Failure::Server(format!("/debug/shards is not understood: {error}")))?;
        let metrics = sums(&get("/metrics").await?);
        Ok(Self { at: Instant::now(), shards, metrics })
    }

    fn metric(&self, name: &str) -> f64 {
        self.metrics.get(name).copied().unwrap_or(0.0)
    }
}

/// Sums of a Prometheus text over all labels.
fn sums(text: &str) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((series, value)) = line.rsplit_once(' ') else { continue };
        let name = series.split('{').next().unwrap_or(series);
        let value: f64 = value.parse().unwrap_or(0.0);
        *sums.entry(name.to_owned()).or_insert(0.0) += value;
    }
    sums
}

/// What happened between two looks.
#[derive(Debug, Serialize)]
struct Top {
    shards_owned: usize,
    shards: usize,
    live_conversations: u64,
    timers_pending: f64,
    webhooks_per_second: f64,
    commits_per_second: f64,
    posts_per_second: f64,
    outbound_oldest_seconds: f64,
    in_doubt: f64,
    projection_lag_seconds: f64,
    dead_letters: f64,
    busiest: Vec<Busy>,
}

/// A shard with its work.
#[derive(Debug, Serialize)]
struct Busy {
    shard: u64,
    batches_per_second: f64,
    live_conversations: u64,
    reloads: u64,
    last_error: Option<String>,
}

impl Top {
    fn between(before: &Look, now: &Look) -> Self {
        let seconds = (now.at - before.at).as_secs_f64().max(f64::EPSILON);
        let rate = |name: &str| ((now.metric(name) - before.metric(name)) / seconds).max(0.0);
        let number = |shard: &Value, field: &str| shard.get(field).and_then(Value::as_u64).unwrap_or(0);
        let mut busiest: Vec<_> = now
            .shards
            .iter()
            .zip(&before.shards)
            .map(|(now, before)| Busy {
                shard: number(now, "shard"),
                batches_per_second: number(now, "batches").saturating_sub(number(before, "batches")) as f64
                    / seconds,
                live_conversations: number(now, "live_conversations"),
                reloads: number(now, "reloads"),
                last_error: now.get("last_error").and_then(Value::as_str).map(str::to_owned),
            })
            .collect();
        busiest.sort_by(|a, b| b.batches_per_second.total_cmp(&a.batches_per_second));
        busiest.truncate(BUSIEST);
        let is_owned = |shard: &&Value| shard.get("owned").and_then(Value::as_bool) == Some(true);
        Self {
            shards_owned: now.shards.iter().filter(is_owned).count(),
            shards: now.shards.len(),
            live_conversations: now.shards.iter().map(|shard| number(shard, "live_conversations")).sum(),
            timers_pending: now.metric("gateway_timers_pending"),
            webhooks_per_second: rate("gateway_webhook_requests_total"),
            commits_per_second: rate("gateway_commit_seconds_count"),
            posts_per_second: rate("gateway_outbound_requests_total"),
            outbound_oldest_seconds: now.metric("gateway_outbound_queue_oldest_seconds"),
            in_doubt: now.metric("gateway_outbound_in_doubt"),
            projection_lag_seconds: now.metric("gateway_projection_lag_seconds"),
            dead_letters: now.metric("gateway_dead_letters_total"),
            busiest,
        }
    }

    fn for_people(&self) -> String {
        let mut text = format!(
            "shards {}/{}  live {}  timers {}  webhooks/s {:.1}  commits/s {:.1}  POSTs/s {:.1}\n\
             oldest waiting {:.1} s  in doubt {}  records behind {:.2} s  dead letters {}\n\
             {:>6} {:>10} {:>8} {:>8}  last error",
            self.shards_owned,
            self.shards,
            self.live_conversations,
            self.timers_pending,
            self.webhooks_per_second,
            self.commits_per_second,
            self.posts_per_second,
            self.outbound_oldest_seconds,
            self.in_doubt,
            self.projection_lag_seconds,
            self.dead_letters,
            "shard",
            "batches/s",
            "live",
            "reloads",
        );
        for busy in &self.busiest {
            let error = busy.last_error.as_deref().unwrap_or("-");
            text.push_str(&format!(
                "\n{:>6} {:>10.1} {:>8} {:>8}  {error}",
                busy.shard, busy.batches_per_second, busy.live_conversations, busy.reloads
            ));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_one_metric_are_summed() {
        let text = "# HELP a b\na_total{x=\"1\"} 2\na_total{x=\"2\"} 3\nb 1.5\n";
        assert_eq!(sums(text), BTreeMap::from([("a_total".to_owned(), 5.0), ("b".to_owned(), 1.5)]));
    }
}
