//! Appending: whatever queues while a group is under way becomes the next group, one call for all of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use protocol::shard::ShardId;
use redis::Value;
use tokio::sync::{mpsc, oneshot};

use super::calls::{Answer, Call};
use super::errors::numbers;
use super::keys::Lane;
use super::library::Function;
use super::pack;
use super::server::Line;
use super::shared::Shared;
use crate::engine::limits::{
    APPEND_ENTRIES_MAX, GROUP_REQUESTS_MAX, QUEUED_MAX_BYTES, REDIS_CALL_BYTES_MAX, REQUESTS_MAX,
};
use crate::engine::{EngineError, EngineResult};

/// Entries that want to be appended, and who asks.
pub(super) struct Request {
    entries: Vec<(ShardId, Bytes)>,
    answer: oneshot::Sender<EngineResult<()>>,
}

/// Hands appends to the writers.
pub(super) struct Appender {
    /// One per master, so that none waits for another's disk: lanes lie over masters in stripes.
    writers: Vec<mpsc::Sender<Request>>,
}

impl Appender {
    /// The writers run until this is dropped.
    pub(super) fn start(shared: &Arc<Shared>, tasks: &mut tokio::task::JoinSet<()>) -> Self {
        let count = shared.topology.servers().len();
        let writers = (0..count).map(|_| {
            let (sender, receiver) = mpsc::channel(REQUESTS_MAX);
            tasks.spawn(write_groups(shared.clone(), receiver));
            sender
        });
        Self { writers: writers.collect() }
    }

    fn writer(&self, shared: &Shared, shard: ShardId) -> usize {
        shared.keys().lane(shard) * self.writers.len() / shared.keys().lanes()
    }

    /// Durable when it returns.
    pub(super) async fn append(&self, shared: &Shared, entries: Vec<(ShardId, Bytes)>) -> EngineResult<()> {
        shared.check_open()?;
        check(shared, &entries)?;
        let bytes = entries.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        let _admission = Admission::of(shared, bytes)?;
        // Nearly always: one entry, or one master.
        let first = entries.first().map_or(0, |&(shard, _)| self.writer(shared, shard));
        if entries.iter().all(|&(shard, _)| self.writer(shared, shard) == first) {
            return self.hand_over(shared, first, entries).await;
        }
        let mut parts = BTreeMap::<usize, Vec<(ShardId, Bytes)>>::new();
        for entry in entries {
            parts.entry(self.writer(shared, entry.0)).or_default().push(entry);
        }
        let parts = parts.into_iter().map(|(writer, entries)| self.hand_over(shared, writer, entries));
        let results = futures_util::future::join_all(parts).await;
        worst(results.iter().map(Result::as_ref)).map_or(Ok(()), Err)
    }

    async fn hand_over(
        &self,
        shared: &Shared,
        writer: usize,
        entries: Vec<(ShardId, Bytes)>,
    ) -> EngineResult<()> {
        let (answer, answered) = oneshot::channel();
        let stopped =
            || shared.check_open().err().unwrap_or_else(|| EngineError::Failed("the writer stopped".into()));
        self.writers[writer].send(Request { entries, answer }).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| EngineError::Unknown("the writer stopped".into()))?
    }
}

/// Refuses what cannot be appended anywhere.
pub(super) fn check(shared: &Shared, entries: &[(ShardId, Bytes)]) -> EngineResult<()> {
    if entries.len() > APPEND_ENTRIES_MAX {
        let reason = format!("{} entries at once, {APPEND_ENTRIES_MAX} may", entries.len());
        return Err(EngineError::Failed(reason.into()));
    }
    entries.iter().try_for_each(|&(shard, _)| shared.shard(shard).map(drop))
}

/// The right to queue some bytes.
struct Admission<'a> {
    shared: &'a Shared,
    bytes: u64,
}

impl<'a> Admission<'a> {
    fn of(shared: &'a Shared, bytes: u64) -> EngineResult<Self> {
        if let Some(shortage) = shared.gauges.memory.lock().clone() {
            return Err(EngineError::Full(shortage));
        }
        let admission = Self { shared, bytes };
        let queued = shared.gauges.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        if queued >= QUEUED_MAX_BYTES {
            let reason = format!("{queued} bytes wait to be written, {QUEUED_MAX_BYTES} may");
            return Err(EngineError::Full(reason));
        }
        Ok(admission)
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        self.shared.gauges.queued_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

async fn write_groups(shared: Arc<Shared>, mut requests: mpsc::Receiver<Request>) {
    let mut group = Vec::with_capacity(GROUP_REQUESTS_MAX);
    while requests.recv_many(&mut group, GROUP_REQUESTS_MAX).await > 0 {
        let mut by_shard = BTreeMap::<ShardId, Vec<Bytes>>::new();
        let mut asked = Vec::with_capacity(group.len());
        for request in group.drain(..) {
            let mut shards: Vec<ShardId> = request.entries.iter().map(|&(shard, _)| shard).collect();
            shards.dedup();
            for (shard, bytes) in request.entries {
                by_shard.entry(shard).or_default().push(bytes);
            }
            asked.push((shards, request.answer));
        }
        let results = append_group(&shared, by_shard).await;
        for (shards, answer) in asked {
            let outcomes = shards.iter().filter_map(|shard| results.get(shard)).map(Result::as_ref);
            // Whoever asked may have gone; the entries are there all the same.
            drop(answer.send(worst(outcomes).map_or(Ok(()), Err)));
        }
    }
}

/// Appends to several shards, and says of each what happened.
pub(super) async fn append_group(
    shared: &Shared,
    by_shard: BTreeMap<ShardId, Vec<Bytes>>,
) -> BTreeMap<ShardId, EngineResult<u64>> {
    let by_lane = by_shard.into_iter().map(|(shard, entries)| (shared.keys().lane(shard), (shard, entries)));
    let mut chunks = Vec::new();
    for (lane, entries) in shared.topology.split(by_lane) {
        chunks.extend(in_chunks(entries).into_iter().map(|chunk| (lane, chunk)));
    }
    let calls = chunks.iter().map(|(lane, chunk)| call(shared, *lane, chunk)).collect();
    let answers = shared.topology.run(Line::Append, calls, &shared.guarantee).await;
    shared.gauges.groups_written.fetch_add(1, Ordering::Relaxed);
    let mut results = BTreeMap::new();
    for ((_, chunk), answer) in chunks.into_iter().zip(answers) {
        match answer.and_then(|answer| take_up(shared, &chunk, &answer)) {
            Ok(lasts) => results.extend(chunk.iter().zip(lasts).map(|((shard, _), last)| (*shard, Ok(last)))),
            Err(error) => results.extend(chunk.iter().map(|(shard, _)| (*shard, Err(copy(&error))))),
        }
    }
    shared.news.notify_waiters();
    results
}

type Chunk = Vec<(ShardId, Vec<Bytes>)>;

fn in_chunks(shards: Chunk) -> Vec<Chunk> {
    let mut chunks = vec![Chunk::new()];
    let mut bytes = 0;
    for (shard, entries) in shards {
        if bytes >= REDIS_CALL_BYTES_MAX {
            chunks.push(Chunk::new());
            bytes = 0;
        }
        bytes += entries.iter().map(Bytes::len).sum::<usize>();
        if let Some(chunk) = chunks.last_mut() {
            chunk.push((shard, entries));
        }
    }
    chunks
}

fn call(shared: &Shared, lane: Lane, chunk: &Chunk) -> Call {
    let keys = shared.keys();
    let touched: Vec<Vec<u8>> =
        chunk.iter().flat_map(|&(shard, _)| [keys.head(shard), keys.log(shard)]).collect();
    let mut command = shared.topology.functions().call(Function::Append, &touched);
    command.arg(shared.channel()).arg(&shared.instance);
    for (shard, entries) in chunk {
        command.arg(shard.0).arg(entries.len()).arg(pack::encode(entries.iter()));
    }
    Call { lane, bound: None, command }
}

/// The entries are in the logs: those of our own shards need not be fetched.
fn take_up(shared: &Shared, chunk: &Chunk, answer: &Answer) -> EngineResult<Vec<u64>> {
    let lasts = match &answer.value {
        Value::Array(_) => numbers(&answer.value, "append")?,
        _ => return Err(EngineError::Unknown("the answer to append cannot be read".into())),
    };
    for ((shard, entries), &last) in chunk.iter().zip(&lasts) {
        let view = shared.shard(*shard)?;
        view.count(last, None, None);
        let bytes: usize = entries.iter().map(Bytes::len).sum();
        shared.gauges.appended_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        shared.gauges.appended_entries.fetch_add(entries.len() as u64, Ordering::Relaxed);
        if view.is_held() {
            view.tail.lock().appended(answer.generation, last, entries);
        } else {
            view.tail.lock().heard(answer.generation, last);
        }
    }
    Ok(lasts)
}

/// An append over several calls failed as its worst part did; if only some of it is there, that is not known.
pub(super) fn worst<'a>(
    results: impl Iterator<Item = Result<impl Sized + 'a, &'a EngineError>>,
) -> Option<EngineError> {
    let (mut done, mut failed) = (false, None::<EngineError>);
    for result in results {
        match result {
            Ok(_) => done = true,
            Err(error @ EngineError::Unknown(_)) => return Some(copy(error)),
            Err(error) => failed = Some(copy(error)),
        }
    }
    failed.map(|error| if done { EngineError::Unknown(error.to_string()) } else { error })
}

/// One failed call is the failure of everybody who was part of it.
pub(super) fn copy(error: &EngineError) -> EngineError {
    match error {
        EngineError::Fenced => EngineError::Fenced,
        EngineError::Position => EngineError::Position,
        EngineError::Full(reason) => EngineError::Full(reason.clone()),
        EngineError::Unknown(reason) => EngineError::Unknown(reason.clone()),
        EngineError::Incompatible(reason) => EngineError::Incompatible(reason.clone()),
        EngineError::Closed => EngineError::Closed,
        EngineError::Failed(source) => EngineError::Failed(source.to_string().into()),
    }
}
