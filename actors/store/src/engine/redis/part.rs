//! One commit inside a call, as `library.lua` reads it: what it writes, counted first, because the keys of all commits
//! stand before the arguments of the first.

use protocol::shard::ShardId;
use redis::Cmd;

use super::commits::add_identity;
use super::keys::{Lane, letter_field};
use super::loading::{score, stored};
use super::pack;
use super::remembered::{RESULTS, SEEN, result_field, seen_field};
use super::shared::Shared;
use crate::engine::limits::REDIS_FACTS_IN_PACK;
use crate::engine::{Commit, ConversationWrite};

/// Head, log and timers of the shard.
const SHARD_KEYS: usize = 3;
/// Counts and what [`add_identity`] adds.
const HEADER_ARGS: usize = 6;

/// See the [module](self).
pub(super) struct Part<'a> {
    commit: &'a Commit,
    lane: Lane,
    /// Timers that are set, and timers that are removed.
    sets: Vec<&'a ConversationWrite>,
    removes: Vec<&'a ConversationWrite>,
    /// Entries for other shards; in a cluster they were appended before.
    forwards: &'a [(ShardId, bytes::Bytes)],
}

impl<'a> Part<'a> {
    pub(super) fn of(shared: &Shared, commit: &'a Commit) -> Self {
        let moved = commit.conversations.iter().filter(|write| write.timer_before != write.timer_after);
        let (sets, removes) = moved.partition(|write| write.timer_after.is_some());
        let forwards = if shared.topology.in_cluster() { &[][..] } else { &commit.forwards[..] };
        Self { commit, lane: shared.keys().lane(commit.shard), sets, removes, forwards }
    }

    fn packs(&self) -> std::slice::Chunks<'a, bytes::Bytes> {
        self.commit.facts.chunks(REDIS_FACTS_IN_PACK)
    }

    /// How many [`Self::add_keys`] adds.
    pub(super) fn keys(&self) -> usize {
        SHARD_KEYS
            + self.commit.conversations.len()
            + usize::from(!self.commit.results.is_empty())
            + usize::from(!self.commit.seen.is_empty())
            + 2 * usize::from(!self.commit.dead_letters.is_empty())
            + 2 * self.forwards.len()
    }

    /// How many [`Self::add_args`] adds.
    fn args(&self) -> usize {
        HEADER_ARGS
            + self.commit.conversations.len()
            + 2 * self.sets.len()
            + self.removes.len()
            + 2 * self.packs().len()
            + 2 * self.commit.results.len()
            + 2 * self.commit.seen.len()
            + 2 * self.commit.dead_letters.len()
            + 3 * self.forwards.len()
    }

    pub(super) fn add_keys(&self, command: &mut Cmd, shared: &Shared) {
        let (commit, keys) = (self.commit, shared.keys());
        command.arg(keys.head(commit.shard)).arg(keys.log(commit.shard)).arg(keys.timers(commit.shard));
        for write in &commit.conversations {
            command.arg(keys.conversation(commit.shard, write.conversation));
        }
        if !commit.results.is_empty() {
            command.arg(RESULTS.key(shared, self.lane, commit.now));
        }
        if !commit.seen.is_empty() {
            command.arg(SEEN.key(shared, self.lane, commit.now));
        }
        if !commit.dead_letters.is_empty() {
            command.arg(keys.letters(self.lane)).arg(keys.letter_index(self.lane));
        }
        for (shard, _) in self.forwards {
            command.arg(keys.head(*shard)).arg(keys.log(*shard));
        }
    }

    /// Ten numbers of four bytes.
    fn counts(&self) -> Vec<u8> {
        let commit = self.commit;
        let counts = [
            self.keys(),
            self.args(),
            commit.conversations.len(),
            self.sets.len(),
            self.removes.len(),
            self.packs().len(),
            commit.results.len(),
            commit.seen.len(),
            commit.dead_letters.len(),
            self.forwards.len(),
        ];
        counts.iter().flat_map(|&count| (count as u32).to_be_bytes()).collect()
    }

    pub(super) fn add_args(&self, command: &mut Cmd, shared: &Shared) {
        let commit = self.commit;
        command.arg(self.counts());
        add_identity(command, shared, commit);
        for write in &commit.conversations {
            command.arg(stored(write.timer_after, &write.snapshot));
        }
        for write in &self.sets {
            command.arg(write.timer_after.map_or(0, score)).arg(&write.conversation.0.to_be_bytes()[..]);
        }
        for write in &self.removes {
            command.arg(&write.conversation.0.to_be_bytes()[..]);
        }
        for facts in self.packs() {
            command.arg(facts.len()).arg(pack::items(facts.iter()));
        }
        for (key, bytes) in &commit.results {
            command.arg(&result_field(*key)[..]).arg(RESULTS.value(commit.now, bytes));
        }
        for key in &commit.seen {
            command.arg(&seen_field(*key)[..]).arg(SEEN.value(commit.now, &[]));
        }
        for letter in &commit.dead_letters {
            command.arg(&letter_field(letter.id)[..]).arg(postcard::to_stdvec(letter).unwrap_or_default());
        }
        for (shard, entry) in self.forwards {
            command.arg(shard.0).arg(1).arg(pack::encode(std::iter::once(entry)));
        }
    }
}
