//! The nodes of a run, and what happens to them: they join, stop, die, are replaced before they know that they are
//! dead, and sleep for longer than their lease.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use prometheus::Registry;
use runtime::{Metrics, Node, NodeHandle, NodeOptions};
use store::engine::faults::{FaultRates, FaultyEngine};

use super::dice::Dice;
use super::provider::ChaoticProvider;
use crate::world::{Life, MortalEngine, MortalProvider, World, directory};

/// What goes wrong with the store, per thousand calls.
const FAULTS: FaultRates = FaultRates {
    lost_answer: 20,
    lost_request: 20,
    refused: 20,
    duplicated: 50,
    stolen: 5,
    late: 20,
    slow: 5,
};

/// The longest that a node sleeps: several leases. With what a POST may take it stays below the time after which a
/// claim is given up, so that what leaves late still leaves in order.
const SLEEP_MAX_MS: u64 = 20_000;

/// A process.
struct Running {
    node: NodeHandle,
    life: Arc<Life>,
}

/// A store, a provider, and the nodes between them.
pub(super) struct Cluster {
    pub(super) world: Arc<World>,
    pub(super) provider: Arc<ChaoticProvider>,
    faults: Arc<FaultyEngine>,
    /// By node id, counted from one; `None` while nobody runs under it.
    seats: Mutex<Vec<Option<Running>>>,
    /// Which node a caller reaches.
    roads: Dice,
    blows: AtomicU64,
}

impl Cluster {
    pub(super) fn new(world: Arc<World>, seed: u64, nodes: usize) -> Self {
        let cluster = Self {
            provider: Arc::new(ChaoticProvider::new(Arc::clone(&world), seed)),
            faults: Arc::new(FaultyEngine::new(Arc::clone(&world.engine), seed, FAULTS)),
            seats: Mutex::new((0..nodes).map(|_| None).collect()),
            roads: Dice::new(seed, "roads"),
            blows: AtomicU64::new(0),
            world,
        };
        cluster.fill();
        cluster
    }

    /// A node that a caller reaches.
    pub(super) fn node(&self) -> NodeHandle {
        let seats = self.seats.lock();
        let running: Vec<_> = seats.iter().flatten().collect();
        running[self.roads.below(running.len() as u64) as usize].node.clone()
    }

    /// Every node that runs.
    pub(super) fn nodes(&self) -> Vec<NodeHandle> {
        self.seats.lock().iter().flatten().map(|running| running.node.clone()).collect()
    }

    /// Somebody runs under every id.
    fn fill(&self) {
        let empty = |seat: &(usize, &mut Option<Running>)| seat.1.is_none();
        for (place, seat) in self.seats.lock().iter_mut().enumerate().filter(empty) {
            *seat = Some(self.begin(place));
        }
    }

    fn begin(&self, place: usize) -> Running {
        let life = Life::long();
        let mut settings = self.world.settings;
        settings.node_id = place as u64 + 1;
        let node = Node::start(NodeOptions {
            engine: Arc::new(MortalEngine { inner: Arc::clone(&self.faults) as _, life: Arc::clone(&life) }),
            directory: Arc::new(ArcSwap::from_pointee(directory())),
            provider: Arc::new(MortalProvider {
                inner: Arc::clone(&self.provider) as _,
                life: Arc::clone(&life),
            }),
            credits: None,
            files: None,
            settings,
            metrics: Arc::new(Metrics::new(&Registry::new()).unwrap()),
        });
        Running { node: node.unwrap(), life }
    }

    /// Something happens to one of the nodes.
    pub(super) async fn strike(self: &Arc<Self>, dice: &Dice) {
        self.blows.fetch_add(1, Ordering::Relaxed);
        let place = dice.below(self.seats.lock().len() as u64) as usize;
        let Some(struck) = self.seats.lock()[place].take() else {
            let joins = self.begin(place);
            self.seats.lock()[place] = Some(joins);
            return;
        };
        let is_last = self.nodes().is_empty();
        match dice.below(6) {
            0 | 1 if !is_last => struck.life.end(),
            2 if !is_last => {
                actix_rt::spawn(async move {
                    struck.node.shutdown().await;
                    struck.life.end();
                });
            }
            // Somebody else runs under its id, at once or before it is dead.
            0..=3 => {
                let successor = self.begin(place);
                self.seats.lock()[place] = Some(successor);
                if dice.one_in(2) {
                    tokio::time::sleep(dice.millis(5_000)).await;
                }
                struck.life.end();
            }
            _ => {
                let (life, time) = (Arc::clone(&struck.life), dice.millis(SLEEP_MAX_MS));
                self.seats.lock()[place] = Some(struck);
                if !life.is_asleep() {
                    actix_rt::spawn(async move { life.sleep(time).await });
                }
            }
        }
    }

    /// From now on nothing goes wrong any more, and every node is there.
    pub(super) async fn calm(&self) {
        self.faults.set_rates(FaultRates::default());
        self.provider.calm();
        tokio::time::sleep(Duration::from_millis(SLEEP_MAX_MS)).await;
        self.fill();
    }

    /// How much went wrong.
    pub(super) fn faults(&self) -> u64 {
        self.faults.counts().total() + self.provider.faults() + self.blows.load(Ordering::Relaxed)
    }
}
