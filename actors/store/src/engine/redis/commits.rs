//! The fenced commit: one call for many shards, each all or nothing by itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::shard::ShardId;
use redis::{Cmd, Value};

use super::aliases;
use super::append::{append_group, check as check_entries, copy};
use super::calls::{Answer, Call};
use super::errors::{elements, garbled, number, numbers};
use super::keys::Lane;
use super::library::Function;
use super::part::Part;
use super::remembered::{RESULTS, SEEN};
use super::server::Line;
use super::shared::Shared;
use crate::engine::limits::{REDIS_CALL_BYTES_MAX, REDIS_CALL_WRITES_MAX};
use crate::engine::{Commit, Committed, EngineError, EngineResult};

/// What a key brings with it besides snapshots and facts, about: room that is asked for at once.
const CALL_BYTES_PER_KEY: usize = 100;

/// What the functions answer first.
const APPLIED: u64 = 1;
const ALREADY: u64 = 2;
const FENCED: u64 = 3;

type Results = Vec<Option<EngineResult<Committed>>>;

pub(super) async fn commit(
    shared: &Shared,
    commits: &[Arc<Commit>],
) -> EngineResult<Vec<EngineResult<Committed>>> {
    shared.check_open()?;
    let mut results: Results = commits.iter().map(|commit| refusal(shared, commit).map(Err)).collect();
    let with_aliases = open_places(&results).filter(|&place| !commits[place].aliases.is_empty());
    write_aliases(shared, commits, with_aliases.collect(), &mut results).await;
    if shared.topology.in_cluster() {
        let with_forwards = open_places(&results).filter(|&place| !commits[place].forwards.is_empty());
        forward_first(shared, commits, with_forwards.collect(), &mut results).await;
    }
    let open = open_places(&results).map(|place| (shared.keys().lane(commits[place].shard), place));
    let mut chunks = Vec::new();
    for (lane, places) in shared.topology.split(open.collect::<Vec<_>>()) {
        chunks.extend(in_chunks(commits, places).into_iter().map(|chunk| (lane, chunk)));
    }
    let calls = chunks.iter_mut().map(|(lane, chunk)| prepare(shared, *lane, commits, chunk, &mut results));
    let calls: Vec<Call> = calls.collect();
    let answers = shared.topology.run(Line::Commit, calls, &shared.guarantee).await;
    for ((_, chunk), answer) in chunks.iter().zip(answers) {
        let read = answer.and_then(|answer| elements(answer.value, "commit").map_err(in_doubt));
        match read {
            Ok(values) if values.len() == chunk.len() => {
                for (&place, value) in chunk.iter().zip(&values) {
                    results[place] = Some(settle(shared, &commits[place], value));
                }
            }
            Ok(_) => chunk.iter().for_each(|&place| results[place] = Some(Err(in_doubt(garbled("commit"))))),
            Err(error) => {
                for &place in chunk {
                    doubt(shared, &commits[place], &error);
                    results[place] = Some(Err(copy(&error)));
                }
            }
        }
    }
    Ok(results.into_iter().map(|result| result.unwrap_or_else(|| Err(garbled("commit")))).collect())
}

fn open_places(results: &Results) -> impl Iterator<Item = usize> + use<'_> {
    results.iter().enumerate().filter(|(_, result)| result.is_none()).map(|(place, _)| place)
}

fn in_doubt(error: EngineError) -> EngineError {
    EngineError::Unknown(error.to_string())
}

/// What need not be sent.
fn refusal(shared: &Shared, commit: &Commit) -> Option<EngineError> {
    let view = match shared.shard(commit.shard) {
        Ok(view) => view,
        Err(error) => return Some(error),
    };
    if let Err(error) = check_entries(shared, &commit.forwards) {
        return Some(error);
    }
    let held = *view.lease.lock();
    let current = held.is_some_and(|held| held.token == commit.token);
    (!current).then_some(EngineError::Fenced)
}

/// Aliases are looked up by whoever does not know the shard, so they are elsewhere: written before, and harmless
/// if the commit is refused, since they are true all the same.
async fn write_aliases(shared: &Shared, commits: &[Arc<Commit>], places: Vec<usize>, results: &mut Results) {
    let names = places.iter().flat_map(|&place| &commits[place].aliases);
    if let Err(error) = aliases::write(shared, names).await {
        places.into_iter().for_each(|place| results[place] = Some(Err(copy(&error))));
    }
}

/// In a cluster other shards are on other servers: their entries are appended before the commit, but not for one
/// that is refused or repeated anyway. Twice is harmless, never would not be.
async fn forward_first(shared: &Shared, commits: &[Arc<Commit>], places: Vec<usize>, results: &mut Results) {
    let calls = places.iter().map(|&place| verify(shared, &commits[place])).collect();
    let answers = shared.topology.run(Line::Commit, calls, &shared.guarantee).await;
    for (&place, answer) in places.iter().zip(answers) {
        let verdict = answer.and_then(|answer| numbers(&answer.value, "verify"));
        let verdict = verdict.map(|verdict| verdict.first().copied().unwrap_or(FENCED));
        if matches!(verdict, Ok(APPLIED)) {
            let mut by_shard = BTreeMap::<ShardId, Vec<_>>::new();
            for (shard, bytes) in &commits[place].forwards {
                by_shard.entry(*shard).or_default().push(bytes.clone());
            }
            let appended = append_group(shared, by_shard).await;
            if let Some(error) = appended.values().find_map(|result| result.as_ref().err()) {
                results[place] = Some(Err(EngineError::Failed(error.to_string().into())));
            }
        } else if let Err(error) = verdict {
            results[place] = Some(Err(super::errors::nothing_changed(error)));
        }
        // Refused or repeated: the commit itself says so, without forwards.
    }
}

fn verify(shared: &Shared, commit: &Commit) -> Call {
    let lane = shared.keys().lane(commit.shard);
    let mut command = shared.topology.functions().call(Function::Verify, &[shared.keys().head(commit.shard)]);
    add_identity(&mut command, shared, commit);
    Call { lane, bound: Some(held_generation(shared, commit)), command }
}

fn token(commit: &Commit) -> String {
    super::leases::token_text(commit.token)
}

fn held_generation(shared: &Shared, commit: &Commit) -> u64 {
    let held = shared.shards[usize::from(commit.shard.0)].lease.lock();
    held.map_or(u64::MAX, |held| held.generation)
}

fn in_chunks(commits: &[Arc<Commit>], places: Vec<usize>) -> Vec<Vec<usize>> {
    let mut chunks = vec![];
    let (mut writes, mut bytes) = (REDIS_CALL_WRITES_MAX, 0);
    for place in places {
        if writes >= REDIS_CALL_WRITES_MAX || bytes >= REDIS_CALL_BYTES_MAX {
            chunks.push(vec![]);
            (writes, bytes) = (0, 0);
        }
        writes += commits[place].conversations.len().max(1);
        bytes += size(&commits[place]);
        chunks.last_mut().into_iter().for_each(|chunk: &mut Vec<usize>| chunk.push(place));
    }
    chunks
}

fn size(commit: &Commit) -> usize {
    let snapshots = commit.conversations.iter().map(|write| write.snapshot.len());
    let facts = commit.facts.iter().map(bytes::Bytes::len);
    snapshots.chain(facts).sum()
}

/// One call. Commits whose lease is of another generation than the others are taken out of the chunk: there was a
/// restart or a fail-over since, and they are fenced.
fn prepare(
    shared: &Shared,
    lane: Lane,
    commits: &[Arc<Commit>],
    chunk: &mut Vec<usize>,
    results: &mut Results,
) -> Call {
    let generation = shared.topology.generations.of(lane);
    chunk.retain(|&place| {
        let current = held_generation(shared, &commits[place]) == generation;
        if !current {
            shared.shards[usize::from(commits[place].shard.0)].lose();
            results[place] = Some(Err(EngineError::Fenced));
        }
        current
    });
    let parts: Vec<_> = chunk.iter().map(|&place| Part::of(shared, &commits[place])).collect();
    let keys = 1 + parts.iter().map(Part::keys).sum::<usize>();
    let bytes: usize = chunk.iter().map(|&place| size(&commits[place])).sum();
    let command = Cmd::with_capacity(4 * keys, bytes + CALL_BYTES_PER_KEY * keys);
    let mut command = shared.topology.functions().begin(Function::Commit, keys, command);
    command.arg(shared.keys().facts(shared.topology.fact_lane(lane)));
    parts.iter().for_each(|part| part.add_keys(&mut command, shared));
    command.arg(shared.channel()).arg(&shared.instance);
    command.arg(RESULTS.hash_life_ms()).arg(SEEN.hash_life_ms());
    parts.iter().for_each(|part| part.add_args(&mut command, shared));
    Call { lane, bound: Some(generation), command }
}

/// What the store checks before anything else.
pub(super) fn add_identity(command: &mut Cmd, shared: &Shared, commit: &Commit) {
    let previous = shared.shards[usize::from(commit.shard.0)].newest_batch.lock().map(u128::to_be_bytes);
    command.arg(token(commit)).arg(&commit.batch_id.to_be_bytes()[..]);
    command.arg(previous.as_ref().map_or(&[][..], |batch| &batch[..]));
    command.arg(commit.expected_position.0).arg(commit.new_position.0);
}

/// Takes up what the server says of one batch.
fn settle(shared: &Shared, commit: &Commit, value: &Value) -> EngineResult<Committed> {
    let Value::Array(parts) = value else { return Err(in_doubt(garbled("commit"))) };
    let part = |place: usize| parts.get(place).and_then(number);
    let view = shared.shard(commit.shard)?;
    let (Some(status), Some(last)) = (part(0), part(1)) else { return Err(in_doubt(garbled("commit"))) };
    view.count(last, None, None);
    match status {
        APPLIED => {
            view.count(last, Some(commit.new_position.0), part(2));
            *view.newest_batch.lock() = Some(commit.batch_id);
            view.tail.lock().applied(commit.new_position.0);
            let mut earliest = view.earliest.lock();
            for write in &commit.conversations {
                earliest.moved(write.timer_before, write.timer_after);
            }
            drop(earliest);
            if !commit.facts.is_empty() {
                shared.facts_committed.notify_waiters();
            }
            for ((shard, _), last) in commit.forwards.iter().zip(parts.iter().skip(3).filter_map(number)) {
                shared.heard(*shard, last);
            }
            Ok(Committed::Applied)
        }
        ALREADY => {
            *view.earliest.lock() = Default::default();
            view.count(last, Some(commit.new_position.0), part(2));
            *view.newest_batch.lock() = parts.get(3).and_then(batch_id);
            Ok(Committed::Already)
        }
        FENCED => {
            view.lose();
            Err(EngineError::Fenced)
        }
        _ => Err(EngineError::Position),
    }
}

fn batch_id(value: &Value) -> Option<u128> {
    let Value::BulkString(bytes) = value else { return None };
    Some(u128::from_be_bytes(bytes.as_slice().try_into().ok()?))
}

/// It may have happened: what this node knows of the shard's timers is not to be trusted.
fn doubt(shared: &Shared, commit: &Commit, error: &EngineError) {
    let view = &shared.shards[usize::from(commit.shard.0)];
    *view.earliest.lock() = Default::default();
    if matches!(error, EngineError::Fenced) {
        view.lose();
    }
}

/// What a call that answers nothing else said.
pub(super) fn first_number(answer: &Answer) -> Option<u64> {
    number(&answer.value)
}

/// A command and its lane, for calls outside of commits.
pub(super) fn write(lane: Lane, command: Cmd) -> Call {
    Call { lane, bound: None, command }
}
