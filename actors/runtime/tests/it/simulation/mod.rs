//! A seeded simulation: people write, a service sends, the provider loses, doubles and reorders, the store loses
//! answers and leases, nodes die and are replaced, sometimes before they know that they are dead. The provider's
//! ledger is the oracle. The same seed gives the same run; `SIMULATION_SEEDS=1000` looks further than the default.

mod check;
mod dice;
mod people;
mod provider;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use protocol::fact::Event;
use runtime::{Node, NodeHandle, NodeOptions};
use store::engine::faults::{FaultRates, FaultyEngine};

use self::dice::Dice;
use self::people::Person;
use self::provider::ChaoticProvider;
use crate::world::{Life, MortalEngine, MortalProvider, World, address, directory, memory, run};

/// Runs of the default test run: seconds in a debug build.
const SEEDS: u64 = 8;
/// People per run, on four shards.
const PEOPLE: u64 = 6;
/// Virtual seconds of trouble, and then of peace, in which everything has to come to its end.
const TROUBLE_S: u64 = 300;
const PEACE_S: u64 = 900;

/// What goes wrong with the store, per thousand calls.
const FAULTS: FaultRates =
    FaultRates { lost_answer: 20, lost_request: 20, refused: 20, duplicated: 50, stolen: 5 };

/// The node that callers reach now, and its predecessors.
pub(crate) struct Cluster {
    world: Arc<World>,
    provider: Arc<ChaoticProvider>,
    faults: Arc<FaultyEngine>,
    node: Mutex<(NodeHandle, Arc<Life>)>,
}

impl Cluster {
    fn new(world: Arc<World>, seed: u64) -> Self {
        let provider = Arc::new(ChaoticProvider::new(Arc::clone(&world), seed));
        let faults = Arc::new(FaultyEngine::new(Arc::clone(&world.engine), seed, FAULTS));
        let node = Mutex::new(begin(&world, &faults, &provider));
        Self { world, provider, faults, node }
    }

    /// The node that callers reach.
    pub(crate) fn node(&self) -> NodeHandle {
        self.node.lock().0.clone()
    }

    /// Starts a successor. The old node is gone at once, or goes on for a while as if nothing had happened.
    async fn replace(&self, dice: &Dice) {
        let successor = begin(&self.world, &self.faults, &self.provider);
        let (_, life) = std::mem::replace(&mut *self.node.lock(), successor);
        if dice.one_in(2) {
            tokio::time::sleep(dice.millis(5_000)).await;
        }
        life.end();
    }
}

fn begin(
    world: &World,
    faults: &Arc<FaultyEngine>,
    provider: &Arc<ChaoticProvider>,
) -> (NodeHandle, Arc<Life>) {
    let life = Life::long();
    let node = Node::start(NodeOptions {
        engine: Arc::new(MortalEngine { inner: Arc::clone(faults) as _, life: Arc::clone(&life) }),
        directory: Arc::new(ArcSwap::from_pointee(directory())),
        provider: Arc::new(MortalProvider { inner: Arc::clone(provider) as _, life: Arc::clone(&life) }),
        settings: world.settings,
        metrics: Arc::clone(&world.metrics),
    });
    (node.unwrap(), life)
}

/// Returns everything that happened.
async fn simulate(seed: u64) -> Vec<Event> {
    let mut world = World::new(memory());
    // Small limits, so that passivation and full batches take part.
    world.settings.idle = Duration::from_secs(20);
    world.settings.batch_events = 8;
    world.settings.live_conversations = 8;
    let cluster = Arc::new(Cluster::new(Arc::new(world), seed));
    let people: Vec<_> = (0..PEOPLE).map(|contact| Arc::new(Person::new(address(contact), seed))).collect();
    let lives = people.iter().map(|person| {
        let (person, cluster) = (Arc::clone(person), Arc::clone(&cluster));
        actix_rt::spawn(async move { person.live(&cluster, Duration::from_secs(TROUBLE_S)).await })
    });
    let lives: Vec<_> = lives.collect();
    let dice = Dice::new(seed, "nodes");
    let end = tokio::time::Instant::now() + Duration::from_secs(TROUBLE_S);
    while tokio::time::Instant::now() < end {
        tokio::time::sleep(dice.millis(40_000)).await;
        cluster.replace(&dice).await;
    }
    cluster.faults.set_rates(FaultRates::default());
    cluster.provider.calm();
    for life in lives {
        life.await.unwrap();
    }
    cluster.world.rest(PEACE_S).await;
    check::everything(seed, &cluster, &people).await;
    cluster.world.all_facts().await
}

#[test]
fn a_seed_gives_the_same_run_again() {
    assert_eq!(run(simulate(1)), run(simulate(1)));
}

#[test]
fn p1_p3_p5_p7_nothing_is_lost_doubled_or_out_of_order_whatever_happens() {
    let seeds = std::env::var("SIMULATION_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SEEDS);
    let first = std::env::var("SIMULATION_FIRST").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    for seed in first..first + seeds {
        assert!(!run(simulate(seed)).is_empty());
    }
}
