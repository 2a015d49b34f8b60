//! Who owns which shard, as the nodes say on their operator ports.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use reqwest::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Error;
use crate::process::Place;

/// Between two looks: fine enough for bars of a second, cheap enough beside the load.
const POLL: Duration = Duration::from_millis(25);
/// A node that says nothing for this long is taken for dead, for this look.
const ANSWER: Duration = Duration::from_secs(1);
/// A cluster that is not whole by then will not be.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a node says about one shard.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct View {
    pub(crate) shard: u16,
    pub(crate) owned: bool,
    pub(crate) wanted: bool,
    pub(crate) reloads: u64,
    pub(crate) last_error: Option<String>,
}

/// What several nodes said at about the same time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Look {
    /// Of each node that was asked, all shards; none when it did not answer.
    nodes: Vec<Vec<View>>,
    /// Each of them would be sent requests by a load balancer.
    ready: bool,
}

/// How long something took, and how exactly that is known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Took {
    pub(crate) seconds: f64,
    /// The longest time between two looks: it may have been this much sooner.
    pub(crate) blur_seconds: f64,
}

/// Asks nodes.
pub(crate) struct Watch {
    client: Client,
    operators: Vec<SocketAddr>,
}

impl Watch {
    pub(crate) fn new(places: &[Place]) -> Self {
        let client = Client::builder().timeout(ANSWER).build().unwrap_or_default();
        Self { client, operators: places.iter().map(|place| place.operator).collect() }
    }

    /// All nodes but one.
    pub(crate) fn others(&self, node: usize) -> Vec<usize> {
        (0..self.operators.len()).filter(|other| *other != node).collect()
    }

    /// Waits until every shard is owned by one of these nodes.
    pub(crate) async fn covered(&self, nodes: &[usize], since: Instant) -> Result<Took, Error> {
        self.until(nodes, since, Look::is_covered).await
    }

    /// Waits until all nodes are ready and every shard is where it belongs.
    pub(crate) async fn whole(&self, since: Instant) -> Result<Took, Error> {
        let all: Vec<usize> = (0..self.operators.len()).collect();
        self.until(&all, since, Look::is_whole).await
    }

    async fn until(&self, nodes: &[usize], since: Instant, is_so: fn(&Look) -> bool) -> Result<Took, Error> {
        let mut blur = Duration::ZERO;
        let mut last = Instant::now();
        while !is_so(&self.look(nodes).await) {
            if since.elapsed() > PATIENCE {
                return Err(Error::NotWhole);
            }
            tokio::time::sleep(POLL).await;
            blur = blur.max(last.elapsed());
            last = Instant::now();
        }
        blur = blur.max(last.elapsed());
        Ok(Took { seconds: since.elapsed().as_secs_f64(), blur_seconds: blur.as_secs_f64() })
    }

    async fn look(&self, nodes: &[usize]) -> Look {
        let mut look = Look { nodes: Vec::new(), ready: true };
        for node in nodes {
            look.nodes.push(self.shards(*node).await);
            look.ready &= self.ask::<serde_json::Value>(*node, "readyz").await.is_some();
        }
        look
    }

    /// The shards as a node sees them; none when it does not answer.
    pub(crate) async fn shards(&self, node: usize) -> Vec<View> {
        self.ask(node, "debug/shards").await.unwrap_or_default()
    }

    async fn ask<T: DeserializeOwned>(&self, node: usize, what: &str) -> Option<T> {
        let request = self.client.get(format!("http://{}/{what}", self.operators[node]));
        request.send().await.ok()?.error_for_status().ok()?.json().await.ok()
    }
}

impl Look {
    fn is_covered(&self) -> bool {
        self.owners().is_some_and(|(fewest, _)| fewest > 0)
    }

    /// A node that was held still believes for a moment that it owns what others have taken: one owner each.
    fn is_whole(&self) -> bool {
        let is_settled = |view: &View| view.owned == view.wanted;
        let is_heard = |node: &Vec<View>| !node.is_empty() && node.iter().all(is_settled);
        self.ready && self.owners() == Some((1, 1)) && self.nodes.iter().all(is_heard)
    }

    /// The fewest and the most nodes that own one shard; nothing when no node was heard.
    fn owners(&self) -> Option<(usize, usize)> {
        let shards = self.nodes.iter().map(Vec::len).max()?;
        let owns = |node: &&Vec<View>, shard: usize| node.get(shard).is_some_and(|view| view.owned);
        let owners = |shard| self.nodes.iter().filter(|node| owns(node, shard)).count();
        Some(((0..shards).map(owners).min()?, (0..shards).map(owners).max()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(nodes: &[&[(bool, bool)]]) -> Look {
        let view =
            |(owned, wanted): &(bool, bool)| View { owned: *owned, wanted: *wanted, ..View::default() };
        Look { nodes: nodes.iter().map(|node| node.iter().map(view).collect()).collect(), ready: true }
    }

    #[test]
    fn every_shard_needs_an_owner() {
        assert!(!look(&[]).is_covered());
        assert!(!look(&[&[]]).is_covered(), "a node that says nothing owns nothing");
        assert!(!look(&[&[(true, true), (false, true)], &[]]).is_covered());
        assert!(look(&[&[(true, true), (false, false)], &[(false, false), (true, true)]]).is_covered());
    }

    #[test]
    fn a_shard_that_moves_is_not_settled() {
        assert!(look(&[&[(true, true)], &[(false, false)]]).is_whole());
        assert!(!look(&[&[(true, false)], &[(false, true)]]).is_whole());
        assert!(!look(&[&[(true, true)], &[]]).is_whole(), "every node must be heard");
        assert!(
            !look(&[&[(true, true)], &[(true, true)]]).is_whole(),
            "one of them has not noticed its loss"
        );
    }
}
