//! Sends requests, as fast as they are answered or at a fixed rate.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::{JoinSet, LocalSet};

use super::connection::Connection;
use super::corpus::Corpus;
use super::report::Summary;

/// Where requests go.
#[derive(Clone, Debug)]
pub struct Target {
    /// The servers; connections are spread over them.
    pub addresses: Vec<SocketAddr>,
    /// Connections, each with one request in flight.
    pub connections: usize,
}

/// When requests are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Each connection sends its next request when the last is answered: finds the throughput.
    Closed,
    /// At a fixed rate whatever the answers: finds the latency. It counts from the instant at which a request should
    /// have been sent, so that a stall of the server is seen by all requests that it delays. Timers tick in
    /// milliseconds: up to one of them is the generator's own.
    Open {
        /// Requests per second over all connections.
        per_second: f64,
    },
}

/// What connections share.
struct Plan {
    corpus: Rc<Corpus>,
    range: Range<usize>,
    pace: Pace,
    started: Instant,
    limit: Duration,
    next: Cell<usize>,
}

impl Plan {
    /// The next request and when it should go; `None` when all were given out or the time is over.
    fn take(&self) -> Option<(usize, Instant)> {
        let index = self.next.get();
        let now = Instant::now();
        let intended = match self.pace {
            Pace::Closed => now,
            Pace::Open { per_second } => {
                let nth = u32::try_from(index - self.range.start).unwrap_or(u32::MAX);
                self.started + Duration::from_secs_f64(f64::from(nth) / per_second)
            }
        };
        if index >= self.range.end || intended.max(now) >= self.started + self.limit {
            return None;
        }
        self.next.set(index + 1);
        Some((index, intended))
    }
}

/// Sends the requests of a range of the corpus for at most `limit`, and returns when all of them were answered.
///
/// # Errors
/// When the server cannot be reached at all. Later failures are counted.
pub fn drive(
    target: Target,
    corpus: Rc<Corpus>,
    range: Range<usize>,
    pace: Pace,
    limit: Duration,
) -> io::Result<Summary> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async move {
        let mut connections = Vec::with_capacity(target.connections);
        for address in target.addresses.iter().cycle().take(target.connections.max(1)) {
            connections.push((*address, Connection::open(*address).await?));
        }
        let started = Instant::now();
        let next = Cell::new(range.start);
        let plan = Rc::new(Plan { corpus, range, pace, started, limit, next });
        let mut tasks = JoinSet::new();
        for (address, connection) in connections {
            tasks.spawn_local(work(Rc::clone(&plan), address, connection));
        }
        let mut summary = Summary::default();
        while let Some(part) = tasks.join_next().await {
            summary.add(&part.map_err(io::Error::other)?);
        }
        summary.finish(started.elapsed());
        Ok(summary)
    })
}

async fn work(plan: Rc<Plan>, address: SocketAddr, connection: Connection) -> Summary {
    let mut summary = Summary::default();
    let mut connection = Some(connection);
    while let Some((index, intended)) = plan.take() {
        if intended > Instant::now() {
            tokio::time::sleep_until(intended.into()).await;
        }
        let answered = match &mut connection {
            Some(open) => open.exchange(plan.corpus.request(index)).await,
            None => Err(io::ErrorKind::NotConnected.into()),
        };
        match answered {
            Ok(status) => summary.answered(status, intended.elapsed()),
            Err(_) => {
                summary.failed();
                connection = Connection::open(address).await.ok();
            }
        }
    }
    summary
}
