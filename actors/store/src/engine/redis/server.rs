//! One master: its connections, and what happens when they break.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_redis::{Manager, Pool, Runtime};
use parking_lot::{Mutex, RwLock};
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, Pipeline, RedisError, Value};
use tokio::time::Instant;

use super::errors::failed;
use super::inspect::Inspection;
use super::keys::Lane;
use super::library::Library;
use super::topology::Generations;
use crate::engine::limits::{
    REDIS_CONNECT_TIMEOUT, REDIS_PRIVATE_CONNECTIONS, REDIS_RECONNECT_MAX, REDIS_RECONNECT_MIN,
};
use crate::engine::{EngineError, EngineResult};

/// Each has a connection of its own, so that none waits behind another's answers or its `WAIT`. Calls on one line
/// are carried out in the order in which they were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Append,
    Commit,
    Ask,
}

/// A connection. It belongs to one incarnation of the server.
pub(super) struct Link {
    connection: MultiplexedConnection,
    broken: AtomicBool,
}

impl Link {
    /// Sends calls together; an answer of each, which may be an error of the server. When it fails itself it is
    /// not known what happened to the calls, and the link is not used again.
    pub(super) async fn run(&self, calls: &Pipeline) -> Result<Vec<Value>, RedisError> {
        let count = calls.len();
        let answers = self.connection.clone().send_packed_commands(calls, 0, count).await;
        if answers.is_err() {
            self.broken.store(true, Ordering::Release);
        }
        answers
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }
}

/// Between attempts to connect.
#[derive(Default)]
struct Attempts {
    not_before: Option<Instant>,
    delay: Duration,
    reason: String,
}

/// What was last connected to.
#[derive(Default)]
struct Seen {
    incarnation: String,
    client: Option<Client>,
    /// Its private connections.
    pool: Option<Pool>,
}

/// One master, or several addresses of which one is the master.
pub(super) struct Server {
    clients: Vec<Client>,
    timing: AsyncConnectionConfig,
    links: RwLock<[Option<Arc<Link>>; 3]>,
    /// Held while connecting: one attempt at a time.
    attempts: tokio::sync::Mutex<Attempts>,
    /// Which incarnation was last seen.
    seen: Mutex<Seen>,
    /// The lanes that it serves.
    pub(super) serves: RwLock<Vec<Lane>>,
    generations: Arc<Generations>,
}

impl Server {
    pub(super) fn new(clients: Vec<Client>, answer_timeout: Duration, generations: Arc<Generations>) -> Self {
        Self {
            clients,
            timing: timing(Some(answer_timeout)),
            links: RwLock::default(),
            attempts: tokio::sync::Mutex::default(),
            seen: Mutex::default(),
            serves: RwLock::default(),
            generations,
        }
    }

    /// The connection of a line, made if there is none. An error means that nothing was sent.
    pub(super) async fn link(&self, line: Line) -> EngineResult<Arc<Link>> {
        if let Some(link) = self.working(line) {
            return Ok(link);
        }
        let mut attempts = self.attempts.lock().await;
        if let Some(link) = self.working(line) {
            return Ok(link);
        }
        if attempts.not_before.is_some_and(|at| Instant::now() < at) {
            return Err(EngineError::Failed(attempts.reason.clone().into()));
        }
        match self.connect().await {
            Ok(link) => {
                *attempts = Attempts::default();
                let link = Arc::new(link);
                self.links.write()[line as usize] = Some(link.clone());
                Ok(link)
            }
            Err(error) => {
                attempts.delay = (attempts.delay * 2).clamp(REDIS_RECONNECT_MIN, REDIS_RECONNECT_MAX);
                attempts.not_before = Some(Instant::now() + attempts.delay);
                attempts.reason = format!("the Redis server cannot be reached: {error}");
                Err(EngineError::Failed(attempts.reason.clone().into()))
            }
        }
    }

    fn working(&self, line: Line) -> Option<Arc<Link>> {
        self.links.read()[line as usize].clone().filter(|link| !link.is_broken())
    }

    /// Takes the first address that is a master.
    async fn connect(&self) -> Result<Link, RedisError> {
        let mut reason = RedisError::from(std::io::Error::other("none of the addresses is a master"));
        for client in &self.clients {
            match self.connect_to(client).await {
                Ok(Some(link)) => return Ok(link),
                Ok(None) => {}
                Err(error) => reason = error,
            }
        }
        Err(reason)
    }

    async fn connect_to(&self, client: &Client) -> Result<Option<Link>, RedisError> {
        let mut connection = client.get_multiplexed_async_connection_with_config(&self.timing).await?;
        let inspection = Inspection::of(&mut connection).await?;
        if !inspection.is_master() {
            return Ok(None);
        }
        Library::load(&mut connection).await?;
        self.meet(&inspection.incarnation(), client)?;
        Ok(Some(Link { connection, broken: AtomicBool::new(false) }))
    }

    /// Another incarnation than last time: leases and positions of before are worth nothing, and this must be
    /// known before the first call goes out.
    fn meet(&self, incarnation: &str, client: &Client) -> Result<(), RedisError> {
        let mut seen = self.seen.lock();
        if seen.incarnation == incarnation {
            return Ok(());
        }
        if !seen.incarnation.is_empty() {
            tracing::warn!("the Redis server is another incarnation: leases are taken anew");
            self.generations.advance(&self.serves.read());
            *self.links.write() = Default::default();
        }
        let manager = Manager::new_with_config(client.get_connection_info().clone(), timing(None))?;
        let pool = Pool::builder(manager)
            .max_size(REDIS_PRIVATE_CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(REDIS_CONNECT_TIMEOUT))
            .build()
            .map_err(|error| RedisError::from(std::io::Error::other(error)))?;
        *seen = Seen { incarnation: incarnation.to_owned(), client: Some(client.clone()), pool: Some(pool) };
        Ok(())
    }

    /// A connection that nobody else uses, for calls that block. It goes back to the pool when it is handed to
    /// [`Private::give_back`]; dropped otherwise, since an answer may still be under way.
    pub(super) async fn private(&self) -> EngineResult<Private> {
        // Finds the master, if this is the first call.
        self.link(Line::Ask).await?;
        let pool = self.seen.lock().pool.clone();
        let pool = pool.ok_or_else(|| EngineError::Failed("not connected".into()))?;
        let connection = pool.get().await.map_err(|error| EngineError::Failed(Box::new(error)))?;
        Ok(Private(Some(connection)))
    }

    /// Loads the functions again: somebody removed them.
    pub(super) async fn restore_library(&self) -> EngineResult<()> {
        let link = self.link(Line::Ask).await?;
        Library::load(&mut link.connection.clone()).await.map(drop).map_err(failed)
    }

    pub(super) async fn inspect(&self) -> EngineResult<Inspection> {
        let link = self.link(Line::Ask).await?;
        Inspection::of(&mut link.connection.clone()).await.map_err(failed)
    }

    /// The address that was the master when it was last connected to.
    pub(super) fn current(&self) -> Option<Client> {
        self.seen.lock().client.clone()
    }
}

/// See [`Server::private`].
pub(super) struct Private(Option<deadpool_redis::Connection>);

impl Private {
    pub(super) async fn run(&mut self, call: &redis::Cmd) -> EngineResult<Value> {
        let connection = self.0.as_mut().ok_or(EngineError::Closed)?;
        connection.req_packed_command(call).await.map_err(failed)
    }

    /// The answer is here: the connection can be used again.
    pub(super) fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(deadpool_redis::Connection::take(connection));
        }
    }
}

pub(super) fn timing(answer_timeout: Option<Duration>) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(REDIS_CONNECT_TIMEOUT))
        .set_response_timeout(answer_timeout)
}
