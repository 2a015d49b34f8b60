//! Results of commands that another node applies. They are in the store; whoever waits here looks for them. (What
//! this node applies itself it tells directly.)

use std::sync::Arc;

use store::engine::{EngineResult, LoadRequest};
use tokio::time::sleep;

use super::result::StoredResult;
use super::shared::{Phase, Shared};
use crate::limits::RESULT_POLL;

/// Looks for results while somebody waits for some, until the node stops.
pub(super) async fn follow(shared: Arc<Shared>) {
    while shared.phase() < Phase::Stopping {
        tokio::select! {
            biased;
            () = shared.reached(Phase::Stopping) => return,
            () = shared.waiters.somebody() => {}
        }
        sleep(RESULT_POLL).await;
        if let Err(error) = look(&shared).await {
            tracing::warn!(%error, "results of commands could not be read");
        }
    }
}

async fn look(shared: &Shared) -> EngineResult<()> {
    if *shared.owned.borrow() == shared.shards.len() {
        return Ok(());
    }
    let elsewhere = |shard: protocol::shard::ShardId| shared.shards[usize::from(shard.0)].token().is_none();
    let asked = shared.waiters.by_shard(elsewhere);
    if asked.is_empty() {
        return Ok(());
    }
    let request = |(shard, commands)| (shard, LoadRequest { commands, ..LoadRequest::default() });
    let requests: Vec<_> = asked.into_iter().map(request).collect();
    let found = shared.options.engine.load_all(&requests).await?;
    for ((_, request), loaded) in requests.iter().zip(found) {
        for (key, stored) in request.commands.iter().zip(loaded.results) {
            if let Some(stored) = stored.as_deref().and_then(StoredResult::decode) {
                shared.waiters.resolve(*key, &stored);
            }
        }
    }
    Ok(())
}
