//! The conversation actors of one shard, and which of them have been silent for longest.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

use actix::Addr;
use protocol::id::ConversationId;
use protocol::time::TimestampMs;
use tokio::time::Instant;

use crate::conversation::ConversationActor;

/// Ids are hashes already: their own low bits are as good as any hash of them.
#[derive(Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            // The low bits of all ids of a shard are alike (they chose it), so the halves are rotated apart.
            self.0 = self.0.rotate_left(32) ^ u64::from_le_bytes(word);
        }
    }

    fn write_u128(&mut self, id: u128) {
        self.0 = (id >> 64) as u64 ^ (id as u64).rotate_left(32);
    }
}

/// A map by conversation id.
pub(super) type ById<V> = HashMap<ConversationId, V, BuildHasherDefault<IdHasher>>;

/// One live conversation.
pub(super) struct Alive {
    pub(super) actor: Addr<ConversationActor>,
    /// The timer that the store holds.
    pub(super) timer: Option<TimestampMs>,
    used_s: u32,
}

/// The live conversations of a shard.
pub(super) struct LiveSet {
    by_id: ById<Alive>,
    /// Every live conversation once, oldest first, with its last use as known when it was queued. One that was
    /// used since goes to the end again when its turn comes.
    silent: VecDeque<(ConversationId, u32)>,
    started_at: Instant,
}

impl LiveSet {
    pub(super) fn new() -> Self {
        Self { by_id: HashMap::default(), silent: VecDeque::new(), started_at: Instant::now() }
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn contains(&self, id: ConversationId) -> bool {
        self.by_id.contains_key(&id)
    }

    /// Finds a conversation and marks it as used.
    pub(super) fn touch(&mut self, id: ConversationId) -> Option<&mut Alive> {
        let now_s = self.now_s();
        let alive = self.by_id.get_mut(&id)?;
        alive.used_s = now_s;
        Some(alive)
    }

    pub(super) fn insert(
        &mut self,
        id: ConversationId,
        actor: Addr<ConversationActor>,
        timer: Option<TimestampMs>,
    ) {
        let used_s = self.now_s();
        if self.by_id.insert(id, Alive { actor, timer, used_s }).is_none() {
            self.silent.push_back((id, used_s));
        }
    }

    /// The actor's state is worth nothing. Its place in the queue goes when its turn comes.
    pub(super) fn remove(&mut self, id: ConversationId) {
        self.by_id.remove(&id);
        self.silent.retain(|(queued, _)| *queued != id);
    }

    /// Forgets everything; returns how many there were.
    pub(super) fn clear(&mut self) -> usize {
        self.silent.clear();
        std::mem::take(&mut self.by_id).len()
    }

    /// Lets go of conversations that were silent for `idle`, and of `excess` more, the longest silent first.
    /// Returns how many.
    pub(super) fn passivate(&mut self, idle: Duration, mut excess: usize) -> usize {
        let before = self.by_id.len();
        let idle_before_s = self.now_s().saturating_sub(u32::try_from(idle.as_secs()).unwrap_or(u32::MAX));
        // Each is looked at no more than once: those that were used go to the end with their new time.
        for _ in 0..self.silent.len() {
            let Some(&(id, queued_s)) = self.silent.front() else { break };
            let used_s = self.by_id.get(&id).map(|alive| alive.used_s);
            match used_s {
                Some(used_s) if used_s > queued_s => self.silent.push_back((id, used_s)),
                Some(used_s) if used_s >= idle_before_s && excess == 0 => break,
                Some(_) => {
                    excess = excess.saturating_sub(1);
                    self.by_id.remove(&id);
                }
                None => {}
            }
            self.silent.pop_front();
        }
        if self.by_id.capacity() > 64 && self.by_id.len() * 4 < self.by_id.capacity() {
            self.by_id.shrink_to_fit();
            self.silent.shrink_to_fit();
        }
        before - self.by_id.len()
    }

    fn now_s(&self) -> u32 {
        // Counted from 1, so that a conversation of the first second can be told from one never used.
        u32::try_from(self.started_at.elapsed().as_secs()).unwrap_or(u32::MAX).saturating_add(1)
    }
}
