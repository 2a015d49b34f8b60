//! Callers that wait for the committed results of their commands.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use protocol::command::{CommandKey, CommandResult};
use protocol::id::TenantId;
use protocol::shard::ShardId;
use tokio::sync::{Notify, oneshot};

use super::result::StoredResult;

/// Waiting callers by command. Bounded; a caller that goes away is forgotten at once.
///
/// A tenant may hold as many places as are left free: half of them if it is alone, a third if another one does the same.
/// So there is always one for whoever holds none, however much another tenant asks for.
#[derive(Debug)]
pub(crate) struct Waiters {
    places: Mutex<Places>,
    /// Somebody came.
    entered: Notify,
    count: AtomicUsize,
    next: AtomicU64,
    limit: usize,
}

#[derive(Debug, Default)]
struct Places {
    waiting: HashMap<CommandKey, Vec<Waiter>>,
    of_tenants: HashMap<TenantId, usize>,
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
    tenant: TenantId,
    key: CommandKey,
    ticket: u64,
    /// Resolves when the result is committed.
    pub(crate) answer: oneshot::Receiver<CommandResult>,
}

impl Waiters {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            places: Mutex::default(),
            entered: Notify::new(),
            count: AtomicUsize::new(0),
            next: AtomicU64::new(0),
            limit,
        }
    }

    /// `None` when too many wait already, of this tenant or of all.
    pub(crate) fn enter(
        self: &Arc<Self>,
        tenant: TenantId,
        shard: ShardId,
        key: CommandKey,
        fingerprint: u64,
    ) -> Option<Waiting> {
        let mut places = self.places.lock();
        let free = self.limit.saturating_sub(self.count.load(Ordering::Relaxed));
        let held = places.of_tenants.get(&tenant).copied().unwrap_or_default();
        if held >= free {
            return None;
        }
        places.of_tenants.insert(tenant, held + 1);
        self.count.fetch_add(1, Ordering::Relaxed);
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        let waiter = Waiter { ticket, shard, fingerprint, answer: sender };
        places.waiting.entry(key).or_default().push(waiter);
        drop(places);
        self.entered.notify_one();
        Some(Waiting { waiters: Arc::clone(self), tenant, key, ticket, answer })
    }

    /// Answers everybody who waits for a command.
    pub(crate) fn resolve(&self, key: CommandKey, stored: &StoredResult) {
        // Most results are waited for by one caller, all of them by somebody on this node when it stands alone.
        let Some(found) = self.places.lock().waiting.remove(&key) else { return };
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
        let places = self.places.lock();
        let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (key, waiters) in &places.waiting {
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
        let mut places = self.waiters.places.lock();
        self.waiters.count.fetch_sub(1, Ordering::Relaxed);
        if let Some(held) = places.of_tenants.get_mut(&self.tenant) {
            *held -= 1;
            if *held == 0 {
                places.of_tenants.remove(&self.tenant);
            }
        }
        if let Some(all) = places.waiting.get_mut(&self.key) {
            all.retain(|waiter| waiter.ticket != self.ticket);
            if all.is_empty() {
                places.waiting.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::command::Refusal;
    use protocol::id::ConversationId;

    use super::*;

    const A: TenantId = TenantId(1);
    const B: TenantId = TenantId(2);

    fn done() -> StoredResult {
        StoredResult { fingerprint: 7, result: CommandResult::Done { conversation: ConversationId(1) } }
    }

    #[test]
    fn answers_everybody_and_tells_a_reused_key() {
        let waiters = Arc::new(Waiters::new(4));
        let mut same = waiters.enter(A, ShardId(3), CommandKey(1), 7).unwrap();
        let mut other = waiters.enter(A, ShardId(3), CommandKey(1), 8).unwrap();
        assert!(waiters.enter(A, ShardId(3), CommandKey(2), 7).is_none(), "bounded");
        let found = waiters.by_shard(|shard| shard == ShardId(3));
        assert_eq!(found, BTreeMap::from([(ShardId(3), vec![CommandKey(1)])]));
        assert!(waiters.by_shard(|shard| shard == ShardId(4)).is_empty());
        waiters.resolve(CommandKey(1), &done());
        assert_eq!(same.answer.try_recv(), Ok(done().result));
        assert_eq!(other.answer.try_recv(), Ok(CommandResult::Refused(Refusal::KeyReused)));
    }

    #[test]
    fn p10_a_tenant_that_asks_for_everything_leaves_places_to_others() {
        let waiters = Arc::new(Waiters::new(12));
        let mut keys = (0..).map(CommandKey);
        let mut take = |tenant| {
            let enter = || waiters.enter(tenant, ShardId(0), keys.next().unwrap(), 7);
            std::iter::from_fn(enter).collect::<Vec<_>>()
        };
        let greedy = take(A);
        assert_eq!(greedy.len(), 6, "half of all, alone");
        let other = take(B);
        assert_eq!(other.len(), 3, "half of the rest");
        assert!(take(A).is_empty());
        assert_eq!(take(TenantId(3)).len(), 2, "there is one for whoever has none");
        drop(greedy);
        assert_eq!(take(B).len() + other.len(), 6);
    }

    #[test]
    fn a_caller_that_leaves_is_forgotten() {
        let waiters = Arc::new(Waiters::new(1));
        drop(waiters.enter(A, ShardId(0), CommandKey(1), 7));
        assert!(waiters.by_shard(|_| true).is_empty());
        assert!(waiters.enter(A, ShardId(0), CommandKey(1), 7).is_some());
    }
}
