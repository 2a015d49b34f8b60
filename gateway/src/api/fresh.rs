//! Reading what was just written. Records follow commits by milliseconds, and whoever was told that something is done
//! may look for it at once.
//!
//! A read waits only where it has a reason: the row is missing, or this node has just written to that conversation or
//! contact. It waits for the records to reach what is committed now, whichever node projects, and not for long.

use std::time::Duration;

use protocol::id::{ContactId, ConversationId};
use protocol::shard::ShardId;

use super::problem::ApiResult;
use crate::state::AppState;

/// A read waits no longer than this: a node that is further behind answers what it has.
const PATIENCE: Duration = Duration::from_millis(250);

/// Before a conversation is read.
pub(crate) async fn conversation(state: &AppState, id: ConversationId) {
    written(state, id.0, Some(state.node.shard_of(id))).await;
}

/// Before a contact is read; any of its conversations may have changed it.
pub(crate) async fn contact(state: &AppState, id: ContactId) {
    written(state, id.0, None).await;
}

/// Reads a row; again if it is missing and the records are behind.
pub(crate) async fn found<T>(
    state: &AppState,
    read: impl AsyncFn() -> ApiResult<Option<T>>,
) -> ApiResult<Option<T>> {
    match read().await? {
        None if caught_up(state, None).await => read().await,
        row => Ok(row),
    }
}

async fn written(state: &AppState, id: u128, shard: Option<ShardId>) {
    let Some(written) = state.recent.get(id) else { return };
    if caught_up(state, shard).await {
        state.recent.settle(id, written);
    }
}

/// A store that fails shows itself in the read that follows.
async fn caught_up(state: &AppState, shard: Option<ShardId>) -> bool {
    state.consumers.caught_up(shard, PATIENCE).await.unwrap_or(false)
}
