//! How late timers fire while ten million others wait in Redis.
//!
//! `cargo bench -p runtime --bench timers -- redis://127.0.0.1:6379 [PENDING [DUE [SECONDS]]]` fills a store of its own
//! with conversations whose timers are hours away, and others that are due within the measured time; then a node starts
//! and ticks them. Ten million take about 3.5 GB of that server, and some minutes to write.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on shall panic")]

#[allow(dead_code, reason = "the other benchmarks use the rest")]
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use bytes::Bytes;
use domain::conversation::Conversation;
use prometheus::Registry;
use protocol::shard::ShardId;
use protocol::time::{SpanMs, TimestampMs};
use runtime::{Metrics, Node, NodeOptions, NodeSettings};
use store::engine::{
    Commit, ConversationWrite, Durability, Engine, EngineError, Lease, RedisEngine, RedisOptions,
};
use world::{Nowhere, address, directory};

/// Whoever fills the store.
const FILLER: u64 = 99;
const LEASE: SpanMs = SpanMs::hours(1);
/// Conversations of one commit, and of one call.
const EACH: usize = 128;
const TOGETHER: usize = EACH * 32;
/// Timers that wait are due between a day and two from now, as windows are that were just opened.
const FAR: SpanMs = SpanMs::hours(24);
/// From the last write to the first timer that is due: the node has started by then.
const BEGIN: SpanMs = SpanMs::seconds(8);

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let url = arguments.next().expect("redis://host:port");
    let mut numbers = arguments.filter_map(|argument| argument.parse::<u64>().ok());
    let pending = numbers.next().unwrap_or(10_000_000);
    let due = numbers.next().unwrap_or(60_000);
    let time = SpanMs::seconds(numbers.next().unwrap_or(60) as i64);
    actix::System::new().block_on(measure(&url, pending, due, time));
}

async fn measure(url: &str, pending: u64, due: u64, time: SpanMs) {
    let name = format!("timers-{}", std::process::id());
    let options = RedisOptions { name, durability: Durability::EverySecond, ..RedisOptions::new(url) };
    let engine = Arc::new(RedisEngine::open(options).await.unwrap());
    let mut filler = Filler { engine: Arc::clone(&engine), leases: BTreeMap::new(), batches: 0 };
    filler.acquire().await;
    let began_at = Instant::now();
    let day = engine.now().await.unwrap() + FAR;
    filler.fill(0..pending, |place| day + SpanMs((place * 8_641 % 86_400_000) as i64)).await;
    println!("{pending} timers written in {:.0} s", began_at.elapsed().as_secs_f64());
    // What is due is written last and fast, so that nothing is late before the node is there.
    let begin = engine.now().await.unwrap() + BEGIN;
    filler
        .fill(pending..pending + due, |place| {
            begin + SpanMs(((place - pending) as i64 * time.0) / due as i64)
        })
        .await;
    filler.release().await;

    let registry = Registry::new();
    let metrics = Arc::new(Metrics::new(&registry).unwrap());
    let node = Node::start(NodeOptions {
        engine: engine.clone(),
        directory: Arc::new(ArcSwap::from_pointee(directory(1_000))),
        provider: Arc::new(Nowhere),
        credits: None,
        files: None,
        settings: NodeSettings { node_id: 1, ..NodeSettings::default() },
        metrics: Arc::clone(&metrics),
    })
    .unwrap();
    while metrics.timer_lateness.get_sample_count() < due {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    report(&registry, engine.stats().timers_pending);
    node.shutdown().await;
}

struct Filler {
    engine: Arc<RedisEngine>,
    leases: BTreeMap<ShardId, Lease>,
    batches: u128,
}

impl Filler {
    async fn acquire(&mut self) {
        for shard in self.engine.identity().shards.all() {
            let lease = self.engine.acquire(shard, FILLER, LEASE).await.unwrap().unwrap();
            self.leases.insert(shard, lease);
        }
    }

    async fn release(&self) {
        for (shard, lease) in &self.leases {
            self.engine.release(*shard, lease.token).await.unwrap();
        }
    }

    async fn fill(&mut self, places: std::ops::Range<u64>, at: impl Fn(u64) -> TimestampMs) {
        let shards = self.engine.identity().shards;
        let mut places = places.peekable();
        while places.peek().is_some() {
            let mut writes = BTreeMap::<ShardId, Vec<ConversationWrite>>::new();
            for place in places.by_ref().take(TOGETHER) {
                let address = address(place);
                let conversation = address.conversation;
                let snapshot = Bytes::from(Conversation::new(address).encode().unwrap());
                let timer_after = Some(at(place));
                let write = ConversationWrite { conversation, snapshot, timer_before: None, timer_after };
                writes.entry(shards.shard_of(conversation)).or_default().push(write);
            }
            self.commit(writes).await;
        }
    }

    async fn commit(&mut self, writes: BTreeMap<ShardId, Vec<ConversationWrite>>) {
        let now = self.engine.now().await.unwrap();
        let mut commits = Vec::with_capacity(writes.len());
        for (shard, conversations) in writes {
            self.batches += 1;
            let lease = &self.leases[&shard];
            commits.push(Arc::new(Commit {
                shard,
                token: lease.token,
                batch_id: self.batches,
                expected_position: lease.position,
                new_position: lease.position,
                now,
                conversations,
                facts: Vec::new(),
                results: Vec::new(),
                seen: Vec::new(),
                aliases: Vec::new(),
                forwards: Vec::new(),
                dead_letters: Vec::new(),
            }));
        }
        // A server that rewrites its file may take long to answer: what is not known is sent again, as owners do.
        while !commits.is_empty() {
            let committed = self.engine.commit_all(commits.clone()).await.unwrap();
            let mut unknown =
                committed.into_iter().map(|answer| matches!(answer, Err(EngineError::Unknown(_))));
            commits.retain(|_| unknown.next().unwrap_or_default());
        }
    }
}

/// The share of ticks that were no later than each bound of the histogram.
fn report(registry: &Registry, pending: u64) {
    let families = registry.gather();
    let family = families.iter().find(|family| family.name() == "gateway_timer_lateness_seconds").unwrap();
    let histogram = family.get_metric()[0].get_histogram();
    let count = histogram.get_sample_count();
    println!("{count} timers fired, {pending} wait");
    for bucket in histogram.get_bucket() {
        let share = bucket.cumulative_count() as f64 / count as f64 * 100.0;
        println!("  within {:>6} s: {share:.2} %", bucket.upper_bound());
    }
}
