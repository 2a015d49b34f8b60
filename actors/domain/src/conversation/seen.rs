//! Memory of what was applied: providers repeat webhooks, for up to seven days.

use protocol::entry::Happening;
use protocol::time::TimestampMs;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::limits::SEEN_HALF;

/// Stored as bytes: a hash has no small values that a variable length would shorten.
type Hash = [u8; 8];

/// Hashes of provider ids, oldest first: an old half and a young one. When both are full the old half moves to the
/// store as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    hashes: Vec<Hash>,
    /// Provider's time of the newest id in the old half.
    old_newest: TimestampMs,
    /// Provider's time of the newest id in the young half.
    young_newest: TimestampMs,
    /// Provider's time of the newest id that left: what is newer cannot have been forgotten. Zero if none has left.
    forgotten_through: TimestampMs,
}

impl Seen {
    /// Whether it was applied, as far as this memory reaches.
    #[must_use]
    pub fn contains(&self, key: u64) -> bool {
        self.hashes.contains(&key.to_le_bytes())
    }

    /// Whether it is not remembered here although it may have been applied: the store knows.
    #[must_use]
    pub fn may_have_forgotten(&self, key: u64, at: TimestampMs) -> bool {
        at <= self.forgotten_through && !self.contains(key)
    }

    /// Bytes behind its pointer.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.hashes.capacity() * size_of::<Hash>()
    }

    /// Remembers an id; appends to `forgotten` what has to move to the store.
    pub(super) fn insert(&mut self, key: u64, at: TimestampMs, forgotten: &mut Vec<u64>) {
        if self.hashes.len() == 2 * SEEN_HALF {
            forgotten.extend(self.hashes.drain(..SEEN_HALF).map(u64::from_le_bytes));
            self.forgotten_through = self.forgotten_through.max(self.old_newest);
        }
        if self.hashes.len() == SEEN_HALF {
            self.old_newest = std::mem::take(&mut self.young_newest);
        }
        self.young_newest = self.young_newest.max(at);
        // One at a time: most conversations are short, and many are alive at once.
        self.hashes.reserve_exact(1);
        self.hashes.push(key.to_le_bytes());
    }
}

/// Hash of a provider's id of a message.
#[must_use]
pub(super) fn message_hash(provider_id: &str) -> u64 {
    xxh3_64_with_seed(provider_id.as_bytes(), 0)
}

/// The identity and provider's time of what can be repeated by a provider. Statuses are not among them: they are
/// ordered by their lattice. Commands are remembered with their results.
#[must_use]
pub(super) fn seen_key(happening: &Happening) -> Option<(u64, TimestampMs)> {
    match happening {
        Happening::Received(message) => Some((message_hash(message.provider_id.as_str()), message.sent_at)),
        Happening::IdentityChanged(change) => Some((message_hash(change.provider_id.as_str()), change.at)),
        Happening::Call(call) => {
            // One call has several events; its id alone would hide all but the first.
            let id = message_hash(call.call_id.as_str());
            Some((xxh3_64_with_seed(call.event.as_bytes(), id), call.at))
        }
        Happening::Status(_)
        | Happening::Preference(_)
        | Happening::Command(_)
        | Happening::ContactChanged(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_by_halves_and_knows_what_it_may_have_forgotten() {
        let (mut seen, mut forgotten) = (Seen::default(), Vec::new());
        for key in 1..=(3 * SEEN_HALF as u64) {
            assert!(!seen.may_have_forgotten(key, TimestampMs(key as i64)));
            seen.insert(key, TimestampMs(key as i64), &mut forgotten);
        }
        // The third half is full, the first has left.
        assert_eq!(forgotten, (1..=SEEN_HALF as u64).collect::<Vec<_>>());
        let through = TimestampMs(SEEN_HALF as i64);
        assert!(seen.may_have_forgotten(1, TimestampMs(1)));
        assert!(seen.may_have_forgotten(999, through));
        assert!(!seen.may_have_forgotten(999, TimestampMs(through.0 + 1)));
        assert!(seen.contains(SEEN_HALF as u64 + 1));
        assert!(!seen.may_have_forgotten(SEEN_HALF as u64 + 1, TimestampMs(1)));
    }
}
