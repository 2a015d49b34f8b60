//! Every bound of the HTTP side that is not a setting, with its reason.

use std::time::Duration;

/// Connections that wait to be accepted. The system's own limit (4096 on Linux) is the real bound.
pub const ACCEPT_BACKLOG: i32 = 4_096;

/// Open connections per worker: each costs about 10 KB; providers keep some hundreds, event streams one per person.
pub const MAX_CONNECTIONS_PER_WORKER: usize = 10_000;

/// Idle connections are kept this long: longer than a provider's pause between webhooks in office hours.
pub const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Probes and scrapes are a few requests per minute.
pub const OPERATOR_WORKERS: usize = 1;

/// Connections that are merely kept open get this long when everything asked for was answered (seconds).
pub const CLOSE_SECONDS: u64 = 1;
