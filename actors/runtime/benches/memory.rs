//! What a live idle conversation costs in the node: what the heap gets back when all of them are passivated.
//!
//! `cargo bench -p runtime --bench memory [-- CONVERSATIONS]`. Everything counts that lives and dies with the
//! conversation: state, actor, mailbox, address, places in tables. The budget is 1,536 bytes.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on shall panic")]

#[allow(dead_code, reason = "the other benchmarks use the rest")]
mod world;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use prometheus::Registry;
use protocol::outbound::OpaqueKey;
use protocol::shard::{HASH_VERSION, ShardCount};
use runtime::metrics::OutboundRequest;
use runtime::{Metrics, Node, NodeHandle, NodeOptions, NodeSettings};
use store::engine::{Engine, MemoryEngine, StoreIdentity, SystemClock};
use world::{Nowhere, address, directory, received};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Nobody is passivated before all are there and their answers are sent.
const IDLE: Duration = Duration::from_secs(30);
/// What each contact writes: the bot acknowledges the first, nobody answers the others.
const WORDS: [&str; 3] = ["/chat", "Buongiorno, sono ancora interessata", "Quando posso venire?"];
const PAUSE: Duration = Duration::from_millis(100);

fn start(engine: &Arc<dyn Engine>, metrics: &Arc<Metrics>) -> NodeHandle {
    Node::start(NodeOptions {
        engine: Arc::clone(engine),
        directory: Arc::new(ArcSwap::from_pointee(directory(1_000_000))),
        provider: Arc::new(Nowhere),
        credits: None,
        files: None,
        settings: NodeSettings { idle: IDLE, ..NodeSettings::default() },
        metrics: Arc::clone(metrics),
    })
    .unwrap()
}

async fn write(engine: &Arc<dyn Engine>, people: u64) {
    let shards = engine.identity().shards;
    for (place, words) in WORDS.iter().enumerate() {
        let now = engine.now().await.unwrap();
        for person in 0..people {
            let address = address(person);
            let id = format!("wamid.HBgMMzkzMzMwMDAwMDAwFQIAEhg{place:04}{person:016}");
            let entry = received(address.clone(), now, &id, words);
            engine.append(vec![(shards.shard_of(address.conversation), entry)]).await.unwrap();
        }
    }
}

/// Waits until something is so; what is waited for takes seconds.
async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::time::sleep(PAUSE).await;
    }
}

fn main() {
    let people = std::env::args().find_map(|argument| argument.parse::<u64>().ok()).unwrap_or(20_000);
    let _profiler = dhat::Profiler::builder().testing().build();
    actix::System::new().block_on(async move {
        let identity = StoreIdentity {
            shards: ShardCount::default(),
            hash_version: HASH_VERSION,
            opaque_key: OpaqueKey([7; 32]),
        };
        let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new(identity, Arc::new(SystemClock::default())));
        let metrics = Arc::new(Metrics::new(&Registry::new()).unwrap());
        let node = start(&engine, &metrics);
        write(&engine, people).await;
        let sent = metrics.outbound_requests.of(OutboundRequest::Accepted);
        until(|| sent.get() == people && engine.stats().backlog_entries == 0).await;
        // Outcomes of the last POSTs.
        tokio::time::sleep(10 * PAUSE).await;
        let live = node.live().conversations;
        let full = dhat::HeapStats::get().curr_bytes;
        until(|| node.live().conversations == 0).await;
        let empty = dhat::HeapStats::get().curr_bytes;
        println!("{live} live idle conversations: {} bytes each", full.saturating_sub(empty) / live.max(1));
        node.shutdown().await;
    });
}
