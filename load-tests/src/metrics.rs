//! What a gateway says about itself on its operator port.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How often progress is looked at.
const POLL: Duration = Duration::from_millis(50);

/// Looks in a row at which nothing lags: a second, which is longer than any batch of the records.
const CALM_LOOKS: u32 = 20;

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

/// Reads the operator ports of gateways that work together.
#[derive(Clone)]
pub(crate) struct Scraper {
    client: reqwest::Client,
    urls: Vec<String>,
}

impl Scraper {
    /// For gateways whose operator ports are these.
    #[must_use]
    pub(crate) fn new(operators: impl Iterator<Item = SocketAddr>) -> Self {
        // A fresh connection each time: between two looks the server may close an idle one.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap_or_default();
        Self { client, urls: operators.map(|operator| format!("http://{operator}/metrics")).collect() }
    }

    /// The sum of a metric over all of them.
    async fn sum(&self, name: &str) -> Result<f64, reqwest::Error> {
        let mut total = 0.0;
        for url in &self.urls {
            total += sum(&self.client.get(url).send().await?.error_for_status()?.text().await?, name);
        }
        Ok(total)
    }

    /// Events that were applied and committed since their start.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn committed_events(&self) -> Result<f64, reqwest::Error> {
        self.sum("gateway_commit_events_sum").await
    }

    /// How far the records are behind, in seconds.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn records_behind(&self) -> Result<f64, reqwest::Error> {
        self.sum("gateway_projection_lag_seconds").await
    }

    /// Waits until the records and whoever follows them have caught up, at most so long; answers whether they have.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn settled(&self, patience: Duration) -> Result<bool, reqwest::Error> {
        let began = Instant::now();
        let mut calm = 0;
        while calm < CALM_LOOKS && began.elapsed() < patience {
            tokio::time::sleep(POLL).await;
            let lag = self.records_behind().await? + self.sum("gateway_consumer_lag_seconds").await?;
            calm = if lag > 0.0 { 0 } else { calm + 1 };
        }
        Ok(calm == CALM_LOOKS)
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
