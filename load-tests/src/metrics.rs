//! What a gateway says about itself on its operator port.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How often progress is looked at.
const POLL: Duration = Duration::from_millis(50);

/// The sum of all series of a metric in a Prometheus text.
#[must_use]
pub(crate) fn sum(text: &str, name: &str) -> f64 {
    let value = |line: &str| {
        let rest = line.strip_prefix(name)?;
        if !rest.starts_with([' ', '{']) {
            return None;
        }
        line.rsplit(' ').next()?.parse::<f64>().ok()
    };
    text.lines().filter_map(value).sum()
}

/// Reads the operator port of one gateway.
#[derive(Clone)]
pub(crate) struct Scraper {
    client: reqwest::Client,
    url: String,
}

impl Scraper {
    /// For a gateway whose operator port is here.
    #[must_use]
    pub(crate) fn new(operator: SocketAddr) -> Self {
        // A fresh connection each time: between two looks the server may close an idle one.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap_or_default();
        Self { client, url: format!("http://{operator}/metrics") }
    }

    /// Events that were applied and committed since its start.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn committed_events(&self) -> Result<f64, reqwest::Error> {
        let text = self.client.get(&self.url).send().await?.error_for_status()?.text().await?;
        Ok(sum(&text, "gateway_commit_events_sum"))
    }

    /// Waits until so many events were committed; the instant at which they were, or `None` when a quiet while passes
    /// without progress.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn reach(
        &self,
        events: f64,
        patience: Duration,
    ) -> Result<Option<Instant>, reqwest::Error> {
        let mut last = (self.committed_events().await?, Instant::now());
        while last.0 < events {
            if last.1.elapsed() > patience {
                return Ok(None);
            }
            tokio::time::sleep(POLL).await;
            let now = self.committed_events().await?;
            if now > last.0 {
                last = (now, Instant::now());
            }
        }
        Ok(Some(last.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_summed_over_its_labels() {
        let text = "# HELP a b\na{x=\"1 2\"} 3\na{x=\"2\"} 4.5\na_sum 9\nab 1\n";
        assert!((sum(text, "a") - 7.5).abs() < f64::EPSILON);
        assert!((sum(text, "a_sum") - 9.0).abs() < f64::EPSILON);
    }
}
