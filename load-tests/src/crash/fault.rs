//! What is done to a cluster, and how long it takes to be whole again.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::Error;
use super::tally::Requests;
use super::watch::{Took, View, Watch};
use crate::process::{self, Cluster};

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// `kill -9` of a node; it is started again when the others have its shards.
    KillNode,
    /// `SIGTERM` of a node; it is started again when it has ended.
    StopNode,
    /// `SIGSTOP` of a node for longer than its lease, then `SIGCONT`.
    PauseNode,
    /// `kill -9` of Redis; it is started again after a second.
    KillRedis,
    /// `kill -9` of PostgreSQL; it is started again after three seconds.
    KillPostgres,
}

/// A fault and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Incident {
    /// What was done.
    pub fault: Fault,
    /// To which node.
    pub node: Option<usize>,
    /// From the fault until every shard was owned by a node that lives and reaches its stores.
    pub taken_over_seconds: f64,
    /// The longest time between two looks: it may have been this much sooner.
    pub blur_seconds: f64,
    /// From the fault until all nodes were ready and had the shards that fall to them.
    pub whole_again_seconds: f64,
    /// From `SIGTERM` to the end of the process.
    pub ended_after_seconds: Option<f64>,
    /// Shards that a paused node had, by what it says about their loss.
    pub lost_shards: BTreeMap<String, usize>,
    /// What requests met from the fault to the next one.
    pub requests: Requests,
}

/// Longer than a lease (four seconds) and than what the others need to take over.
const PAUSE: Duration = Duration::from_secs(8);
const REDIS_AWAY: Duration = Duration::from_secs(1);
const POSTGRES_AWAY: Duration = Duration::from_secs(3);

/// What is promised for a node or Redis that dies, and for a node that stops while others are there.
const TAKE_OVER: f64 = 6.0;
const HAND_OVER: f64 = 1.0;

impl Incident {
    fn of(fault: Fault, node: Option<usize>) -> Self {
        Self {
            fault,
            node,
            taken_over_seconds: 0.0,
            blur_seconds: 0.0,
            whole_again_seconds: 0.0,
            ended_after_seconds: None,
            lost_shards: BTreeMap::new(),
            requests: Requests::default(),
        }
    }

    /// Whether it took longer than is promised.
    #[must_use]
    pub fn is_late(&self, nodes: usize) -> bool {
        let bar = match self.fault {
            // The only node is started again, which takes what it takes.
            Fault::StopNode if nodes == 1 => return false,
            Fault::StopNode => HAND_OVER,
            // Conversations do not need the records.
            Fault::KillPostgres => return false,
            Fault::KillNode | Fault::PauseNode | Fault::KillRedis => TAKE_OVER,
        };
        self.taken_over_seconds - self.blur_seconds > bar
    }

    fn taken_over(&mut self, took: Took) {
        self.taken_over_seconds = took.seconds;
        self.blur_seconds = took.blur_seconds;
    }
}

/// Does it and waits until the cluster is whole again.
pub(super) async fn inject(
    fault: Fault,
    node: usize,
    cluster: &mut Cluster,
    watch: &Watch,
) -> Result<Incident, Error> {
    let began = Instant::now();
    let mut incident = match fault {
        Fault::KillNode => kill(node, cluster, watch).await?,
        Fault::StopNode => stop(node, cluster, watch).await?,
        Fault::PauseNode => pause(node, cluster, watch).await?,
        Fault::KillRedis => {
            cluster.kill_redis()?;
            tokio::time::sleep(REDIS_AWAY).await;
            cluster.restart_redis().await?;
            Incident::of(fault, None)
        }
        Fault::KillPostgres => {
            cluster.kill_postgres()?;
            tokio::time::sleep(POSTGRES_AWAY).await;
            cluster.restart_postgres().await?;
            Incident::of(fault, None)
        }
    };
    let whole = watch.whole(began).await?;
    incident.whole_again_seconds = whole.seconds;
    if incident.node.is_none() {
        incident.taken_over(whole);
    }
    Ok(incident)
}

async fn kill(node: usize, cluster: &mut Cluster, watch: &Watch) -> Result<Incident, Error> {
    let mut incident = Incident::of(Fault::KillNode, Some(node));
    let others = watch.others(node);
    let began = Instant::now();
    cluster.kill(node);
    if others.is_empty() {
        cluster.start(node).await?;
        incident.taken_over(watch.covered(&[node], began).await?);
    } else {
        incident.taken_over(watch.covered(&others, began).await?);
        cluster.start(node).await?;
    }
    Ok(incident)
}

async fn stop(node: usize, cluster: &mut Cluster, watch: &Watch) -> Result<Incident, Error> {
    let mut incident = Incident::of(Fault::StopNode, Some(node));
    let others = watch.others(node);
    let (program, log) = (cluster.places[node].program.clone(), cluster.places[node].log());
    let process = cluster.node(node).ok_or(Error::NotWhole)?;
    let began = Instant::now();
    process.terminate()?;
    let end = async {
        let status = process.end().await?;
        Ok::<_, Error>((status, began.elapsed()))
    };
    let taken_over =
        async { if others.is_empty() { Ok(Took::default()) } else { watch.covered(&others, began).await } };
    let ((status, after), taken_over) = tokio::try_join!(end, taken_over)?;
    if !status.success() {
        return Err(process::Error::Ended { program, status, log }.into());
    }
    incident.ended_after_seconds = Some(after.as_secs_f64());
    incident.taken_over(taken_over);
    cluster.start(node).await?;
    Ok(incident)
}

async fn pause(node: usize, cluster: &mut Cluster, watch: &Watch) -> Result<Incident, Error> {
    let mut incident = Incident::of(Fault::PauseNode, Some(node));
    let others = watch.others(node);
    let before = watch.shards(node).await;
    let process = cluster.node(node).ok_or(Error::NotWhole)?;
    let began = Instant::now();
    process.pause()?;
    if !others.is_empty() {
        incident.taken_over(watch.covered(&others, began).await?);
    }
    tokio::time::sleep(PAUSE.saturating_sub(began.elapsed())).await;
    process.resume()?;
    let resumed = Instant::now();
    let whole = watch.whole(resumed).await?;
    if others.is_empty() {
        incident.taken_over(whole);
    }
    incident.lost_shards = lost(&before, &watch.shards(node).await);
    Ok(incident)
}

/// Shards that were loaded anew between two looks, by reason.
fn lost(before: &[View], after: &[View]) -> BTreeMap<String, usize> {
    let reloads: HashMap<u16, u64> = before.iter().map(|view| (view.shard, view.reloads)).collect();
    let mut lost = BTreeMap::new();
    for view in after.iter().filter(|view| reloads.get(&view.shard).is_some_and(|old| *old < view.reloads)) {
        *lost.entry(view.last_error.clone().unwrap_or_default()).or_default() += 1;
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident(fault: Fault, taken_over_seconds: f64) -> Incident {
        Incident { taken_over_seconds, blur_seconds: 0.1, ..Incident::of(fault, Some(0)) }
    }

    #[test]
    fn a_promise_is_broken_when_it_was_surely_late() {
        assert!(!incident(Fault::KillNode, 6.05).is_late(2), "it may have been sooner");
        assert!(incident(Fault::KillNode, 6.2).is_late(2));
        assert!(incident(Fault::StopNode, 1.2).is_late(2));
        assert!(!incident(Fault::StopNode, 1.2).is_late(1), "nobody is there to take over");
    }

    #[test]
    fn lost_shards_are_those_loaded_anew() {
        let view = |shard, reloads, error: Option<&str>| View {
            shard,
            reloads,
            last_error: error.map(str::to_owned),
            ..View::default()
        };
        let before = [view(0, 1, Some("old")), view(1, 0, None)];
        let after = [view(0, 1, Some("old")), view(1, 1, Some("the shard has another owner"))];
        assert_eq!(lost(&before, &after), BTreeMap::from([("the shard has another owner".to_owned(), 1)]));
    }
}
