//! Sends requests over many connections, each with one request in flight.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::{JoinSet, LocalSet};

use super::connection::Connection;

/// Where requests go.
#[derive(Clone, Debug)]
pub struct Target {
    /// The servers; connections are spread over them.
    pub addresses: Vec<SocketAddr>,
    /// Connections, each with one request in flight.
    pub connections: usize,
}

/// What is sent and when, and who remembers what came of it. One thread asks.
pub trait Source: 'static {
    /// The load begins now: every connection is open.
    fn begin(&self, now: Instant);

    /// The next request, and the instant at which it should be sent; `None` when there are no more.
    fn take(&self, now: Instant) -> Option<(usize, Instant)>;

    /// The bytes of a request; they may be made in the buffer.
    fn request<'a>(&'a self, index: usize, buffer: &'a mut Vec<u8>) -> &'a [u8];

    /// What came of it.
    fn ended(&self, index: usize, exchange: &Exchange<'_>);
}

/// One request, from the instant at which it should have been sent.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// When it should have been sent.
    pub intended: Instant,
    /// When it was. Later than intended when no connection was free, or when the generator was late itself.
    pub sent: Instant,
    /// A connection had been free in time: whatever it was late, the generator is to blame.
    pub was_waiting: bool,
    /// When the answer was complete, or it was clear that none comes.
    pub ended: Instant,
    /// Status and body of the answer.
    pub answer: Option<(u16, &'a [u8])>,
}

/// Sends everything that a source has, and returns when all of it was answered: how long that took.
///
/// # Errors
/// When the server cannot be reached at all. Later failures are told to the source.
pub fn drive<S: Source>(target: &Target, source: &Rc<S>) -> io::Result<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let mut connections = Vec::with_capacity(target.connections);
        for address in target.addresses.iter().cycle().take(target.connections.max(1)) {
            connections.push((*address, Connection::open(*address).await?));
        }
        let started = Instant::now();
        source.begin(started);
        let mut tasks = JoinSet::new();
        for (address, connection) in connections {
            tasks.spawn_local(work(Rc::clone(source), address, connection));
        }
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(io::Error::other)?;
        }
        Ok(started.elapsed())
    })
}

async fn work<S: Source>(source: Rc<S>, address: SocketAddr, connection: Connection) {
    let mut buffer = Vec::new();
    let mut connection = Some(connection);
    let mut now = Instant::now();
    while let Some((index, intended)) = source.take(now) {
        let was_waiting = intended > now;
        if was_waiting {
            tokio::time::sleep_until(intended.into()).await;
        }
        let sent = Instant::now();
        let answer = match &mut connection {
            Some(open) => open.exchange(source.request(index, &mut buffer)).await,
            None => Err(io::ErrorKind::NotConnected.into()),
        };
        now = Instant::now();
        let failed = answer.is_err();
        source.ended(index, &Exchange { intended, sent, was_waiting, ended: now, answer: answer.ok() });
        if failed {
            connection = Connection::open(address).await.ok();
        }
    }
}
