//! Measures the engine in Redis: `cargo run --release -p store --example redis_bench -- redis://127.0.0.1:6379 [fsync]`.
//!
//! A webhook-shaped operation is one entry of 400 bytes appended, read by its shard's owner, and committed with
//! one snapshot of 600 bytes and one fact of 250 bytes. Many tasks append; two owners drive half of the shards each,
//! as the arbiters of a node do. The store `bench` on that server is written over.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on shall panic")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use protocol::id::ConversationId;
use protocol::shard::ShardId;
use protocol::time::{SpanMs, TimestampMs};
use store::engine::{
    Commit, ConversationWrite, Durability, Engine, FactLane, FactPosition, Lease, RedisEngine, RedisOptions,
};

/// The allocator of the server.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const CONVERSATIONS: u64 = 200_000;
const OWNERS: usize = 2;
const ENTRY_BYTES: usize = 400;
const SNAPSHOT_BYTES: usize = 600;
const FACT_BYTES: usize = 250;
const RUN: Duration = Duration::from_secs(8);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let url = std::env::args().nth(1).expect("redis://host:port");
    let fsync = std::env::args().nth(2).is_some_and(|word| word == "fsync");
    let options = RedisOptions {
        name: "bench".into(),
        durability: if fsync { Durability::Fsync } else { Durability::EverySecond },
        ..RedisOptions::new(url.clone())
    };
    let server = Server::connect(&url).await;
    let engine = Arc::new(RedisEngine::open(options).await.unwrap());
    println!("{}", engine.describe());
    let shards: Vec<ShardId> = engine.identity().shards.all().collect();
    fill(&engine, &server, &shards).await;
    for appenders in [64, 1_024] {
        run(&engine, &server, &shards, appenders).await;
    }
    engine.close().await.unwrap();
}

/// What the server says of itself.
struct Server(redis::aio::MultiplexedConnection);

impl Server {
    async fn connect(url: &str) -> Self {
        let client = redis::Client::open(url).unwrap();
        Self(client.get_multiplexed_async_connection().await.unwrap())
    }

    async fn info(&self, keys: &[&str]) -> f64 {
        let text: String = redis::cmd("INFO").query_async(&mut self.0.clone()).await.unwrap();
        let fields: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once(':')).collect();
        keys.iter().map(|key| fields[key].trim().parse::<f64>().unwrap()).sum()
    }

    /// In microseconds.
    async fn cpu(&self) -> f64 {
        self.info(&["used_cpu_user", "used_cpu_sys"]).await * 1e6
    }
}

async fn lease_all(engine: &RedisEngine, shards: &[ShardId]) -> Vec<Lease> {
    let acquire = shards.iter().map(|&shard| engine.acquire(shard, 1, SpanMs::hours(1)));
    futures_util::future::join_all(acquire).await.into_iter().map(|lease| lease.unwrap().unwrap()).collect()
}

/// Conversations with a timer each.
async fn fill(engine: &RedisEngine, server: &Server, shards: &[ShardId]) {
    let leases = lease_all(engine, shards).await;
    let (begun, bytes) = (Instant::now(), server.info(&["used_memory"]).await);
    for lease in &leases {
        let mine = (0..CONVERSATIONS).filter(|n| shard_of(*n) == lease.shard).collect::<Vec<_>>();
        for chunk in mine.chunks(128) {
            let mut commit = empty(lease);
            let timer = |n: u64| Some(TimestampMs(1_790_000_000_000 + n as i64));
            commit.conversations = chunk.iter().map(|&n| write(n, None, timer(n))).collect();
            engine.commit(commit).await.unwrap();
        }
    }
    let bytes = server.info(&["used_memory"]).await - bytes;
    println!(
        "filled {CONVERSATIONS} conversations of {SNAPSHOT_BYTES} bytes with a timer each: {:.0} a second, {:.0} bytes \
         of server memory each",
        CONVERSATIONS as f64 / begun.elapsed().as_secs_f64(),
        bytes / CONVERSATIONS as f64
    );
}

/// What a run counts.
#[derive(Default)]
struct Counts {
    appended: AtomicU64,
    applied: AtomicU64,
    commits: AtomicU64,
    rounds: AtomicU64,
    append_us: Mutex<Vec<u32>>,
    stop: AtomicBool,
}

async fn run(engine: &Arc<RedisEngine>, server: &Server, shards: &[ShardId], appenders: u64) {
    let counts = Arc::new(Counts::default());
    let leases = lease_all(engine, shards).await;
    let mut tasks = tokio::task::JoinSet::new();
    for owned in leases.chunks(leases.len() / OWNERS) {
        let (engine, counts, owned) = (engine.clone(), counts.clone(), owned.to_vec());
        tasks.spawn(async move { own(&engine, owned, &counts).await });
    }
    tasks.spawn(project(engine.clone()));
    let (begun, ours, theirs) = (Instant::now(), cpu(), server.cpu().await);
    let mut appending = tokio::task::JoinSet::new();
    for task in 0..appenders {
        let (engine, counts) = (engine.clone(), counts.clone());
        appending.spawn(async move { append(&engine, task, &counts).await });
    }
    tokio::time::sleep(RUN).await;
    counts.stop.store(true, Ordering::Relaxed);
    let (seconds, ours, theirs) = (begun.elapsed().as_secs_f64(), cpu() - ours, server.cpu().await - theirs);
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
    let applied = count(&counts.applied);
    println!(
        "{appenders} appenders: {:.0} appended/s, {:.0} applied/s; CPU per operation {:.1} us here, {:.1} us in the \
         server ({:.0} % of a processor); {:.1} events a commit, {:.0} commits a round, backlog {}",
        count(&counts.appended) / seconds,
        applied / seconds,
        ours / applied,
        theirs / applied,
        theirs / seconds / 1e4,
        applied / count(&counts.commits),
        count(&counts.commits) / count(&counts.rounds),
        engine.stats().backlog_entries,
    );
    while appending.join_next().await.is_some() {}
    print_latencies(std::mem::take(&mut *counts.append_us.lock()));
    while engine.stats().backlog_entries > 0 {
        tokio::task::yield_now().await;
    }
    tasks.shutdown().await;
}

fn print_latencies(mut latencies_us: Vec<u32>) {
    latencies_us.sort_unstable();
    let at = |share: f64| f64::from(latencies_us[(latencies_us.len() as f64 * share) as usize]) / 1e3;
    println!("  append: p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms", at(0.5), at(0.99), at(0.999));
}

async fn append(engine: &RedisEngine, task: u64, counts: &Counts) {
    let mut n = task * 7_919;
    let mut latencies_us = vec![];
    while !counts.stop.load(Ordering::Relaxed) {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let conversation = (n >> 20) % CONVERSATIONS;
        let mut entry = vec![b'x'; ENTRY_BYTES];
        entry[..8].copy_from_slice(&conversation.to_le_bytes());
        let begun = Instant::now();
        if engine.append(vec![(shard_of(conversation), entry.into())]).await.is_ok() {
            latencies_us.push(begun.elapsed().as_micros() as u32);
            counts.appended.fetch_add(1, Ordering::Relaxed);
        }
    }
    counts.append_us.lock().append(&mut latencies_us);
}

/// Reads for all its shards, commits for all its shards.
async fn own(engine: &RedisEngine, leases: Vec<Lease>, counts: &Counts) {
    let mut leases: BTreeMap<ShardId, Lease> = leases.into_iter().map(|lease| (lease.shard, lease)).collect();
    loop {
        let cursors: Vec<_> = leases.values().map(|lease| (lease.shard, lease.position)).collect();
        let mut commits = vec![];
        for (shard, entries) in engine.read_any(&cursors, 128).await.unwrap() {
            let lease = leases.get_mut(&shard).unwrap();
            let mut commit = empty(lease);
            for entry in &entries {
                let conversation = u64::from_le_bytes(entry.bytes[..8].try_into().unwrap());
                if commit.conversations.iter().all(|write| write.conversation != spread(conversation)) {
                    commit.conversations.push(write(conversation, None, None));
                }
                commit.facts.push(vec![b'f'; FACT_BYTES].into());
            }
            commit.new_position = entries.last().unwrap().position;
            lease.position = commit.new_position;
            counts.applied.fetch_add(entries.len() as u64, Ordering::Relaxed);
            commits.push(Arc::new(commit));
        }
        counts.commits.fetch_add(commits.len() as u64, Ordering::Relaxed);
        counts.rounds.fetch_add(1, Ordering::Relaxed);
        for committed in engine.commit_all(commits).await.unwrap() {
            committed.unwrap();
        }
    }
}

/// Reads and trims facts as the projection does.
async fn project(engine: Arc<RedisEngine>) {
    let mut after: BTreeMap<FactLane, FactPosition> =
        engine.identity().shards.all().map(|shard| (engine.fact_lane(shard), FactPosition(0))).collect();
    loop {
        let cursors: Vec<_> = after.iter().map(|(&lane, &position)| (lane, position)).collect();
        let mut moved = BTreeMap::new();
        for (lane, position, _) in engine.facts_any(&cursors, 2_048).await.unwrap() {
            moved.insert(lane, position);
        }
        let trims = moved.iter().map(|(&lane, &through)| engine.trim_facts(lane, through));
        futures_util::future::join_all(trims).await;
        after.extend(moved);
    }
}

fn shard_of(n: u64) -> ShardId {
    ShardId((n % 256) as u16)
}

fn empty(lease: &Lease) -> Commit {
    Commit {
        shard: lease.shard,
        token: lease.token,
        batch_id: rand::random(),
        expected_position: lease.position,
        new_position: lease.position,
        now: TimestampMs(0),
        conversations: vec![],
        facts: vec![],
        results: vec![],
        seen: vec![],
        aliases: vec![],
        forwards: vec![],
        dead_letters: vec![],
    }
}

fn write(n: u64, timer_before: Option<TimestampMs>, timer_after: Option<TimestampMs>) -> ConversationWrite {
    let snapshot = vec![b's'; SNAPSHOT_BYTES].into();
    ConversationWrite { conversation: spread(n), snapshot, timer_before, timer_after }
}

/// Ids are hashes.
fn spread(n: u64) -> ConversationId {
    ConversationId(protocol::id::derive("bench", &[&n.to_le_bytes()]))
}

/// CPU time of this process so far in microseconds (user and system, all threads).
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks * 10_000.0
}
