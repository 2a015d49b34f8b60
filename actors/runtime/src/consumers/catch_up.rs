//! Waiting until the records hold what is committed: they follow commits by milliseconds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use protocol::shard::ShardId;

use super::{ConsumerError, ConsumersHandle};
use crate::limits::CAUGHT_UP_POLL;

impl ConsumersHandle {
    /// Waits until the records hold everything that was committed before the call, on one shard or on all of them,
    /// whichever process projects it. `false` if they do not within `patience`.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn caught_up(&self, shard: Option<ShardId>, patience: Duration) -> Result<bool, ConsumerError> {
        let (engine, records) = (&self.shared.options.engine, &self.shared.options.records);
        let lanes: BTreeSet<_> = match shard {
            Some(shard) => BTreeSet::from([engine.fact_lane(shard)]),
            None => engine.identity().shards.all().map(|shard| engine.fact_lane(shard)).collect(),
        };
        let lanes: Vec<_> = lanes.into_iter().collect();
        let newest = engine.newest_facts(&lanes).await?;
        let mut behind: BTreeMap<_, _> = lanes.into_iter().zip(newest).collect();
        let mut projected = self.shared.projected.subscribe();
        let reached = async {
            loop {
                // Seen before the look, so that what comes during it is not slept through.
                projected.mark_unchanged();
                let stands: BTreeMap<_, _> = records.projected().await?.into_iter().collect();
                behind.retain(|lane, newest| stands.get(lane).copied().unwrap_or_default() < *newest);
                if behind.is_empty() {
                    return Ok(true);
                }
                self.shared.hurry.notify_one();
                tokio::select! {
                    // Ends only with the process: the sender is part of `shared`.
                    _ = projected.changed() => {}
                    () = tokio::time::sleep(CAUGHT_UP_POLL) => {}
                }
            }
        };
        tokio::time::timeout(patience, reached).await.unwrap_or(Ok(false))
    }
}
