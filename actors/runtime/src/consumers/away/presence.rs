//! Who is there: a stream of theirs is open, on whichever node.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use protocol::id::UserId;
use tokio::sync::Notify;

use crate::consumers::turn::Turn;
use crate::consumers::{ConsumerError, Shared};
use crate::limits::{PRESENT_EVERY, PRESENT_FOR};

/// The users who have streams open in this process.
#[derive(Default)]
pub(crate) struct Presence {
    streams: Mutex<BTreeMap<UserId, usize>>,
    /// Somebody came.
    came: Notify,
}

/// A stream that is open.
pub(crate) struct Present {
    presence: Arc<Presence>,
    user: UserId,
}

impl Present {
    pub(crate) fn new(presence: &Arc<Presence>, user: UserId) -> Self {
        *presence.streams.lock().entry(user).or_default() += 1;
        presence.came.notify_one();
        Self { presence: presence.clone(), user }
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        let mut streams = self.presence.streams.lock();
        let left = streams.get_mut(&self.user).map_or(0, |count| {
            *count -= 1;
            *count
        });
        if left == 0 {
            streams.remove(&self.user);
        }
    }
}

/// Says again and again who is there, until the process ends.
pub(crate) async fn keep_present(shared: Shared) {
    let mut turn = shared.turn.subscribe();
    loop {
        if let Err(error) = mark(&shared).await {
            tracing::warn!(%error, "users with open streams may be told as if they were away");
        }
        tokio::select! {
            _ = turn.wait_for(|turn| *turn == Turn::Over) => return,
            () = tokio::time::sleep(PRESENT_EVERY) => {}
            () = shared.presence.came.notified() => {}
        }
    }
}

/// Says once who is there.
pub(crate) async fn mark(shared: &Shared) -> Result<(), ConsumerError> {
    let users: Vec<_> = shared.presence.streams.lock().keys().copied().collect();
    if users.is_empty() {
        return Ok(());
    }
    let now = shared.options.engine.now().await?;
    Ok(shared.options.records.mark_present(users, now + PRESENT_FOR).await?)
}
