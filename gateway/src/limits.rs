//! Every bound of the HTTP side that is not a setting, with its reason.

use std::time::Duration;

/// Connections that wait to be accepted. The system's own limit (4096 on Linux) is the real bound.
pub const ACCEPT_BACKLOG: i32 = 4_096;

/// Open connections per worker: each costs about 10 KB; providers keep some hundreds, event streams one per person.
pub const MAX_CONNECTIONS_PER_WORKER: usize = 10_000;

/// Idle connections are kept this long: longer than a provider's pause between webhooks in office hours.
pub const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Files that are taken in at once: each is in memory as a whole. Others wait before they send their body.
pub const UPLOADS_AT_ONCE: usize = 8;

/// Probes and scrapes are a few requests per minute.
pub const OPERATOR_WORKERS: usize = 1;

/// A node that stops goes on answering for so long: whoever uses a connection all the time hears within this that it
/// ends, and is not cut off in the middle of a request. A tenth of the second in which shards are handed over.
pub const LAST_REQUESTS: Duration = Duration::from_millis(100);

/// The HTTP server answers that it pauses before the thread that accepts has heard of it, which takes a fraction of this.
/// Connections that come meanwhile are reset.
pub const PAUSE_HEARD: Duration = Duration::from_millis(5);

/// Connections that are merely kept open get this long when everything asked for was answered (seconds).
pub const CLOSE_SECONDS: u64 = 1;

/// While webhooks wait longer than this to be durable, those with nothing but statuses are answered 503: what WhatsApp
/// asks of the median.
pub const WAIT_WITHOUT_STATUSES: Duration = Duration::from_millis(250);

/// While webhooks wait longer than this, all are answered 503: half of what WhatsApp allows one in a hundred, and longer
/// than a disk needs for a bad fsync.
pub const WAIT_WITHOUT_WEBHOOKS: Duration = Duration::from_millis(500);

/// Once webhooks have waited too long, those with nothing but statuses are answered 503 for this long: let in again as soon as
/// the wait is over they bring the next one, and messages are turned away with them.
pub const STATUSES_STAY_OUT: Duration = Duration::from_secs(1);

/// So many webhooks must have waited that long: fewer are a slow look-up, not an overload.
pub const OVERDUE_WEBHOOKS: u32 = 32;

const _: () = assert!(WAIT_WITHOUT_STATUSES.as_millis() < WAIT_WITHOUT_WEBHOOKS.as_millis());
