//! What is looked at now and then: memory, time, the ends of all logs; and what other nodes tell.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use futures_util::StreamExt;
use protocol::shard::ShardId;
use protocol::time::TimestampMs;
use redis::Value;

use super::errors::{garbled, number, numbers};
use super::library::Function;
use super::shared::Shared;
use crate::engine::limits::{REDIS_RECONNECT_MAX, REDIS_WATCH_INTERVAL};
use crate::engine::{EngineError, EngineResult};

/// Looks once, in full: before a store is used, and in tests that compare numbers.
pub(super) async fn look(shared: &Shared) -> EngineResult<()> {
    look_at_memory(shared).await?;
    look_at_clock(shared).await?;
    look_at_listeners(shared).await?;
    look_at_heads(shared).await
}

/// Until the store is dropped. A server that does not answer is asked again: the calls that need it say so.
pub(super) async fn watch(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(REDIS_WATCH_INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = look(&shared).await {
            tracing::debug!(%error, "the Redis server was not looked at");
        }
    }
}

async fn look_at_memory(shared: &Shared) -> EngineResult<()> {
    let (mut stored_bytes, mut shortage) = (0, None);
    for (_, server) in shared.topology.servers() {
        let inspection = server.inspect().await?;
        let (used, most) = (inspection.number("used_memory"), inspection.number("maxmemory"));
        stored_bytes += used;
        let mark = most / 100 * u64::from(shared.options.memory_high_percent);
        if most > 0 && used >= mark {
            shortage =
                Some(format!("Redis uses {used} bytes of memory, {mark} may be used before appends wait"));
        }
    }
    shared.gauges.stored_bytes.store(stored_bytes, Ordering::Relaxed);
    let mut memory = shared.gauges.memory.lock();
    match (&*memory, &shortage) {
        (None, Some(reason)) => tracing::warn!(%reason, "appends are refused"),
        (Some(_), None) => tracing::info!("Redis has memory again, appends are taken"),
        _ => {}
    }
    *memory = shortage;
    Ok(())
}

/// The clock of the first lane's master; leases are counted by the clock of their own.
async fn look_at_clock(shared: &Shared) -> EngineResult<()> {
    let asked = Instant::now();
    let answer = numbers(&shared.topology.ask(0, redis::cmd("TIME")).await?, "TIME")?;
    let &[seconds, micros] = answer.as_slice() else { return Err(garbled("TIME")) };
    let server = TimestampMs(seconds as i64 * 1_000 + micros as i64 / 1_000);
    shared.clock.compare(server, asked.elapsed());
    Ok(())
}

/// In a cluster every node of it has listeners of its own, so there is always somebody.
async fn look_at_listeners(shared: &Shared) -> EngineResult<()> {
    if shared.topology.in_cluster() {
        return Ok(());
    }
    let mut ask = redis::cmd("PUBSUB");
    ask.arg("NUMSUB").arg(shared.keys().channel());
    let Value::Array(counts) = shared.topology.ask(0, ask).await? else { return Err(garbled("PUBSUB")) };
    let listeners = counts.get(1).and_then(number).unwrap_or(0);
    shared.alone.store(listeners <= 1, Ordering::Relaxed);
    Ok(())
}

async fn look_at_heads(shared: &Shared) -> EngineResult<()> {
    let shards = shared.keys().shards().all().map(|shard| (shared.keys().lane(shard), shard));
    let parts = shared.topology.split(shards);
    let calls = parts.iter().map(|(lane, shards)| {
        let keys: Vec<Vec<u8>> = shards
            .iter()
            .flat_map(|&shard| [shared.keys().head(shard), shared.keys().timers(shard)])
            .collect();
        (*lane, shared.topology.functions().call(Function::Heads, &keys))
    });
    let answers = shared.topology.ask_all(calls.collect()).await?;
    for ((_, shards), answer) in parts.iter().zip(answers) {
        let heads = numbers(&answer, "heads")?;
        for (&shard, head) in shards.iter().zip(heads.chunks_exact(3)) {
            take_up(shared, shard, head)?;
        }
    }
    Ok(())
}

/// Of shards that are leased here the commits know more than an answer that they may have overtaken.
fn take_up(shared: &Shared, shard: ShardId, head: &[u64]) -> EngineResult<()> {
    let &[last, applied, timers] = head else { return Err(garbled("heads")) };
    let view = shared.shard(shard)?;
    let generation = shared.generation(shard);
    let lease = view.lease.lock();
    if lease.is_none() {
        if view.counted_in.swap(generation, Ordering::Relaxed) != generation {
            view.recount(last, applied, timers);
        } else {
            // An append of ours may have been answered meanwhile: numbers only grow.
            view.count(last, Some(applied), Some(timers));
        }
    }
    drop(lease);
    shared.heard(shard, last);
    Ok(())
}

/// Listens to other nodes, for as long as the store is open. What is missed is found by [`watch`].
pub(super) async fn listen(shared: Arc<Shared>) {
    loop {
        if let Err(error) = listen_once(&shared).await {
            tracing::debug!(%error, "news of other nodes are not heard");
        }
        tokio::time::sleep(REDIS_RECONNECT_MAX).await;
    }
}

async fn listen_once(shared: &Shared) -> EngineResult<()> {
    let server = shared.topology.server(0);
    // Finds out which address is the master.
    server.inspect().await?;
    let client = server.current().ok_or_else(|| EngineError::Failed("not connected".into()))?;
    let mut news = client.get_async_pubsub().await.map_err(super::errors::failed)?;
    news.subscribe(shared.keys().channel()).await.map_err(super::errors::failed)?;
    let mut news = news.into_on_message();
    while let Some(message) = news.next().await {
        if let Ok(text) = std::str::from_utf8(message.get_payload_bytes()) {
            take_in(shared, text);
        }
    }
    Ok(())
}

/// `instance shard:last shard:last …`
fn take_in(shared: &Shared, text: &str) {
    let mut words = text.split(' ');
    if words.next() == Some(&shared.instance) {
        return;
    }
    for (shard, last) in words.filter_map(|word| word.split_once(':')) {
        if let (Ok(shard), Ok(last)) = (shard.parse(), last.parse()) {
            shared.heard(ShardId(shard), last);
        }
    }
}
