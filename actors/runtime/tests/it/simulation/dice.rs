//! Repeatable chance.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::id::derive;

/// Draws that follow from a seed and a name.
pub(super) struct Dice {
    name: String,
    seed: u64,
    drawn: AtomicU64,
}

impl Dice {
    pub(super) fn new(seed: u64, name: &str) -> Self {
        Self { name: name.to_owned(), seed, drawn: AtomicU64::new(0) }
    }

    /// A number below `bound`.
    pub(super) fn below(&self, bound: u64) -> u64 {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        let draw = derive("dice", &[&self.seed.to_le_bytes(), self.name.as_bytes(), &drawn.to_le_bytes()]);
        draw as u64 % bound
    }

    /// True once in so many draws.
    pub(super) fn one_in(&self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    /// A span up to `most_ms`.
    pub(super) fn millis(&self, most_ms: u64) -> Duration {
        Duration::from_millis(self.below(most_ms) + 1)
    }
}
