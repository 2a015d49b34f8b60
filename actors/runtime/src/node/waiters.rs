//! Callers that wait for the committed results of their commands.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use protocol::command::{CommandKey, CommandResult};
use protocol::shard::ShardId;
use tokio::sync::{Notify, oneshot};

use super::result::StoredResult;

/// Waiting callers by command. Bounded; a caller that goes away is forgotten at once.
#[derive(Debug)]
pub(crate) struct Waiters {
    waiting: Mutex<HashMap<CommandKey, Vec<Waiter>>>,
    /// Somebody came.
    entered: Notify,
    count: AtomicUsize,
    next: AtomicU64,
    limit: usize,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    shard: ShardId,
    fingerprint: u64,
    answer: oneshot::Sender<CommandResult>,
}

/// One caller's place; gives it up when dropped.
#[derive(Debug)]
pub(crate) struct Waiting {
    waiters: Arc<Waiters>,
    key: CommandKey,
    ticket: u64,
    /// Resolves when the result is committed.
    pub(crate) answer: oneshot::Receiver<CommandResult>,
}

impl Waiters {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            entered: Notify::new(),
            count: AtomicUsize::new(0),
            next: AtomicU64::new(0),
            limit,
        }
    }

    /// `None` when too many wait already.
    pub(crate) fn enter(
        self: &Arc<Self>,
        shard: ShardId,
        key: CommandKey,
        fingerprint: u64,
    ) -> Option<Waiting> {
        if self.count.fetch_add(1, Ordering::Relaxed) >= self.limit {
            self.count.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        let waiter = Waiter { ticket, shard, fingerprint, answer: sender };
        self.waiting.lock().entry(key).or_default().push(waiter);
        self.entered.notify_one();
        Some(Waiting { waiters: Arc::clone(self), key, ticket, answer })
    }

    /// Answers everybody who waits for a command.
    pub(crate) fn resolve(&self, key: CommandKey, stored: &StoredResult) {
        // Most results are waited for by one caller, all of them by somebody on this node when it stands alone.
        let Some(found) = self.waiting.lock().remove(&key) else { return };
        for waiter in found {
            // A caller that just went away is no fault.
            let _ = waiter.answer.send(stored.answer(waiter.fingerprint));
        }
    }

    /// Resolves when somebody waits.
    pub(crate) async fn somebody(&self) {
        while self.count.load(Ordering::Relaxed) == 0 {
            self.entered.notified().await;
        }
    }

    /// Commands that somebody waits for, of the shards that are asked for.
    pub(crate) fn by_shard(&self, is_asked: impl Fn(ShardId) -> bool) -> BTreeMap<ShardId, Vec<CommandKey>> {
        let waiting = self.waiting.lock();
        let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (key, waiters) in waiting.iter() {
            if let Some(waiter) = waiters.first().filter(|waiter| is_asked(waiter.shard)) {
                found.entry(waiter.shard).or_default().push(*key);
            }
        }
        found.values_mut().for_each(|keys| keys.sort_unstable());
        found
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.waiters.count.fetch_sub(1, Ordering::Relaxed);
        let mut waiting = self.waiters.waiting.lock();
        if let Some(all) = waiting.get_mut(&self.key) {
            all.retain(|waiter| waiter.ticket != self.ticket);
            if all.is_empty() {
                waiting.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::command::Refusal;
    use protocol::id::ConversationId;

    use super::*;

    fn done() -> StoredResult {
        StoredResult { fingerprint: 7, result: CommandResult::Done { conversation: ConversationId(1) } }
    }

    #[test]
    fn answers_everybody_and_tells_a_reused_key() {
        let waiters = Arc::new(Waiters::new(2));
        let mut same = waiters.enter(ShardId(3), CommandKey(1), 7).unwrap();
        let mut other = waiters.enter(ShardId(3), CommandKey(1), 8).unwrap();
        assert!(waiters.enter(ShardId(3), CommandKey(2), 7).is_none(), "bounded");
        let found = waiters.by_shard(|shard| shard == ShardId(3));
        assert_eq!(found, BTreeMap::from([(ShardId(3), vec![CommandKey(1)])]));
        assert!(waiters.by_shard(|shard| shard == ShardId(4)).is_empty());
        waiters.resolve(CommandKey(1), &done());
        assert_eq!(same.answer.try_recv(), Ok(done().result));
        assert_eq!(other.answer.try_recv(), Ok(CommandResult::Refused(Refusal::KeyReused)));
    }

    #[test]
    fn a_caller_that_leaves_is_forgotten() {
        let waiters = Arc::new(Waiters::new(1));
        drop(waiters.enter(ShardId(0), CommandKey(1), 7));
        assert!(waiters.by_shard(|_| true).is_empty());
        assert!(waiters.enter(ShardId(0), CommandKey(1), 7).is_some());
    }
}
