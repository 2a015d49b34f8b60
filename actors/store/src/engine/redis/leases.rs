//! Leases, by the server's clock.

use protocol::shard::ShardId;
use protocol::time::SpanMs;
use redis::Value;

use super::calls::Call;
use super::commits::{first_number, write};
use super::errors::{bytes, elements, garbled, numbers};
use super::keys::Lane;
use super::library::Function;
use super::server::Line;
use super::shared::{Held, Shared};
use crate::engine::{EngineError, EngineResult, Lease, Position, Token};

/// Where [`super::keys::Keys::nodes`] is.
const NODES_LANE: Lane = 0;

/// As the head of a shard holds it.
pub(super) fn token_text(token: Token) -> String {
    format!("{}-{:016x}", token.epoch, token.nonce)
}

/// `None` where there was none.
fn token_of(text: &str) -> Option<Token> {
    let (epoch, nonce) = text.split_once('-')?;
    Some(Token { epoch: epoch.parse().ok()?, nonce: u64::from_str_radix(nonce, 16).ok()? })
}

/// Every node that is there, in ascending order, after this one said so (or, without `ttl`, that it leaves).
pub(super) async fn heartbeat(shared: &Shared, node: u64, ttl: SpanMs) -> EngineResult<Vec<u64>> {
    shared.check_open()?;
    let mut command = shared.topology.functions().call(Function::Heartbeat, &[shared.keys().nodes()]);
    command.arg(shared.handed_in_clock()).arg(node).arg(ttl.0);
    let calls = vec![write(NODES_LANE, command)];
    let answer = shared.topology.run(Line::Ask, calls, &shared.topology.reading()).await.pop();
    let answer = answer.unwrap_or_else(|| Err(garbled("heartbeat")))?;
    let mut nodes = numbers(&answer.value, "heartbeat")?;
    nodes.sort_unstable();
    Ok(nodes)
}

pub(super) async fn acquire(
    shared: &Shared,
    shard: ShardId,
    node: u64,
    ttl: SpanMs,
) -> EngineResult<Option<Lease>> {
    shared.check_open()?;
    let (view, lane, nonce) = (shared.shard(shard)?, shared.keys().lane(shard), rand::random::<u64>());
    let touched = [shared.keys().head(shard), shared.keys().timers(shard)];
    let mut command = shared.topology.functions().call(Function::Acquire, &touched);
    command.arg(shared.handed_in_clock()).arg(node).arg(ttl.0).arg(format!("{nonce:016x}"));
    let mut answers = shared.topology.run(Line::Commit, vec![write(lane, command)], &shared.guarantee).await;
    let answer = answers.pop().unwrap_or_else(|| Err(garbled("acquire")))?;
    let mut granted = elements(answer.value, "acquire")?;
    let Some(before) = granted.pop() else { return Ok(None) };
    let before = bytes(before, "acquire")?.unwrap_or_default();
    let before = token_of(&String::from_utf8_lossy(&before));
    let granted = numbers(&Value::Array(granted), "acquire")?;
    let &[epoch, position, last, timers] = granted.as_slice() else { return Err(garbled("acquire")) };
    let token = Token { epoch, nonce };
    let mut tail = view.tail.lock();
    tail.restart(answer.generation, position);
    tail.heard(answer.generation, last);
    drop(tail);
    *view.earliest.lock() = Default::default();
    *view.newest_batch.lock() = None;
    let mut lease = view.lease.lock();
    view.recount(last, position, timers);
    *lease = Some(Held { token, generation: answer.generation });
    drop(lease);
    Ok(Some(Lease { shard, token, position: Position(position), before }))
}

/// All leases of one master in one call.
pub(super) async fn renew(
    shared: &Shared,
    leases: &[(ShardId, Token)],
    ttl: SpanMs,
) -> EngineResult<Vec<bool>> {
    leases.iter().try_for_each(|&(shard, _)| shared.shard(shard).map(drop))?;
    let mut renewed = vec![false; leases.len()];
    let places = leases.iter().enumerate().map(|(place, &(shard, _))| (shared.keys().lane(shard), place));
    let parts = shared.topology.split(places);
    let calls = parts.iter().map(|(lane, places)| renewal(shared, *lane, leases, places, ttl));
    let answers = shared.topology.run(Line::Ask, calls.collect(), &shared.topology.reading()).await;
    for ((_, places), answer) in parts.iter().zip(answers) {
        let answer = answer?;
        for (&place, renewal) in places.iter().zip(numbers(&answer.value, "renew")?) {
            let (shard, token) = leases[place];
            let held = *shared.shard(shard)?.lease.lock();
            // One that was granted by an earlier incarnation of the server must not be relied on.
            let current =
                held.is_some_and(|held| held.token == token && held.generation == answer.generation);
            renewed[place] = renewal == 1 && current;
        }
    }
    Ok(renewed)
}

fn renewal(shared: &Shared, lane: Lane, leases: &[(ShardId, Token)], places: &[usize], ttl: SpanMs) -> Call {
    let heads: Vec<Vec<u8>> = places.iter().map(|&place| shared.keys().head(leases[place].0)).collect();
    let mut command = shared.topology.functions().call(Function::Renew, &heads);
    command.arg(shared.handed_in_clock()).arg(ttl.0);
    for &place in places {
        command.arg(token_text(leases[place].1));
    }
    write(lane, command)
}

pub(super) async fn release(shared: &Shared, shard: ShardId, token: Token) -> EngineResult<()> {
    let view = shared.shard(shard)?;
    let mut command = shared.topology.functions().call(Function::Release, &[shared.keys().head(shard)]);
    command.arg(token_text(token));
    let calls = vec![write(shared.keys().lane(shard), command)];
    let answer = shared.topology.run(Line::Commit, calls, &shared.guarantee).await.pop();
    let released = first_number(&answer.unwrap_or_else(|| Err(garbled("release")))?) == Some(1);
    if view.lease.lock().is_some_and(|held| held.token == token) {
        view.lose();
    }
    if released { Ok(()) } else { Err(EngineError::Fenced) }
}
