//! How fast a node applies and commits what is in its log, on the embedded store with fsync.
//!
//! `cargo bench -p runtime --bench apply [-- CONVERSATIONS MESSAGES]` prints events per second and memory per live
//! conversation. It measures nothing of HTTP; `load-tests bench` measures the whole.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on shall panic")]

mod world;

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use prometheus::Registry;
use runtime::{Metrics, Node, NodeHandle, NodeOptions, NodeSettings};
use store::engine::embedded::{EmbeddedEngine, EmbeddedOptions};
use store::engine::{Engine, SystemClock};
use world::{Nowhere, address, directory, received};

/// Webhooks that share an append, as concurrent requests do.
const APPENDED_TOGETHER: u64 = 64;
/// Appends under way at once.
const APPENDS: u64 = 8;

/// Appends messages `from..to` of people in turn; returns when they are durable.
async fn append(engine: Arc<dyn Engine>, people: u64, from: u64, to: u64, words: &'static str) {
    let now = engine.now().await.unwrap();
    let shards = engine.identity().shards;
    let entries = (from..to).map(|message| {
        let address = address(message % people);
        let shard = shards.shard_of(address.conversation);
        let id = format!("wamid.HBgMMzkzMzMwMDAwMDAwFQIAEhg{message:020}{words}");
        (shard, received(address, now, &id, words))
    });
    engine.append(entries.collect()).await.unwrap();
}

/// Messages per second from the first append to the last commit.
async fn measure(engine: &Arc<dyn Engine>, people: u64, messages: u64, words: &'static str) -> f64 {
    let began = Instant::now();
    let mut next = 0;
    while next < messages {
        let appends = (0..APPENDS).map(|lane| {
            let from = (next + lane * APPENDED_TOGETHER).min(messages);
            append(Arc::clone(engine), people, from, (from + APPENDED_TOGETHER).min(messages), words)
        });
        futures_util::future::join_all(appends).await;
        next += APPENDS * APPENDED_TOGETHER;
    }
    while engine.stats().backlog_entries > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    messages as f64 / began.elapsed().as_secs_f64()
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4_096
}

fn start(engine: &Arc<dyn Engine>, metrics: &Arc<Metrics>) -> NodeHandle {
    let settings = NodeSettings { live_conversations: 10_000_000, ..NodeSettings::default() };
    Node::start(NodeOptions {
        engine: Arc::clone(engine),
        directory: Arc::new(ArcSwap::from_pointee(directory(1_000_000))),
        provider: Arc::new(Nowhere),
        credits: None,
        files: None,
        settings,
        metrics: Arc::clone(metrics),
    })
    .unwrap()
}

fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<u64>().ok());
    let people = numbers.next().unwrap_or(20_000);
    let messages = numbers.next().unwrap_or(300_000);
    actix::System::new().block_on(async move {
        let folder = tempfile::tempdir().unwrap();
        let options = EmbeddedOptions::new(folder.path());
        let engine: Arc<dyn Engine> =
            Arc::new(EmbeddedEngine::open(&options, Arc::new(SystemClock::default())).unwrap());
        let metrics = Arc::new(Metrics::new(&Registry::new()).unwrap());
        let node = start(&engine, &metrics);
        let before = resident_bytes();
        let begun = measure(&engine, people, people, "/chat").await;
        let live = node.live().conversations.max(1) as u64;
        println!("begun, acknowledged by the bot: {begun:.0} conversations/s");
        println!(
            "live conversations: {live}, {} bytes each (store included)",
            (resident_bytes() - before) / live
        );
        let applied = measure(&engine, people, messages, "hello").await;
        let commits = metrics.commit.get_sample_count().max(1);
        println!("applied and committed: {applied:.0} messages/s");
        println!(
            "commits: {commits}, {:.2} ms each",
            metrics.commit.get_sample_sum() / commits as f64 * 1_000.0
        );
        println!("inputs per commit: {:.1}", metrics.commit_events.get_sample_sum() / commits as f64);
        node.shutdown().await;
        engine.close().await.unwrap();
    });
}
