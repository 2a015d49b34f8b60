//! What an operator may tune about a node.

use std::time::Duration;

use crate::limits;

/// Tunable limits of a node, with the defaults of [`crate::limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeSettings {
    /// Tells nodes of one store apart. The same value after a restart takes the old leases over at once.
    pub node_id: u64,
    /// Whether shards fall to the node. One without takes webhooks and commands in, for others to apply.
    pub owns_shards: bool,
    /// Threads that shards are spread over; 0 runs everything on the thread that starts the node.
    pub arbiters: usize,
    /// How long a node owns a shard without renewing.
    pub lease_ttl: Duration,
    /// A conversation that was silent for so long gives its memory back.
    pub idle: Duration,
    /// Live conversations in the node; beyond it the longest silent ones go first.
    pub live_conversations: usize,
    /// Inputs in one batch.
    pub batch_events: usize,
    /// Bytes of log entries in one batch.
    pub batch_bytes: usize,
    /// Messages of one number that wait for a send slot in memory.
    pub ready_messages: usize,
    /// POSTs of one number under way at once.
    pub posts_per_number: usize,
    /// Commands whose callers wait.
    pub waiting_commands: usize,
    /// How long a caller waits for the committed result of a command.
    pub command_wait: Duration,
    /// How long a shard that goes to another node, or a stop, waits for POSTs under way.
    pub shutdown_grace: Duration,
}

impl Default for NodeSettings {
    fn default() -> Self {
        Self {
            node_id: 1,
            owns_shards: true,
            arbiters: std::thread::available_parallelism().map_or(1, usize::from),
            lease_ttl: limits::LEASE_TTL,
            idle: limits::IDLE,
            live_conversations: limits::LIVE_CONVERSATIONS,
            batch_events: limits::BATCH_EVENTS,
            batch_bytes: limits::BATCH_BYTES,
            ready_messages: limits::READY_MESSAGES,
            posts_per_number: limits::POSTS_PER_NUMBER,
            waiting_commands: limits::WAITING_COMMANDS,
            command_wait: limits::COMMAND_WAIT,
            shutdown_grace: limits::SHUTDOWN_GRACE,
        }
    }
}

impl NodeSettings {
    /// Everything that contradicts itself, each with its cure; empty when all is well.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let checks = [
            (self.lease_ttl < Duration::from_secs(1), "`lease_ttl` is below 1 s: renewals could not keep up"),
            (
                self.idle < Duration::from_secs(1),
                "`idle` is below 1 s: conversations would be loaded for each input",
            ),
            (
                self.live_conversations < self.batch_events,
                "`live_conversations` is below `batch_events`: raise it",
            ),
            (self.batch_events == 0, "`batch_events` is 0: nothing could be applied"),
            (self.batch_bytes == 0, "`batch_bytes` is 0: nothing could be applied"),
            (self.posts_per_number == 0, "`posts_per_number` is 0: nothing could be sent"),
            (self.ready_messages == 0, "`ready_messages` is 0: nothing could be sent"),
            (self.waiting_commands == 0, "`waiting_commands` is 0: every command would be refused"),
        ];
        checks.into_iter().filter(|(wrong, _)| *wrong).map(|(_, text)| text.to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_sound_and_contradictions_are_listed_together() {
        assert_eq!(NodeSettings::default().problems(), Vec::<String>::new());
        let wrong = NodeSettings { batch_events: 0, lease_ttl: Duration::ZERO, ..NodeSettings::default() };
        assert_eq!(wrong.problems().len(), 2);
    }
}
