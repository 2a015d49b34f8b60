//! The earliest timer of a shard, remembered so that asking for it rarely touches the store, and so that a look
//! into the tree starts behind the timers that are gone (whose tombstones would have to be stepped over).

use protocol::time::TimestampMs;

/// No timer.
const NEVER: TimestampMs = TimestampMs(i64::MAX);

/// What is known of a shard's earliest timer.
#[derive(Debug)]
pub(in crate::engine) struct Earliest {
    /// No timer is due before.
    floor: TimestampMs,
    /// The floor is a timer, or there is none.
    exact: bool,
    /// Counts changes, so that a look into the tree that raced with one is not believed.
    version: u64,
}

impl Default for Earliest {
    fn default() -> Self {
        Self { floor: TimestampMs(i64::MIN), exact: false, version: 0 }
    }
}

impl Earliest {
    /// The earliest timer, if it is known: `Some(None)` when there is none.
    pub(in crate::engine) fn known(&self) -> Option<Option<TimestampMs>> {
        self.exact.then_some((self.floor != NEVER).then_some(self.floor))
    }

    /// Where to begin to look, and the version to learn with.
    pub(in crate::engine) fn look(&self) -> (TimestampMs, u64) {
        (self.floor, self.version)
    }

    /// What a look found.
    pub(in crate::engine) fn learn(&mut self, version: u64, found: Option<TimestampMs>) {
        if self.version == version {
            self.floor = found.unwrap_or(NEVER);
            self.exact = true;
        }
    }

    /// A conversation's timer was moved.
    pub(in crate::engine) fn moved(&mut self, before: Option<TimestampMs>, after: Option<TimestampMs>) {
        self.version += 1;
        if before.is_some_and(|before| before <= self.floor) {
            // Another conversation may be due at the same time: only the tree knows.
            self.exact = false;
        }
        if let Some(after) = after.filter(|&after| after < self.floor) {
            self.floor = after;
            self.exact = true;
        } else if after == Some(self.floor) {
            self.exact = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// What is known equals the truth after any moves, with or without looks in between.
        #[test]
        fn known_is_true(moves in proptest::collection::vec((0usize..4, proptest::option::of(0i64..6), any::<bool>()), 0..40)) {
            let mut earliest = Earliest::default();
            let mut timers = [None; 4];
            for (who, after, look) in moves {
                let after = after.map(TimestampMs);
                earliest.moved(timers[who], after);
                timers[who] = after;
                let truth = timers.iter().flatten().copied().collect::<BTreeSet<_>>().first().copied();
                if let Some(known) = earliest.known() {
                    prop_assert_eq!(known, truth);
                }
                let (floor, version) = earliest.look();
                prop_assert!(truth.is_none_or(|truth| floor <= truth));
                if look {
                    earliest.learn(version, truth);
                }
            }
        }
    }
}
