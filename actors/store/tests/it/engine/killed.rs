//! `kill -9` for real: a child process appends and commits and says what was acknowledged, the parent kills it
//! at a random point, opens the store and looks for it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use protocol::id::ConversationId;
use protocol::shard::{ShardCount, ShardId};
use store::engine::{
    Durability, EmbeddedEngine, EmbeddedOptions, Engine, FactLane, FactPosition, LoadRequest, Position,
    SystemClock,
};
use xxhash_rust::xxh3::xxh3_64;

use super::harness::{LEASE, SHARDS, batch, text, write};

/// Tells the test below that it is the child, and which folder is meant.
const FOLDER: &str = "STORE_KILL_TEST_FOLDER";
const DURABILITY: &str = "STORE_KILL_TEST_EVERY_SECOND";
const CHILD: &str = "engine::killed::child_of_the_kill_tests";
const ROUNDS: usize = 5;

fn open(folder: &Path, durability: Durability) -> EmbeddedEngine {
    let shards = ShardCount::new(SHARDS).unwrap();
    let options =
        EmbeddedOptions { shards, durability, disk_free_min_bytes: 0, ..EmbeddedOptions::new(folder) };
    EmbeddedEngine::open(&options, Arc::new(SystemClock::default())).unwrap()
}

/// The child's part; alone it does nothing.
#[tokio::test]
async fn child_of_the_kill_tests() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let durability =
        if std::env::var_os(DURABILITY).is_some() { Durability::EverySecond } else { Durability::Fsync };
    let engine = open(Path::new(&folder), durability);
    let shards = (0..SHARDS).map(ShardId);
    let work = shards.map(|shard| {
        let engine = &engine;
        async move { tokio::join!(append_for_ever(engine, shard), apply_for_ever(engine, shard)) }
    });
    futures_util::future::join_all(work).await;
}

async fn append_for_ever(engine: &EmbeddedEngine, shard: ShardId) {
    let mut next = Found::of(engine, shard).await.end();
    loop {
        engine.append(vec![(shard, text(next.to_string()))]).await.unwrap();
        say(&format!("appended {} {next}", shard.0));
        next += 1;
    }
}

async fn apply_for_ever(engine: &EmbeddedEngine, shard: ShardId) {
    let mut lease = engine.acquire(shard, 1, LEASE).await.unwrap().unwrap();
    let mut timer = Found::of(engine, shard).await.timer;
    loop {
        let entries = engine.read(shard, lease.position, 3).await.unwrap();
        let last = entries.last().unwrap();
        let mut commit = batch(&lease, u128::from(last.position.0));
        commit.new_position = last.position;
        let number = String::from_utf8(last.bytes.to_vec()).unwrap();
        let due = protocol::time::TimestampMs(number.parse().unwrap());
        commit.conversations = vec![write(1, &number, timer, Some(due))];
        commit.facts = entries
            .iter()
            .map(|entry| text(format!("{} ", shard.0)).iter().chain(&entry.bytes).copied().collect())
            .collect();
        engine.commit(commit).await.unwrap();
        say(&format!("applied {} {number}", shard.0));
        lease.position = last.position;
        timer = Some(due);
    }
}

/// One write, so that a line is there in full or not at all.
fn say(line: &str) {
    std::io::stdout().write_all(format!("\n{line}\n").as_bytes()).unwrap();
}

/// What a store holds of one shard.
struct Found {
    applied: Vec<u64>,
    waiting: Vec<u64>,
    state: Option<u64>,
    timer: Option<protocol::time::TimestampMs>,
}

impl Found {
    async fn of(engine: &EmbeddedEngine, shard: ShardId) -> Self {
        let facts = engine.facts(FactLane(0), FactPosition(0), usize::MAX);
        let facts = futures_util::FutureExt::now_or_never(facts).map(Result::unwrap).unwrap_or_default();
        let mut applied = vec![];
        for (_, fact) in facts {
            let fact = String::from_utf8(fact.to_vec()).unwrap();
            let (of, number) = fact.split_once(' ').unwrap();
            if of == shard.0.to_string() {
                applied.push(number.parse().unwrap());
            }
        }
        let log = futures_util::FutureExt::now_or_never(engine.read(shard, Position(0), usize::MAX));
        let log = log.map(Result::unwrap).unwrap_or_default();
        let number = |bytes: &[u8]| std::str::from_utf8(bytes).unwrap().parse().unwrap();
        let request = LoadRequest { conversations: vec![ConversationId(1)], ..LoadRequest::default() };
        let stored = engine.load(shard, request).await.unwrap().conversations.remove(0);
        Self {
            applied,
            waiting: log.iter().map(|entry| number(&entry.bytes)).collect(),
            state: stored.as_ref().map(|stored| number(&stored.snapshot)),
            timer: stored.and_then(|stored| stored.timer_at),
        }
    }

    fn end(&self) -> u64 {
        (self.applied.len() + self.waiting.len()) as u64
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_by_kill_9() {
    kill_again_and_again(Durability::Fsync).await;
}

#[tokio::test]
async fn nor_when_only_the_host_may_lose_a_second() {
    kill_again_and_again(Durability::EverySecond).await;
}

async fn kill_again_and_again(durability: Durability) {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeMap::<(String, u16), u64>::new();
    for round in 0..ROUNDS {
        // Anywhere between the first moments and some hundred groups later.
        let lines = 1 + xxh3_64(&round.to_le_bytes()) % 3_000;
        run_and_kill(folder.path(), durability, lines as usize, &mut acknowledged);
        let engine = open(folder.path(), durability);
        for shard in (0..SHARDS).map(ShardId) {
            let found = Found::of(&engine, shard).await;
            let all: Vec<u64> = found.applied.iter().chain(&found.waiting).copied().collect();
            assert!(
                all.iter().copied().eq(0..all.len() as u64),
                "gaps, doubles or disorder in {shard:?}: {all:?}"
            );
            assert_eq!(found.state, found.applied.last().copied(), "state and facts go together");
            assert_eq!(found.timer.map(|due| due.0 as u64), found.state);
            assert_eq!(engine.next_due(shard).await.unwrap(), found.timer, "one timer, the last");
            for (what, count) in [("appended", all.len()), ("applied", found.applied.len())] {
                if let Some(&last) = acknowledged.get(&(what.to_owned(), shard.0)) {
                    assert!(
                        last < count as u64,
                        "{what} {last} of {shard:?} was acknowledged, {count} found"
                    );
                }
            }
        }
    }
    assert_eq!(acknowledged.len(), 2 * usize::from(SHARDS));
}

/// Runs the child until it has said so many lines, kills it, and takes up everything that it said.
fn run_and_kill(
    folder: &Path,
    durability: Durability,
    lines: usize,
    acknowledged: &mut BTreeMap<(String, u16), u64>,
) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", CHILD, "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped());
    if durability == Durability::EverySecond {
        command.env(DURABILITY, "1");
    }
    let mut child = command.spawn().unwrap();
    let mut said = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let mut words = line.split(' ');
        let (Some(what @ ("appended" | "applied")), Some(shard), Some(number)) =
            (words.next(), words.next(), words.next())
        else {
            continue;
        };
        acknowledged.insert((what.to_owned(), shard.parse().unwrap()), number.parse().unwrap());
        said += 1;
        if said == lines {
            // SIGKILL; what it said before is still in the pipe and is read to the end.
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(said >= lines, "the child ended by itself");
}
