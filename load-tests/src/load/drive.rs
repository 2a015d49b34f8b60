//! Sends requests over many connections, each with one request in flight.
//!
//! Connections are opened when they are needed, and the one that was used last is used next, as the pool of a client
//! does it: a load that needs ten connections keeps ten. One that was idle for long is not used again: the server may be
//! closing it.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinSet, LocalSet};

use super::connection::Connection;

/// How long an idle connection is used again: well within the 75 s that the gateway keeps it.
const REUSED_WITHIN: Duration = Duration::from_secs(30);

/// Where requests go.
#[derive(Clone, Debug)]
pub struct Target {
    /// The servers; connections are spread over them.
    pub addresses: Vec<SocketAddr>,
    /// Connections at most, each with one request in flight.
    pub connections: usize,
}

/// What is sent and when, and who remembers what came of it. One thread asks.
pub trait Source: 'static {
    /// The load begins now.
    fn begin(&self, now: Instant);

    /// When the next request should be sent; `None` when there are no more.
    fn due(&self, now: Instant) -> Option<Instant>;

    /// Takes the next request: its place.
    fn take(&self) -> usize;

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
    /// A connection was free: whatever it was late, the generator is to blame.
    pub was_free: bool,
    /// When the answer was complete, or it was clear that none comes.
    pub ended: Instant,
    /// Status and body of the answer.
    pub answer: Option<(u16, &'a [u8])>,
}

/// A request for a connection.
struct Job {
    index: usize,
    intended: Instant,
    was_free: bool,
}

/// What the connections share.
struct Pool<S> {
    source: Rc<S>,
    /// Waiting for a job; the last one is next.
    idle: RefCell<Vec<oneshot::Sender<Job>>>,
    /// Connections that may still be opened.
    unopened: Cell<usize>,
    /// Rings when one becomes idle.
    freed: Notify,
}

/// Sends everything that a source has, and returns when all of it was answered: how long that took.
///
/// # Errors
/// When a server cannot be reached at all. Later failures are told to the source.
pub fn drive<S: Source>(target: &Target, source: &Rc<S>) -> io::Result<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        for address in &target.addresses {
            Connection::open(*address).await?;
        }
        let pool = Rc::new(Pool {
            source: Rc::clone(source),
            idle: RefCell::default(),
            unopened: Cell::new(target.connections.max(1)),
            freed: Notify::new(),
        });
        let started = Instant::now();
        source.begin(started);
        let mut tasks = JoinSet::new();
        dispatch(&pool, target, &mut tasks).await;
        // Whoever waits for a job hears that none comes.
        pool.unopened.set(0);
        while !tasks.is_empty() {
            pool.idle.borrow_mut().clear();
            tokio::select! {
                Some(ended) = tasks.join_next() => ended.map_err(io::Error::other)?,
                () = pool.freed.notified() => {}
            }
        }
        Ok(started.elapsed())
    })
}

/// Gives each request to a connection when it is due. While none is free, those that become free help themselves.
async fn dispatch<S: Source>(pool: &Rc<Pool<S>>, target: &Target, tasks: &mut JoinSet<()>) {
    let mut addresses = target.addresses.iter().copied().cycle();
    while let Some(due) = pool.source.due(Instant::now()) {
        if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await;
            // Somebody may have taken it.
            continue;
        }
        if !pool.is_free() {
            pool.freed.notified().await;
            continue;
        }
        let job = Job { index: pool.source.take(), intended: due, was_free: true };
        let idle = pool.idle.borrow_mut().pop();
        match (idle, addresses.next()) {
            (Some(idle), _) => {
                // Refused only by a connection whose task has ended, and they end after this.
                let _ = idle.send(job);
            }
            (None, Some(address)) => {
                pool.unopened.set(pool.unopened.get() - 1);
                tasks.spawn_local(work(Rc::clone(pool), address, job));
            }
            (None, None) => return,
        }
    }
}

impl<S: Source> Pool<S> {
    fn is_free(&self) -> bool {
        self.unopened.get() > 0 || !self.idle.borrow().is_empty()
    }

    /// A request that should have been sent by now.
    fn overdue(&self, now: Instant) -> Option<Job> {
        let intended = self.source.due(now).filter(|due| *due <= now)?;
        Some(Job { index: self.source.take(), intended, was_free: self.is_free() })
    }
}

async fn work<S: Source>(pool: Rc<Pool<S>>, address: SocketAddr, first: Job) {
    let mut buffer = Vec::new();
    let mut connection = None;
    let mut next = Some(first);
    loop {
        let job = match next.take() {
            Some(job) => job,
            None => {
                let (sender, job) = oneshot::channel();
                pool.idle.borrow_mut().push(sender);
                pool.freed.notify_one();
                let idle_since = Instant::now();
                let Ok(job) = job.await else { return };
                if idle_since.elapsed() > REUSED_WITHIN {
                    connection = None;
                }
                job
            }
        };
        let sent = Instant::now();
        if connection.is_none() {
            connection = Connection::open(address).await.ok();
        }
        let answer = match &mut connection {
            Some(open) => open.exchange(pool.source.request(job.index, &mut buffer)).await,
            None => Err(io::ErrorKind::NotConnected.into()),
        };
        let ended = Instant::now();
        let failed = answer.is_err();
        let Job { index, intended, was_free } = job;
        pool.source.ended(index, &Exchange { intended, sent, was_free, ended, answer: answer.ok() });
        if failed {
            connection = None;
        }
        next = pool.overdue(ended);
    }
}
