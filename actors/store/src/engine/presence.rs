//! Which nodes are there, for engines that keep this in memory.

use std::collections::BTreeMap;

use protocol::time::{SpanMs, TimestampMs};

/// Nodes and until when each of them counts as present. Bounded: whoever is past its time is forgotten.
#[derive(Debug, Default)]
pub(super) struct Presence(BTreeMap<u64, TimestampMs>);

impl Presence {
    /// See [`super::Engine::heartbeat`].
    pub(super) fn heartbeat(&mut self, node: u64, now: TimestampMs, ttl: SpanMs) -> Vec<u64> {
        self.0.insert(node, now + ttl);
        self.0.retain(|_, until| *until > now);
        self.0.keys().copied().collect()
    }
}
