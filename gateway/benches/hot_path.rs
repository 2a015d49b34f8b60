//! Instructions of each step that a webhook goes through, counted by valgrind: the same each time, whatever else the
//! machine does, so that a regression shows. `./task micro` runs it; with each run gungraun tells the change.
//!
//! Valgrind knows no processor's own SHA-256, so that the signature counts as if it were done in software. Hops into a
//! mailbox and back, and the way from log to commit, are given for one hundred and for two, since starting the system is counted
//! too: the difference is a hundred of them.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on shall panic")]
#![allow(missing_docs, reason = "gungraun makes a module of each benchmark")]

#[allow(dead_code, reason = "benchmarks of the runtime use the rest")]
#[path = "../../actors/runtime/benches/world/mod.rs"]
mod world;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use domain::conversation::{self, Context, Conversation, Effects, Input, Step};
use domain::directory::Directory;
use gateway::webhooks::signature::Verifier;
use gungraun::prelude::*;
use load_tests::client::inbound::{Receiver, Sender};
use load_tests::client::signature;
use prometheus::Registry;
use protocol::codec;
use protocol::entry::{Entry, EntryBody};
use protocol::outbound::OpaqueKey;
use protocol::shard::{HASH_VERSION, ShardCount};
use protocol::time::TimestampMs;
use protocol::whatsapp::webhook;
use runtime::{Metrics, Node, NodeHandle, NodeOptions, NodeSettings};
use store::engine::{Clock, Engine as _, MemoryEngine, StoreIdentity};
use world::{NUMBER, TENANT, address, directory, received};

const SECRET: &str = "simulator-app-secret";
/// Makes a webhook of 900 bytes.
const TEXT_CHARS: usize = 390;
const NOON: TimestampMs = TimestampMs(1_795_176_000_000);
const HUNDRED: u64 = 100;
const SHARDS: u16 = 4;

/// The body of a webhook with one message.
fn body() -> Vec<u8> {
    let receiver = Receiver {
        waba_id: "102290129340398".into(),
        phone_number_id: "1".into(),
        display_phone_number: "15550783881".into(),
    };
    let sender =
        Sender { wa_id: "393330000001".into(), user_id: "IT.393330000001".into(), name: "Anna Rossi".into() };
    let id = "wamid.HBgMMzkzMzMwMDAwMDAwFQIAEhg0001";
    receiver.text(&sender, id, NOON.0 / 1_000, &"x".repeat(TEXT_CHARS)).to_string().into_bytes()
}

fn signed() -> (Verifier, String, Vec<u8>) {
    let mut all = directory(1_000_000);
    let tenant = Arc::make_mut(all.tenants.get_mut(&TENANT).unwrap());
    tenant.numbers.get_mut(&NUMBER).unwrap().secrets.app_secrets = vec![SECRET.into()];
    let body = body();
    (Verifier::new(Arc::new(ArcSwap::from_pointee(all))), signature(SECRET, &body), body)
}

fn message(place: usize, words: &str) -> Bytes {
    received(address(1), NOON, &format!("wamid.HBgMMzkzMzMwMDAwMDAwFQIAEhg{place:04}"), words)
}

fn entry() -> Entry {
    codec::decode(&message(1, &"x".repeat(TEXT_CHARS))).unwrap()
}

fn step(place: usize, words: &str) -> Step {
    let entry: Entry = codec::decode(&message(place, words)).unwrap();
    let EntryBody::Conversation { input, .. } = entry.body else { unreachable!("it is a message") };
    Step { input: Input::Happening(input), traceparent: None, already_seen: false }
}

/// A conversation in which people have talked for a while.
fn talked() -> (Conversation, Directory, Step) {
    let directory = directory(1_000_000);
    let mut state = Conversation::new(address(1));
    for place in 0..20 {
        apply_to(&mut state, &directory, step(place, if place == 0 { "/chat" } else { "Buongiorno" }));
    }
    (state, directory, step(100, &"x".repeat(TEXT_CHARS)))
}

fn apply_to(state: &mut Conversation, directory: &Directory, step: Step) -> Effects {
    let tenant = &directory.tenants[&TENANT];
    let context = Context { now: NOON, tenant, number: &tenant.numbers[&NUMBER] };
    let mut effects = Effects::default();
    conversation::apply(state, &context, step, &mut effects);
    effects
}

#[library_benchmark]
#[bench::webhook(signed())]
fn check_signature((verifier, header, body): (Verifier, String, Vec<u8>)) -> bool {
    black_box(verifier.signed_by(black_box(header.as_bytes()), black_box(&body)).is_some())
}

#[library_benchmark]
#[bench::message(body())]
fn decode_webhook(body: Vec<u8>) -> webhook::Webhook {
    black_box(webhook::decode(black_box(&body)).unwrap())
}

#[library_benchmark]
#[bench::message(entry())]
fn encode_entry(entry: Entry) -> Bytes {
    black_box(codec::encode(black_box(&entry)).unwrap())
}

#[library_benchmark]
#[bench::message(message(1, &"x".repeat(TEXT_CHARS)))]
fn decode_entry(bytes: Bytes) -> Entry {
    black_box(codec::decode(black_box(&bytes)).unwrap())
}

#[library_benchmark]
#[bench::chat(talked())]
fn apply((mut state, directory, step): (Conversation, Directory, Step)) -> (Conversation, Effects) {
    let effects = apply_to(black_box(&mut state), &directory, black_box(step));
    (state, effects)
}

#[library_benchmark]
#[bench::chat(talked().0)]
fn encode_snapshot(state: Conversation) -> Vec<u8> {
    black_box(black_box(&state).encode().unwrap())
}

#[library_benchmark]
#[bench::chat(talked().0.encode().unwrap())]
fn decode_snapshot(bytes: Vec<u8>) -> Conversation {
    black_box(Conversation::decode(black_box(&bytes)).unwrap())
}

/// Answers.
struct Echo;

impl actix::Actor for Echo {
    type Context = actix::Context<Self>;
}

#[derive(actix::Message)]
#[rtype(result = "u64")]
struct Say(u64);

impl actix::Handler<Say> for Echo {
    type Result = u64;

    fn handle(&mut self, Say(number): Say, _: &mut Self::Context) -> u64 {
        number
    }
}

#[library_benchmark]
#[bench::hundred(HUNDRED)]
#[bench::two_hundred(2 * HUNDRED)]
fn hop_into_mailbox(hops: u64) -> u64 {
    use actix::Actor as _;
    actix::System::new().block_on(async move {
        let echo = Echo.start();
        let mut sum = 0;
        for number in 0..hops {
            sum += echo.send(Say(number)).await.unwrap();
        }
        black_box(sum)
    })
}

/// The clock of a store that stands still.
struct Noon;

impl Clock for Noon {
    fn now(&self) -> TimestampMs {
        NOON
    }
}

/// A node over an empty store in memory.
fn node() -> (Arc<MemoryEngine>, NodeHandle) {
    let identity = StoreIdentity {
        shards: ShardCount::new(SHARDS).unwrap(),
        hash_version: HASH_VERSION,
        opaque_key: OpaqueKey([7; 32]),
    };
    let engine = Arc::new(MemoryEngine::new(identity, Arc::new(Noon)));
    let node = Node::start(NodeOptions {
        engine: Arc::clone(&engine) as _,
        directory: Arc::new(ArcSwap::from_pointee(directory(1_000_000))),
        provider: Arc::new(world::Nowhere),
        credits: None,
        files: None,
        settings: NodeSettings { arbiters: 0, ..NodeSettings::default() },
        metrics: Arc::new(Metrics::new(&Registry::new()).unwrap()),
    });
    (engine, node.unwrap())
}

/// A hundred people write, and all of it is committed.
async fn write(engine: &MemoryEngine, place: u64, words: &str) {
    let entry = |contact| {
        let address = address(contact);
        let id = format!("wamid.HBgMMzkzMzMwMDAwMDAwFQIAEhg{contact:04}{place:04}");
        (engine.identity().shards.shard_of(address.conversation), received(address, NOON, &id, words))
    };
    engine.append((0..HUNDRED).map(entry).collect()).await.unwrap();
    while engine.stats().backlog_entries > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

// From the log to the commit: read, decoded, sorted to conversations, a hop to each, applied, gathered, committed.
#[library_benchmark]
#[bench::hundred(1)]
#[bench::two_hundred(2)]
fn log_to_commit(rounds: u64) -> usize {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().unwrap()
    };
    actix::System::with_tokio_rt(runtime).block_on(async move {
        let (engine, node) = node();
        write(&engine, 0, "/chat").await;
        for round in 1..=rounds {
            write(&engine, round, &"x".repeat(TEXT_CHARS)).await;
        }
        let live = node.live().conversations;
        node.shutdown().await;
        black_box(live)
    })
}

library_benchmark_group!(
    name = steps,
    benchmarks = [
        check_signature,
        decode_webhook,
        encode_entry,
        decode_entry,
        apply,
        encode_snapshot,
        decode_snapshot,
        hop_into_mailbox,
        log_to_commit
    ]
);

main!(library_benchmark_groups = steps);
