//! The writer: one thread that turns whatever has queued into one group, again and again.

mod group;
mod publish;
mod stage;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use fjall::{Database, PersistMode};
use protocol::id::DeadLetterId;
use protocol::shard::ShardId;
use protocol::time::SpanMs;
use tokio::sync::{mpsc, oneshot};

use self::group::Group;
pub(super) use self::stage::read_conversation;
use super::Durability;
use super::checkpoint::{Counters, LiveRows};
use super::head::Head;
use super::shared::{Admission, Shared};
use super::tables::failed;
use crate::engine::limits::GROUP_REQUESTS_MAX;
use crate::engine::{Clock, Commit, Committed, EngineResult, FactPosition, Lease, Token};

/// How often the journal is synced when answers do not wait for it.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// Where an answer goes.
pub(super) type Answer<T> = oneshot::Sender<EngineResult<T>>;

/// Work for the writer.
pub(super) struct Request {
    pub(super) work: Work,
    /// Given back when the group is written.
    pub(super) admission: Option<Admission>,
}

/// What can be asked of the writer.
pub(super) enum Work {
    Append(Vec<(ShardId, Bytes)>, Answer<()>),
    Commit(Vec<Arc<Commit>>, Answer<Vec<EngineResult<Committed>>>),
    Acquire { shard: ShardId, node: u64, ttl: SpanMs, answer: Answer<Option<Lease>> },
    Renew { leases: Vec<(ShardId, Token)>, ttl: SpanMs, answer: Answer<Vec<bool>> },
    Release { shard: ShardId, token: Token, answer: Answer<()> },
    TrimFacts(FactPosition, Answer<()>),
    Replay(DeadLetterId, Answer<bool>),
    Discard(DeadLetterId, Answer<bool>),
    Close(Answer<()>),
}

impl From<Work> for Request {
    fn from(work: Work) -> Self {
        Self { work, admission: None }
    }
}

/// What the log rows tell; kept up to date by the writer alone.
pub(super) struct State {
    pub(super) heads: Vec<Head>,
    pub(super) counters: Counters,
    pub(super) last_group: u64,
    pub(super) live: LiveRows,
}

/// After a failed write the writer may not be used again: its state is ahead of what is stored.
pub(super) struct Writer {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    durability: Durability,
    state: State,
    /// Bytes of entries that tails hold in memory.
    resident_bytes: usize,
    /// Who waits for the end.
    closing: Vec<Answer<()>>,
}

/// Starts the writer's thread, and the one that syncs when answers do not wait for it.
pub(super) fn start(writer: Writer, queue: mpsc::Receiver<Request>) -> EngineResult<Vec<JoinHandle<()>>> {
    let (stop, stopped) = std::sync::mpsc::channel();
    let mut threads = Vec::new();
    if writer.durability == Durability::EverySecond {
        let db = writer.shared.tables.db.clone();
        let syncer = std::thread::Builder::new().name("store-sync".into());
        threads.push(syncer.spawn(move || sync_now_and_then(&db, &stopped)).map_err(failed)?);
    }
    let thread = std::thread::Builder::new().name("store-writer".into());
    threads.push(thread.spawn(move || run(writer, queue, stop)).map_err(failed)?);
    Ok(threads)
}

/// `_stop` ends the other thread when this one ends.
fn run(mut writer: Writer, mut queue: mpsc::Receiver<Request>, _stop: Sender<()>) {
    let mut requests = Vec::with_capacity(GROUP_REQUESTS_MAX);
    while queue.blocking_recv_many(&mut requests, GROUP_REQUESTS_MAX) > 0 {
        if let Err(error) = writer.turn(&mut requests, &mut queue) {
            // Everybody who waits gets no answer, so `Unknown`; whoever comes later is refused.
            tracing::error!(error = &error as &dyn std::error::Error, "a write failed, the store stops");
            return;
        }
    }
    if let Err(error) = writer.finish() {
        tracing::error!(error = &error as &dyn std::error::Error, "the last checkpoint of the store failed");
    }
}

fn sync_now_and_then(db: &Database, stopped: &Receiver<()>) {
    while stopped.recv_timeout(SYNC_EVERY) == Err(RecvTimeoutError::Timeout) {
        if let Err(error) = db.persist(PersistMode::SyncData) {
            tracing::error!(error = &error as &dyn std::error::Error, "the journal could not be synced");
        }
    }
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        clock: Arc<dyn Clock>,
        durability: Durability,
        state: State,
    ) -> Self {
        Self { shared, clock, durability, state, resident_bytes: 0, closing: vec![] }
    }

    /// Writes what has queued, in one group, or several when it is too much for one.
    fn turn(&mut self, requests: &mut Vec<Request>, queue: &mut mpsc::Receiver<Request>) -> EngineResult<()> {
        let mut group = self.begin();
        for Request { work, admission } in requests.drain(..) {
            if let Work::Close(answer) = work {
                // What is in the queue now is still done; whoever comes later is told.
                self.shared.close();
                queue.close();
                self.closing.push(answer);
                continue;
            }
            self.stage(&mut group, work)?;
            group.hold(admission);
            if group.is_full() {
                self.write(group)?;
                group = self.begin();
            }
        }
        self.write(group)
    }

    fn begin(&self) -> Group {
        Group::new(self.shared.tables.db.batch(), self.state.last_group + 1)
    }

    /// Leaves nothing to do for the next start.
    fn finish(&mut self) -> EngineResult<()> {
        let mut group = self.begin();
        self.stage_checkpoint(&mut group)?;
        self.write_batch(group.batch)?;
        let synced = self.shared.tables.db.persist(PersistMode::SyncAll).map_err(failed);
        for answer in self.closing.drain(..) {
            tell(answer, Ok(()));
        }
        synced
    }
}

/// Answers. Whoever asked may have gone away: then there is nobody to tell.
fn tell<T>(answer: Answer<T>, result: EngineResult<T>) {
    drop(answer.send(result));
}
