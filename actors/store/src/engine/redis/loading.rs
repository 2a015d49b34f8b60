//! Loading what batches need, and looking at timers.

use bytes::Bytes;
use protocol::id::ConversationId;
use protocol::shard::ShardId;
use protocol::time::TimestampMs;
use redis::{Cmd, Value};

use super::errors::{bytes, elements, garbled};
use super::keys::Lane;
use super::remembered::{RESULTS, SEEN, result_field, seen_field};
use super::shared::Shared;
use crate::engine::{EngineResult, LoadRequest, Loaded, Stored};

/// Before each snapshot: when its timer fires, or this.
const NO_TIMER: i64 = i64::MIN;
const TIMER_BYTES: usize = 8;
/// Scores are floating point numbers: whole milliseconds are exact up to here, later ones are asked for.
const EXACT_MS: i64 = 1 << 53;

/// A snapshot as it is stored.
pub(super) fn stored(timer: Option<TimestampMs>, snapshot: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(TIMER_BYTES + snapshot.len());
    value.extend_from_slice(&timer.map_or(NO_TIMER, |at| at.0).to_be_bytes());
    value.extend_from_slice(snapshot);
    value
}

fn read_timer(value: &[u8]) -> Option<Option<TimestampMs>> {
    let at = i64::from_be_bytes(value.get(..TIMER_BYTES)?.try_into().ok()?);
    Some((at != NO_TIMER).then_some(TimestampMs(at)))
}

fn read_stored(value: Vec<u8>) -> EngineResult<Stored> {
    let timer_at = read_timer(&value).ok_or_else(|| garbled("MGET"))?;
    Ok(Stored { snapshot: Bytes::from(value).slice(TIMER_BYTES..), timer_at })
}

pub(super) fn score(at: TimestampMs) -> i64 {
    at.0.clamp(-EXACT_MS, EXACT_MS)
}

/// All snapshots in one call per slot, everything in one round trip.
pub(super) async fn load(shared: &Shared, requests: &[(ShardId, LoadRequest)]) -> EngineResult<Vec<Loaded>> {
    requests.iter().try_for_each(|&(shard, _)| shared.shard(shard).map(drop))?;
    let now = shared.now();
    let mut keys = Vec::new();
    for (shard, request) in requests {
        let lane = shared.keys().lane(*shard);
        keys.extend(request.conversations.iter().map(|&id| (lane, shared.keys().conversation(*shard, id))));
    }
    let places: Vec<Lane> = keys.iter().map(|&(lane, _)| lane).collect();
    let parts = shared.topology.split(keys);
    let mut calls: Vec<(Lane, Cmd)> = parts.iter().map(|(lane, keys)| (*lane, multi_get(keys))).collect();
    for (shard, request) in requests {
        let lane = shared.keys().lane(*shard);
        let (results, seen) = fields(request);
        calls.extend(RESULTS.ask(shared, lane, &results, now));
        calls.extend(SEEN.ask(shared, lane, &seen, now));
    }
    let mut answers = shared.topology.ask_all(calls).await?.into_iter();
    let mut snapshots = Snapshots::of(shared, &parts, &mut answers)?;
    let mut places = places.into_iter();
    let mut loaded = Vec::with_capacity(requests.len());
    for (_, request) in requests {
        let (results, seen) = fields(request);
        let conversations = places
            .by_ref()
            .take(request.conversations.len())
            .map(|lane| snapshots.next(lane)?.map(read_stored).transpose());
        loaded.push(Loaded {
            conversations: conversations.collect::<EngineResult<_>>()?,
            results: RESULTS.read(&mut answers, shared, results.len(), now)?,
            seen: SEEN.read(&mut answers, shared, seen.len(), now)?.iter().map(Option::is_some).collect(),
        });
    }
    Ok(loaded)
}

fn fields(request: &LoadRequest) -> (Vec<[u8; 16]>, Vec<[u8; 16]>) {
    let results = request.commands.iter().map(|&key| result_field(key)).collect();
    (results, request.seen.iter().map(|&key| seen_field(key)).collect())
}

fn multi_get(keys: &[Vec<u8>]) -> Cmd {
    let mut command = redis::cmd("MGET");
    command.arg(keys);
    command
}

/// Answers to the calls of each slot, taken one by one in the order of the conversations.
struct Snapshots {
    in_cluster: bool,
    by_lane: Vec<std::vec::IntoIter<Value>>,
}

impl Snapshots {
    fn of(
        shared: &Shared,
        parts: &[(Lane, Vec<Vec<u8>>)],
        answers: &mut impl Iterator<Item = Value>,
    ) -> EngineResult<Self> {
        let mut by_lane: Vec<_> = (0..shared.keys().lanes()).map(|_| Vec::new().into_iter()).collect();
        for ((lane, _), answer) in parts.iter().zip(answers) {
            by_lane[*lane] = elements(answer, "MGET")?.into_iter();
        }
        Ok(Self { in_cluster: shared.topology.in_cluster(), by_lane })
    }

    fn next(&mut self, lane: Lane) -> EngineResult<Option<Vec<u8>>> {
        let lane = if self.in_cluster { lane } else { 0 };
        bytes(self.by_lane[lane].next().ok_or_else(|| garbled("MGET"))?, "MGET")
    }
}

pub(super) async fn due(
    shared: &Shared,
    shard: ShardId,
    until: TimestampMs,
    limit: usize,
) -> EngineResult<Vec<(TimestampMs, ConversationId)>> {
    let view = shared.shard(shard)?;
    let (floor, version) = view.earliest.lock().look();
    if view.is_held() && floor > until {
        return Ok(vec![]);
    }
    let timers = timers(shared, shard, score(until), limit.max(1)).await?;
    // None until then says nothing about later: only a look without an end learns that there is none.
    if let Some(&(first, _)) = timers.first() {
        view.earliest.lock().learn(version, Some(first));
    }
    Ok(timers.into_iter().filter(|&(at, _)| at <= until).take(limit).collect())
}

pub(super) async fn next_due(shared: &Shared, shard: ShardId) -> EngineResult<Option<TimestampMs>> {
    let view = shared.shard(shard)?;
    let known = view.earliest.lock().known();
    if let Some(known) = known.filter(|_| view.is_held()) {
        return Ok(known);
    }
    let (_, version) = view.earliest.lock().look();
    let first = timers(shared, shard, EXACT_MS, 1).await?.first().map(|&(at, _)| at);
    view.earliest.lock().learn(version, first);
    Ok(first)
}

async fn timers(
    shared: &Shared,
    shard: ShardId,
    until: i64,
    limit: usize,
) -> EngineResult<Vec<(TimestampMs, ConversationId)>> {
    let lane = shared.keys().lane(shard);
    let mut command = redis::cmd("ZRANGEBYSCORE");
    command.arg(shared.keys().timers(shard)).arg("-inf").arg(until).arg("WITHSCORES");
    command.arg("LIMIT").arg(0).arg(limit);
    let answer = elements(shared.topology.ask(lane, command).await?, "ZRANGEBYSCORE")?;
    let mut timers = Vec::with_capacity(answer.len() / 2);
    for pair in answer.chunks_exact(2) {
        let (at, id) = read_pair(pair).ok_or_else(|| garbled("ZRANGEBYSCORE"))?;
        let at = if at.0.abs() < EXACT_MS { at } else { exact(shared, shard, id).await?.unwrap_or(at) };
        timers.push((at, id));
    }
    timers.sort_unstable();
    Ok(timers)
}

fn read_pair(pair: &[Value]) -> Option<(TimestampMs, ConversationId)> {
    let [Value::BulkString(id), Value::BulkString(score)] = pair else { return None };
    let id = ConversationId(u128::from_be_bytes(id.as_slice().try_into().ok()?));
    let score: f64 = std::str::from_utf8(score).ok()?.parse().ok()?;
    Some((TimestampMs(score as i64), id))
}

/// A timer beyond what a score can say.
async fn exact(shared: &Shared, shard: ShardId, id: ConversationId) -> EngineResult<Option<TimestampMs>> {
    let mut command = redis::cmd("GETRANGE");
    command.arg(shared.keys().conversation(shard, id)).arg(0).arg(TIMER_BYTES - 1);
    let value = bytes(shared.topology.ask(shared.keys().lane(shard), command).await?, "GETRANGE")?;
    Ok(value.and_then(|value| read_timer(&value)).flatten())
}
