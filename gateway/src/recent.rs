//! What was written through this node a moment ago, so that its writer reads it back.

use std::time::{Duration, Instant};

use quick_cache::sync::Cache;

/// Writes that are remembered: more come in a second only under a load in which nobody waits for one of them.
const WRITES: usize = 10_000;
/// A write is recent for this long. The records follow much sooner; when they do not, waiting would not help either.
const RECENT: Duration = Duration::from_secs(2);

/// Conversations and contacts with a recent write, by id.
pub struct RecentWrites(Cache<u128, Instant>);

impl Default for RecentWrites {
    fn default() -> Self {
        Self(Cache::new(WRITES))
    }
}

impl RecentWrites {
    /// Something about this conversation or contact was committed just now.
    pub(crate) fn note(&self, id: u128) {
        self.0.insert(id, Instant::now());
    }

    /// When it was written, if that is recent.
    pub(crate) fn get(&self, id: u128) -> Option<Instant> {
        self.0.get(&id).filter(|written| written.elapsed() < RECENT)
    }

    /// The records hold that write; a later one stays.
    pub(crate) fn settle(&self, id: u128, written: Instant) {
        self.0.remove_if(&id, |noted| *noted == written);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_recent_until_the_records_hold_it() {
        let recent = RecentWrites::default();
        assert_eq!(recent.get(1), None);
        recent.note(1);
        let first = recent.get(1).unwrap();
        recent.note(1);
        recent.settle(1, first);
        if let Some(second) = recent.get(1) {
            recent.settle(1, second);
        }
        assert_eq!(recent.get(1), None);
    }
}
