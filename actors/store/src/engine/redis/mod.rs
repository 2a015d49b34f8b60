//! The engine for many nodes: Redis or Valkey, one server, with replicas, or a cluster.
//!
//! Nodes never talk to each other; the server is the log, the state, the timers and the judge of who owns what.
//! What changes several things at once is a function on the server (`library.lua`): it checks everything before
//! its first write. Appends and commits of many shards share one call; whatever queues while a call is under way
//! goes with the next one.
//!
//! * `keys`: names, and lanes: shards that share a hash slot.
//! * `server`, `topology`, `calls`: connections, who serves what, sending and what answers mean.
//! * `append`, `reading` (`tail`), `commits`, `loading`, `leases`, `facts`, `letters`, `aliases`, `remembered`, `slots`.
//! * `watch`: memory, clock, the ends of logs, news of other nodes.
//!
//! A node's view of the server is bound to a *generation* of each lane: after a restart or a fail-over the newest
//! writes may be gone, so everything that was read or granted before is dropped ([`EngineError::Fenced`]).

mod aliases;
mod append;
mod calls;
mod commits;
mod engine;
mod errors;
mod facts;
mod identity;
mod inspect;
mod keys;
mod leases;
mod letters;
mod library;
mod loading;
mod open;
mod options;
mod pack;
mod part;
mod reading;
mod remembered;
mod server;
mod shared;
mod slots;
mod tail;
mod topology;
mod watch;

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::task::JoinSet;

use self::append::Appender;
pub use self::options::RedisOptions;
use self::shared::Shared;
#[cfg(doc)]
use super::EngineError;

/// An engine that keeps everything in Redis. See the [module](self).
pub struct RedisEngine {
    shared: Arc<Shared>,
    /// Gone once the store is closed.
    appender: Mutex<Option<Arc<Appender>>>,
    /// They finish what has queued when the appender goes.
    writers: tokio::sync::Mutex<JoinSet<()>>,
    /// Stopped when this is dropped.
    _watchers: JoinSet<()>,
    description: String,
}
