//! Reading logs: from memory where this node appended, from the server where others did.

use protocol::shard::ShardId;
use redis::Value;

use super::errors::{bytes, elements, garbled};
use super::pack;
use super::shared::Shared;
use super::tail::Look;
use crate::engine::limits::REDIS_READ_PACKS_MAX;
use crate::engine::{EngineResult, LogEntry, Position};

/// What a read answers.
type Found = Vec<(ShardId, Vec<LogEntry>)>;

/// The two numbers of a stream id.
pub(super) type StreamId = (u64, u64);

/// A shard that must be fetched: where to begin, and what was known when that was found out.
struct Gap {
    shard: ShardId,
    after: u64,
    generation: u64,
    news: u64,
}

pub(super) async fn read(
    shared: &Shared,
    after: &[(ShardId, Position)],
    limit: usize,
) -> EngineResult<Found> {
    loop {
        let news = shared.news.notified();
        tokio::pin!(news);
        // Before looking: news that come while we look must not be missed.
        news.as_mut().enable();
        shared.check_open()?;
        let (mut found, gaps) = look(shared, after, limit)?;
        if !gaps.is_empty() {
            found.extend(fetch(shared, &gaps, limit).await?);
        }
        if !found.is_empty() {
            return Ok(found);
        }
        if gaps.is_empty() {
            news.await;
        }
    }
}

fn look(shared: &Shared, after: &[(ShardId, Position)], limit: usize) -> EngineResult<(Found, Vec<Gap>)> {
    let (mut found, mut gaps) = (Vec::new(), Vec::new());
    for &(shard, Position(after)) in after {
        let (view, generation) = (shared.shard(shard)?, shared.generation(shard));
        let after = after.max(view.applied());
        match view.tail.lock().look(generation, after, limit) {
            Look::Found(entries) => found.push((shard, entries)),
            Look::Fetch(news) => gaps.push(Gap { shard, after, generation, news }),
            Look::Nothing => {}
        }
    }
    Ok((found, gaps))
}

async fn fetch(shared: &Shared, gaps: &[Gap], limit: usize) -> EngineResult<Found> {
    let packs = limit.clamp(1, REDIS_READ_PACKS_MAX);
    let calls = gaps.iter().map(|gap| {
        let mut command = redis::cmd("XRANGE");
        let from = gap.after.saturating_add(1);
        command.arg(shared.keys().log(gap.shard)).arg(from).arg("+").arg("COUNT").arg(packs);
        (shared.keys().lane(gap.shard), command)
    });
    let answers = shared.topology.ask_all(calls.collect()).await?;
    let mut found = Found::new();
    for (gap, answer) in gaps.iter().zip(answers) {
        let mut entries = Vec::new();
        for (id, pack) in stream_entries(answer)? {
            unpack(gap.after, id.0, pack, &mut entries)?;
        }
        let fetched_through = entries.last().map_or(gap.after, |entry: &LogEntry| entry.position.0);
        let view = shared.shard(gap.shard)?;
        view.tail.lock().fetched(gap.generation, gap.news, gap.after, fetched_through);
        entries.truncate(limit);
        if !entries.is_empty() {
            found.push((gap.shard, entries));
        }
    }
    Ok(found)
}

/// The id of a pack is the number of its last entry; what was asked for may begin inside.
fn unpack(after: u64, last: u64, pack: Vec<u8>, entries: &mut Vec<LogEntry>) -> EngineResult<()> {
    let items = pack::decode(pack).ok_or_else(|| garbled("XRANGE"))?;
    let first = (last + 1).saturating_sub(items.len() as u64);
    let numbered = items.into_iter().zip(first..).filter(|&(_, number)| number > after);
    entries.extend(numbered.map(|(bytes, number)| LogEntry { position: Position(number), bytes }));
    Ok(())
}

/// The two numbers of each id, and the pack.
pub(super) fn stream_entries(answer: Value) -> EngineResult<Vec<(StreamId, Vec<u8>)>> {
    let read = |entry: Value| {
        let mut parts = elements(entry, "XRANGE")?.into_iter();
        let id = parts.next().and_then(|id| stream_id(&id)).ok_or_else(|| garbled("XRANGE"))?;
        let fields = elements(parts.next().unwrap_or_default(), "XRANGE")?;
        let pack = fields.into_iter().last().map(|pack| bytes(pack, "XRANGE")).transpose()?.flatten();
        Ok((id, pack.ok_or_else(|| garbled("XRANGE"))?))
    };
    elements(answer, "XRANGE")?.into_iter().map(read).collect()
}

pub(super) fn stream_id(id: &Value) -> Option<StreamId> {
    let Value::BulkString(text) = id else { return None };
    let (first, second) = std::str::from_utf8(text).ok()?.split_once('-')?;
    Some((first.parse().ok()?, second.parse().ok()?))
}
