//! Measures the embedded engine: `cargo run --release -p store --example engine_bench -- [writing] [folder]`. Of a
//! million conversations so many are written to, all unless told otherwise.
//!
//! A webhook-shaped operation is one entry of 400 bytes appended, read by its shard's owner, and committed with
//! one snapshot of 600 bytes and one fact of 250 bytes. Many tasks append, one task per shard applies.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on shall panic")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use protocol::id::ConversationId;
use protocol::shard::ShardId;
use protocol::time::{SpanMs, TimestampMs};
use store::engine::{
    Commit, ConversationWrite, Durability, EmbeddedEngine, EmbeddedOptions, Engine, FactLane, FactPosition,
    Lease, SystemClock,
};

/// The allocator of the server.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const CONVERSATIONS: u64 = 1_000_000;
const SHARDS: u16 = 256;
const ENTRY_BYTES: usize = 400;
const SNAPSHOT_BYTES: usize = 600;
const FACT_BYTES: usize = 250;
const RUN: Duration = Duration::from_secs(8);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let temporary = tempfile::tempdir().unwrap();
    let writing = std::env::args().nth(1).map_or(CONVERSATIONS, |writing| writing.parse().unwrap());
    let folder = std::env::args().nth(2).map_or(temporary.path().to_owned(), Into::into);
    fill(&folder).await;
    let opened = Instant::now();
    drop(open(&folder, Durability::Fsync));
    println!("cold open with {CONVERSATIONS} conversations: {:.0} ms", millis(opened.elapsed()));
    for (durability, appenders, batch) in [
        (Durability::Fsync, 1024, 1),
        (Durability::Fsync, 1024, 128),
        (Durability::Fsync, 64, 128),
        (Durability::EverySecond, 1024, 128),
    ] {
        let engine = Arc::new(open(&folder, durability));
        run(&engine, writing, (appenders, batch), durability).await;
        engine.close().await.unwrap();
    }
    let opened = Instant::now();
    let engine = open(&folder, Durability::Fsync);
    println!("open after load: {:.0} ms, {:.0} MB on disk", millis(opened.elapsed()), disk_mb(&engine));
}

fn open(folder: &Path, durability: Durability) -> EmbeddedEngine {
    let options = EmbeddedOptions { durability, ..EmbeddedOptions::new(folder) };
    EmbeddedEngine::open(&options, Arc::new(SystemClock::default())).unwrap()
}

/// A million conversations, each with a timer.
async fn fill(folder: &Path) {
    let engine = open(folder, Durability::EverySecond);
    let begun = (Instant::now(), cpu());
    let leases = lease_all(&engine).await;
    let filling = leases.iter().map(|lease| async {
        let mine = (0..CONVERSATIONS).filter(|n| n % u64::from(SHARDS) == u64::from(lease.shard.0));
        for (index, chunk) in mine.collect::<Vec<_>>().chunks(128).enumerate() {
            let mut commit = empty(lease, index as u128);
            commit.conversations =
                chunk.iter().map(|&n| write(n, None, Some(TimestampMs(n as i64)))).collect();
            engine.commit(commit).await.unwrap();
        }
    });
    futures_util::future::join_all(filling).await;
    engine.close().await.unwrap();
    let (rows, seconds) = (2.0 * CONVERSATIONS as f64, begun.0.elapsed().as_secs_f64());
    println!(
        "filled {CONVERSATIONS} conversations and timers: {:.0} rows/s, {:.1} us CPU per row, {:.0} B on disk each, RSS {:.0} MB",
        rows / seconds,
        (cpu() - begun.1) / rows,
        disk_mb(&engine) * 1e6 / CONVERSATIONS as f64,
        rss_mb(),
    );
}

async fn lease_all(engine: &EmbeddedEngine) -> Vec<Lease> {
    let acquire = (0..SHARDS).map(|shard| engine.acquire(ShardId(shard), 1, SpanMs::hours(1)));
    futures_util::future::join_all(acquire).await.into_iter().map(|lease| lease.unwrap().unwrap()).collect()
}

/// What a run counts.
#[derive(Default)]
struct Counts {
    appended: AtomicU64,
    applied: AtomicU64,
    commits: AtomicU64,
    append_us: Mutex<Vec<u32>>,
    stop: AtomicBool,
}

async fn run(
    engine: &Arc<EmbeddedEngine>,
    writing: u64,
    (appenders, batch): (u64, usize),
    durability: Durability,
) {
    let counts = Arc::new(Counts::default());
    let leases = lease_all(engine).await;
    let mut tasks = tokio::task::JoinSet::new();
    let base_batch = u128::from(std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64) << 32;
    for lease in leases {
        let (engine, counts) = (engine.clone(), counts.clone());
        tasks.spawn(async move { apply(&engine, lease, batch, base_batch, &counts).await });
    }
    let projector = tokio::spawn(project(engine.clone()));
    let (begun, cpu_before, groups_before) = (Instant::now(), cpu(), engine.stats().groups_written);
    let written_before = written();
    let mut appending = tokio::task::JoinSet::new();
    for task in 0..appenders {
        let (engine, counts) = (engine.clone(), counts.clone());
        appending.spawn(async move { append(&engine, writing, task, &counts).await });
    }
    tokio::time::sleep(RUN).await;
    counts.stop.store(true, Ordering::Relaxed);
    let (seconds, cpu_us) = (begun.elapsed().as_secs_f64(), cpu() - cpu_before);
    let applied = counts.applied.load(Ordering::Relaxed) as f64;
    let appended = counts.appended.load(Ordering::Relaxed) as f64;
    let groups = (engine.stats().groups_written - groups_before) as f64;
    let commits = counts.commits.load(Ordering::Relaxed) as f64;
    println!(
        "{durability:?}, {appenders} appenders, at most {batch} events a commit: {:.0} appended/s, {:.0} applied/s, \
         {:.1} us CPU and {:.0} B written per operation, {:.1} events a commit, {:.0} requests a group, {:.0} groups/s, backlog {}, \
         RSS {:.0} MB",
        appended / seconds,
        applied / seconds,
        cpu_us / applied,
        (written() - written_before) / applied,
        applied / commits,
        (appended + commits) / groups,
        groups / seconds,
        engine.stats().backlog_entries,
        rss_mb(),
    );
    while appending.join_next().await.is_some() {}
    print_latencies(std::mem::take(&mut *counts.append_us.lock()));
    while engine.stats().backlog_entries > 0 {
        tokio::task::yield_now().await;
    }
    projector.abort();
    tasks.shutdown().await;
}

fn print_latencies(mut latencies_us: Vec<u32>) {
    latencies_us.sort_unstable();
    let at = |share: f64| f64::from(latencies_us[(latencies_us.len() as f64 * share) as usize]) / 1e3;
    println!(
        "  append: p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, longest {:.0} ms",
        at(0.5),
        at(0.99),
        at(0.999),
        at(0.999_999_9)
    );
}

async fn append(engine: &EmbeddedEngine, writing: u64, task: u64, counts: &Counts) {
    let mut n = task * 7_919;
    let mut latencies_us = vec![];
    while !counts.stop.load(Ordering::Relaxed) {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let conversation = (n >> 20) % writing;
        let mut entry = payload(conversation, ENTRY_BYTES);
        entry[..8].copy_from_slice(&conversation.to_le_bytes());
        let begun = Instant::now();
        let shard = ShardId((conversation % u64::from(SHARDS)) as u16);
        if engine.append(vec![(shard, entry.into())]).await.is_ok() {
            latencies_us.push(begun.elapsed().as_micros() as u32);
            counts.appended.fetch_add(1, Ordering::Relaxed);
        } else {
            // The backlog is full: whoever works it off comes first.
            tokio::task::yield_now().await;
        }
    }
    counts.append_us.lock().append(&mut latencies_us);
}

async fn apply(engine: &EmbeddedEngine, mut lease: Lease, batch: usize, base: u128, counts: &Counts) {
    for index in 0.. {
        let entries = engine.read(lease.shard, lease.position, batch).await.unwrap();
        let mut commit = empty(&lease, base + index);
        for entry in &entries {
            let conversation = u64::from_le_bytes(entry.bytes[..8].try_into().unwrap());
            let timer = Some(TimestampMs(conversation as i64));
            if commit.conversations.iter().all(|write| write.conversation.0 != u128::from(conversation)) {
                commit.conversations.push(write(conversation, timer, timer));
            }
            commit.facts.push(payload(conversation, FACT_BYTES).into());
        }
        commit.new_position = entries.last().unwrap().position;
        lease.position = commit.new_position;
        engine.commit(commit).await.unwrap();
        counts.applied.fetch_add(entries.len() as u64, Ordering::Relaxed);
        counts.commits.fetch_add(1, Ordering::Relaxed);
    }
}

/// Reads and trims facts as the projection does.
async fn project(engine: Arc<EmbeddedEngine>) {
    let mut after = FactPosition(0);
    loop {
        let facts = engine.facts(FactLane(0), after, 2_048).await.unwrap();
        after = facts.last().unwrap().0;
        engine.trim_facts(FactLane(0), after).await.unwrap();
    }
}

fn empty(lease: &Lease, batch_id: u128) -> Commit {
    Commit {
        shard: lease.shard,
        token: lease.token,
        batch_id,
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
    let snapshot = payload(n, SNAPSHOT_BYTES).into();
    ConversationWrite { conversation: spread(n), snapshot, timer_before, timer_after }
}

/// Ids are hashes.
fn spread(n: u64) -> ConversationId {
    ConversationId(protocol::id::derive("bench", &[&n.to_le_bytes()]))
}

/// Half of it ids and numbers that do not compress, half of it words that do.
fn payload(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = b"the candidate asked for the early shift and sent a photo ".repeat(length / 50 + 1);
    bytes.truncate(length);
    let mut n = seed;
    for chunk in bytes.chunks_mut(16) {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let half = chunk.len().min(8);
        chunk[..half].copy_from_slice(&n.to_le_bytes()[..half]);
    }
    bytes
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

fn disk_mb(engine: &EmbeddedEngine) -> f64 {
    engine.stats().stored_bytes as f64 / 1e6
}

/// CPU time of this process so far in microseconds (user and system, all threads).
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks * 10_000.0
}

/// Bytes that this process wrote to files so far.
fn written() -> f64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).unwrap();
    line.parse().unwrap()
}

fn rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1e3
}
