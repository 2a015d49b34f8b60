//! The loop of an arbiter: wait until a shard has something to do, and start a round with all that have.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{FutureExt as _, LocalBoxFuture, join_all};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use protocol::shard::ShardId;
use protocol::time::TimestampMs;
use store::engine::{EngineResult, LogEntry, Position};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::round::{Played, play};
use crate::limits::{RETRY_MAX, ROUND_EVENTS, ROUNDS};
use crate::node::{Phase, Shared};
use crate::shard::{Shard, ShardShared};

/// Longest wait for a timer before the clocks are compared again: the store's clock may be set.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Drives its shards until the node stops.
pub(super) async fn run(shared: Arc<Shared>, shards: Vec<Arc<ShardShared>>, bell: Arc<Notify>) {
    let mut resting = VecDeque::with_capacity(shards.len());
    for shard in shards {
        resting.push_back(Box::new(Shard::new(Arc::clone(&shared), shard).await));
    }
    let mut arbiter = Arbiter {
        shared,
        bell,
        resting,
        rounds: FuturesUnordered::new(),
        stragglers: FuturesUnordered::new(),
    };
    while arbiter.shared.phase() < Phase::Stopping {
        arbiter.turn().await;
    }
    arbiter.finish().await;
}

struct Arbiter {
    shared: Arc<Shared>,
    bell: Arc<Notify>,
    /// Shards that are in no round; whoever was in one last stands at the end.
    resting: VecDeque<Box<Shard>>,
    rounds: FuturesUnordered<LocalBoxFuture<'static, Played>>,
    /// Shards whose commit did not go well at once, and must not keep the others waiting.
    stragglers: FuturesUnordered<LocalBoxFuture<'static, Box<Shard>>>,
}

impl Arbiter {
    /// Starts a round if there is something to do, then waits until something happens.
    async fn turn(&mut self) {
        let mut rests_for = LONGEST_WAIT;
        if self.rounds.len() < ROUNDS {
            match self.shared.options.engine.now().await {
                Ok(now) => rests_for = self.start_round(now),
                Err(error) => {
                    tracing::warn!(%error, "the store does not tell the time");
                    rests_for = RETRY_MAX;
                }
            }
        }
        self.wait(rests_for).await;
    }

    /// Answers how long nothing happens by itself.
    fn start_round(&mut self, now: TimestampMs) -> Duration {
        if let Some(entries) =
            self.shared.options.engine.read_any(&self.cursors(), self.limit()).now_or_never()
        {
            self.take_in(entries);
        }
        let mut playing = Vec::new();
        let (mut events, mut rests_for) = (0, LONGEST_WAIT);
        for _ in 0..self.resting.len() {
            let Some(mut shard) = self.resting.pop_front() else { break };
            match shard.task(now).filter(|_| events < ROUND_EVENTS) {
                Some(task) => {
                    events += shard.waiting().min(self.limit()).max(1);
                    playing.push((shard, task));
                }
                None => {
                    shard.passivate();
                    rests_for = rests_for.min(shard.rests_for(now));
                    self.resting.push_back(shard);
                }
            }
        }
        if !playing.is_empty() {
            self.rounds.push(play(Arc::clone(&self.shared), playing, now).boxed_local());
        }
        rests_for
    }

    /// In a fixed order, so that a simulation can be repeated. Nothing starves: each shard has its share of a round,
    /// and each source of inputs its share of a shard's batch.
    async fn wait(&mut self, rests_for: Duration) {
        let may_start = self.rounds.len() < ROUNDS;
        let cursors = self.cursors();
        let limit = self.limit();
        let engine = Arc::clone(&self.shared.options.engine);
        tokio::select! {
            biased;
            Some(played) = self.rounds.next(), if !self.rounds.is_empty() => {
                self.stragglers.extend(played.stragglers);
                self.resting.extend(played.shards);
            }
            Some(shard) = self.stragglers.next(), if !self.stragglers.is_empty() => self.resting.push_back(shard),
            entries = engine.read_any(&cursors, limit), if may_start && !cursors.is_empty() => {
                if entries.is_err() {
                    sleep(RETRY_MAX).await;
                }
                self.take_in(entries);
            }
            () = self.bell.notified(), if may_start => {}
            () = sleep(rests_for), if may_start => {}
            () = self.shared.reached(Phase::Stopping) => {}
        }
    }

    fn limit(&self) -> usize {
        self.shared.options.settings.batch_events
    }

    /// Where the shards at rest read on.
    fn cursors(&self) -> Vec<(ShardId, Position)> {
        self.resting.iter().filter_map(|shard| Some((shard.shard.id, shard.reads_after()?))).collect()
    }

    fn take_in(&mut self, entries: EngineResult<Vec<(ShardId, Vec<LogEntry>)>>) {
        match entries {
            Ok(found) => {
                // Both stand in the order of `cursors`.
                let mut found = found.into_iter().peekable();
                for shard in &mut self.resting {
                    if let Some((_, entries)) = found.next_if(|(id, _)| *id == shard.shard.id) {
                        shard.take_in(entries);
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "the log could not be read"),
        }
    }

    /// Lets rounds end and gives all leases back.
    async fn finish(&mut self) {
        while let Some(played) = self.rounds.next().await {
            self.stragglers.extend(played.stragglers);
            self.resting.extend(played.shards);
        }
        while let Some(shard) = self.stragglers.next().await {
            self.resting.push_back(shard);
        }
        join_all(self.resting.iter_mut().map(|shard| shard.release())).await;
    }
}
