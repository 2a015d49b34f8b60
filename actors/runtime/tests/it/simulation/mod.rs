//! A seeded simulation of 1 to 16 nodes over one store: people write, a service sends, the provider loses, doubles and
//! reorders, the store loses and delays answers and leases, nodes come, go, sleep and die. The provider's ledger is the
//! oracle. The same seed gives the same run; `SIMULATION_SEEDS=1000` looks further than the default, and
//! `SIMULATION_FIRST` begins elsewhere.

mod check;
mod cluster;
mod dice;
mod people;
mod provider;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use protocol::fact::Event;
use tokio::time::Instant;

use self::cluster::Cluster;
use self::dice::Dice;
use self::people::Person;
use crate::world::{World, address, memory_of, run};

/// Runs of the default test run: seconds in a debug build.
const SEEDS: u64 = 8;
/// Nodes of a run, by seed.
const NODES: [usize; 8] = [1, 2, 3, 16, 4, 6, 8, 12];
/// Shards of the store, and people per run.
const SHARDS: u16 = 8;
const PEOPLE: u64 = 8;
/// Virtual seconds of trouble, and then of peace, in which everything has to come to its end.
const TROUBLE_S: u64 = 300;
const PEACE_S: u64 = 900;

/// What came of a run.
#[derive(Debug, PartialEq)]
struct Run {
    events: Vec<Event>,
    faults: u64,
}

async fn simulate(seed: u64) -> Run {
    let mut world = World::new(memory_of(SHARDS));
    // Small limits, so that passivation and full batches take part.
    world.settings.idle = Duration::from_secs(20);
    world.settings.batch_events = 8;
    world.settings.live_conversations = 8;
    let nodes = NODES[seed as usize % NODES.len()];
    let cluster = Arc::new(Cluster::new(Arc::new(world), seed, nodes));
    let people: Vec<_> = (0..PEOPLE).map(|contact| Arc::new(Person::new(address(contact), seed))).collect();
    let lives = people.iter().map(|person| {
        let (person, cluster) = (Arc::clone(person), Arc::clone(&cluster));
        actix_rt::spawn(async move { person.live(&cluster, Duration::from_secs(TROUBLE_S)).await })
    });
    let lives: Vec<_> = lives.collect();
    let dice = Dice::new(seed, "nodes");
    let end = Instant::now() + Duration::from_secs(TROUBLE_S);
    while Instant::now() < end {
        tokio::time::sleep(dice.millis(1_000 + 40_000 / nodes as u64)).await;
        cluster.strike(&dice).await;
    }
    cluster.calm().await;
    for life in lives {
        life.await.unwrap();
    }
    cluster.world.rest(PEACE_S).await;
    check::everything(seed, &cluster, &people).await;
    Run { events: cluster.world.all_facts().await, faults: cluster.faults() }
}

#[test]
fn a_seed_gives_the_same_run_again() {
    assert_eq!(run(simulate(3)), run(simulate(3)));
}

/// After a fault the store did not tell the next timer, and a shard looked for one that was not there for ever.
#[test]
fn a_timer_that_is_not_there_is_not_looked_for_again() {
    assert!(run(simulate(505)).faults > 0);
}

#[test]
fn p1_p2_p3_p5_p7_nothing_is_lost_doubled_or_out_of_order_whatever_happens() {
    let setting = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let (seeds, first) =
        (setting("SIMULATION_SEEDS").unwrap_or(SEEDS), setting("SIMULATION_FIRST").unwrap_or(0));
    let (next, faults) = (AtomicU64::new(first), AtomicU64::new(0));
    // A run has one thread; as many go side by side as there are cores.
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(seed) = Some(next.fetch_add(1, Relaxed)).filter(|&seed| seed < first + seeds) {
                    faults.fetch_add(run(simulate(seed)).faults, Relaxed);
                }
            });
        }
    });
    let faults = faults.into_inner();
    println!("{seeds} runs, {faults} faults");
    assert!(faults > 0);
}
