//! How much of a number's limit several nodes on one Redis use, and whether they ever break it.
//!
//! `cargo bench -p runtime --bench number_limit -- redis://127.0.0.1:6379 [PER_SECOND [SECONDS]]` queues messages of one
//! number, all of them in shards of one node or in shards of all nodes, and counts when the provider is called. Every run
//! leaves a store of its own on that server.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on shall panic")]

#[allow(dead_code, reason = "the other benchmarks use the rest")]
mod world;

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use futures_util::stream::{self, StreamExt as _};
use parking_lot::Mutex;
use prometheus::Registry;
use protocol::command::{Action, Command, CommandKey, CommandResult, Party, SendBody};
use protocol::directory::Number;
use protocol::entry::Address;
use protocol::id::{KeyId, ProviderId};
use protocol::outbound::Outcome;
use protocol::time::SpanMs;
use runtime::{Metrics, Node, NodeHandle, NodeOptions, NodeSettings, OutboundMessage, Provider};
use store::engine::{Durability, RedisEngine, RedisOptions};
use world::{TENANT, address, directory, received};

/// Messages of one conversation: fewer than may wait in it, and than the provider takes at once.
const EACH: u64 = 20;
/// Before and after the measured time.
const MARGIN: Duration = Duration::from_secs(2);
/// How long one POST takes.
const POST: Duration = Duration::from_millis(60);
/// Commands under way at once.
const COMMANDS: usize = 256;

#[derive(Default)]
struct Provided(Mutex<Vec<Instant>>);

#[async_trait]
impl Provider for Provided {
    async fn send(&self, _: &Number, message: OutboundMessage) -> Outcome {
        self.0.lock().push(Instant::now());
        tokio::time::sleep(POST).await;
        Outcome::Accepted { provider_id: ProviderId::new(message.opaque), recipient: None }
    }

    async fn show_typing(&self, _: &Number, _: &ProviderId) {}
}

struct Run {
    url: String,
    nodes: usize,
    /// The backlog is in the shards of one node.
    on_one: bool,
    per_second: u32,
    time: Duration,
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let url = arguments.next().expect("redis://host:port");
    let mut numbers = arguments.filter_map(|argument| argument.parse::<u32>().ok());
    let per_second = numbers.next().unwrap_or(80);
    let time = Duration::from_secs(numbers.next().unwrap_or(10).into());
    actix::System::new().block_on(async move {
        for (nodes, on_one) in [(1, true), (4, true), (4, false), (16, true), (16, false)] {
            Run { url: url.clone(), nodes, on_one, per_second, time }.measure().await;
        }
    });
}

impl Run {
    async fn measure(&self) {
        let provided = Arc::new(Provided::default());
        let name = format!("limit-{}-{}-{}", std::process::id(), self.nodes, self.on_one);
        let nodes =
            stream::iter(1..=self.nodes as u64).then(|id| self.start(id, &name, Arc::clone(&provided)));
        let nodes: Vec<NodeHandle> = nodes.collect().await;
        while !is_shared(&nodes) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // Three times as many: while they are queued, the first are sent.
        let needed = u64::from(self.per_second) * (self.time + 2 * MARGIN).as_secs() * 3;
        let people: Vec<Address> = self.people(&nodes, needed.div_ceil(EACH));
        write(&nodes[0], &people).await;
        // Until what was answered to that is sent, and what was received counts no more.
        while provided.0.lock().last().is_none_or(|at| at.elapsed() < MARGIN) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        queue(&nodes[0], &people).await;
        provided.0.lock().clear();
        tokio::time::sleep(self.time + 2 * MARGIN).await;
        let posts = std::mem::take(&mut *provided.0.lock());
        assert!(posts.last().is_some_and(|at| at.elapsed() < MARGIN), "the backlog ended too early");
        self.report(posts);
        futures_util::future::join_all(nodes.iter().map(NodeHandle::shutdown)).await;
    }

    async fn start(&self, id: u64, name: &str, provider: Arc<Provided>) -> NodeHandle {
        // Whatever the server does: slots are not durable.
        let durability = Durability::EverySecond;
        let options = RedisOptions { name: name.to_owned(), durability, ..RedisOptions::new(&self.url) };
        Node::start(NodeOptions {
            engine: Arc::new(RedisEngine::open(options).await.unwrap()),
            directory: Arc::new(ArcSwap::from_pointee(directory(self.per_second))),
            provider,
            credits: None,
            files: None,
            settings: NodeSettings { node_id: id, arbiters: 1, ..NodeSettings::default() },
            metrics: Arc::new(Metrics::new(&Registry::new()).unwrap()),
        })
        .unwrap()
    }

    fn people(&self, nodes: &[NodeHandle], count: u64) -> Vec<Address> {
        let owned = nodes[0].shards();
        let is_here = |address: &Address| {
            let shard = nodes[0].shard_of(address.conversation);
            !self.on_one || owned[usize::from(shard.0)].owned
        };
        (0..).map(address).filter(is_here).take(count as usize).collect()
    }

    fn report(&self, mut posts: Vec<Instant>) {
        posts.sort_unstable();
        let begin = posts[0] + MARGIN;
        let measured = posts.iter().filter(|&&at| begin <= at && at < begin + self.time).count();
        let used = measured as f64 / self.time.as_secs_f64() / f64::from(self.per_second) * 100.0;
        let second = Duration::from_secs(1);
        let within =
            |first: usize| posts[first..].iter().take_while(|&&at| at - posts[first] <= second).count();
        let most = (0..posts.len()).map(within).max().unwrap_or(0);
        let whose = if self.on_one { "one node" } else { "all nodes" };
        println!(
            "{:2} nodes, backlog of {whose}: {used:.1} % of {}/s used, at most {most} in any second",
            self.nodes, self.per_second
        );
    }
}

/// Whether the nodes own all shards, each its part.
fn is_shared(nodes: &[NodeHandle]) -> bool {
    let owned = |node: &NodeHandle| node.shards().iter().filter(|shard| shard.owned).count();
    let counts: Vec<usize> = nodes.iter().map(owned).collect();
    let shards = nodes[0].shards().len();
    counts.iter().sum::<usize>() == shards && counts.iter().all(|&count| count * nodes.len() * 3 > shards)
}

/// Opens the window of everybody.
async fn write(node: &NodeHandle, people: &[Address]) {
    let engine = node.engine();
    let now = engine.now().await.unwrap();
    for (index, part) in people.chunks(64).enumerate() {
        let entry = |(place, address): (usize, &Address)| {
            let id = format!("wamid.{index}.{place}");
            (node.shard_of(address.conversation), received(address.clone(), now, &id, "/chat"))
        };
        engine.append(part.iter().enumerate().map(entry).collect()).await.unwrap();
    }
}

/// Everybody is sent messages, in turn.
async fn queue(node: &NodeHandle, people: &[Address]) {
    let all = (0..EACH).flat_map(|round| people.iter().map(move |address| (round, address.clone())));
    let sends = stream::iter(all).map(|(round, address)| async move {
        let now = node.engine().now().await.unwrap();
        let body = format!("message {round}");
        let command = Command {
            key: CommandKey::new(TENANT, &format!("{round} {}", address.conversation)),
            fingerprint: 1,
            by: Party::Service(KeyId(1)),
            expires_at: now + SpanMs::minutes(1),
            action: Action::Send(SendBody::Text { body, reply_to: None }),
        };
        let result = node.command(address, command).await.unwrap();
        assert!(matches!(result, CommandResult::Queued { .. }), "{result:?}");
    });
    sends.buffer_unordered(COMMANDS).collect::<()>().await;
}
