//! Many queues of one number on one store, in virtual time: the limit is kept in every second, and used.

mod redis;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use protocol::id::NumberId;
use protocol::outbound::OpaqueKey;
use protocol::shard::{HASH_VERSION, ShardCount};
use protocol::time::TimestampMs;
use store::engine::{
    Engine, EngineError, EngineResult, ManualClock, MemoryEngine, SlotRequest, Slots, StoreIdentity,
};
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::{Instant, advance, sleep};
use xxhash_rust::xxh3::xxh3_64;

use super::keep::{Demand, reserve};
use super::slots::NumberSlots;

const BEGIN: TimestampMs = TimestampMs(1_795_165_200_000);
/// How long a commit takes that claims a message.
const CLAIM: Duration = Duration::from_millis(15);

/// A store that tells the time of the test.
trait Store {
    fn ask(&self, now: TimestampMs, request: SlotRequest) -> EngineResult<Slots>;
}

struct Memory(MemoryEngine, ManualClock);

impl Memory {
    fn new() -> Self {
        let clock = ManualClock::at(BEGIN);
        let identity = StoreIdentity {
            shards: ShardCount::default(),
            hash_version: HASH_VERSION,
            opaque_key: OpaqueKey([7; 32]),
        };
        Self(MemoryEngine::new(identity, Arc::new(clock.clone())), clock)
    }
}

impl Store for Memory {
    fn ask(&self, now: TimestampMs, request: SlotRequest) -> EngineResult<Slots> {
        use futures_util::FutureExt as _;
        self.1.set(now);
        self.0.reserve_slots(request).now_or_never().unwrap()
    }
}

/// How the way to the store is.
#[derive(Clone, Copy, Default)]
struct Way {
    /// Each way takes up to so long.
    up_to_ms: u64,
    /// Of a hundred answers so many are lost.
    lost: u64,
}

/// Queues of one number on several nodes.
struct World {
    store: Rc<dyn Store>,
    way: Way,
    per_second: u32,
    began: Instant,
    sent: Rc<RefCell<Vec<Instant>>>,
    dice: Rc<Cell<u64>>,
}

struct Queue {
    slots: Arc<NumberSlots>,
    backlog: Rc<Cell<usize>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Queue {
    fn die(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl World {
    fn new(store: Rc<dyn Store>, per_second: u32, way: Way) -> Self {
        let sent = Rc::default();
        Self { store, way, per_second, began: Instant::now(), sent, dice: Rc::default() }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// What the runtime does for one number of one node.
    fn queue(&self, backlog: usize) -> Queue {
        let slots = Arc::new(NumberSlots::new(NumberId(1)));
        let backlog = Rc::new(Cell::new(backlog));
        let (per_second, ready, ask) = (self.per_second, Rc::clone(&backlog), self.ask());
        let reserving = {
            let slots = Arc::clone(&slots);
            let demand = move || Demand { per_second, ready: ready.get(), look_at: None };
            spawn_local(async move { reserve(&slots, demand, ask).await })
        };
        let pumping = spawn_local(pump(Arc::clone(&slots), Rc::clone(&backlog), Rc::clone(&self.sent)));
        Queue { slots, backlog, tasks: vec![reserving, pumping] }
    }

    fn ask(&self) -> impl Fn(SlotRequest) -> LocalBoxFuture<'static, EngineResult<Slots>> + 'static {
        let (store, way, dice, began) = (self.store.clone(), self.way, self.dice.clone(), self.began);
        move |request| {
            let (store, dice) = (store.clone(), dice.clone());
            Box::pin(async move {
                let roll = move |below: u64| {
                    dice.set(dice.get() + 1);
                    xxh3_64(&dice.get().to_le_bytes()) % below.max(1)
                };
                sleep(Duration::from_millis(roll(way.up_to_ms))).await;
                let now = TimestampMs(BEGIN.0 + i64::try_from(began.elapsed().as_millis()).unwrap());
                let slots = store.ask(now, request);
                sleep(Duration::from_millis(roll(way.up_to_ms))).await;
                if roll(100) < way.lost { Err(EngineError::Unknown("lost".to_owned())) } else { slots }
            })
        }
    }

    /// The most messages in any second, both its ends included.
    fn most_in_a_second(&self) -> usize {
        let sent = self.sent.borrow();
        let second = Duration::from_secs(1);
        let within =
            |first: usize| sent[first..].iter().take_while(|&&at| at - sent[first] <= second).count();
        (0..sent.len()).map(within).max().unwrap_or(0)
    }

    /// Which part of the limit was used between two times.
    fn used(&self, from_s: u64, to_s: u64) -> f64 {
        let between = Duration::from_secs(from_s)..Duration::from_secs(to_s);
        let sent = self.sent.borrow();
        let count = sent.iter().filter(|&&at| between.contains(&(at - self.began))).count();
        count as f64 / (to_s - from_s) as f64 / f64::from(self.per_second)
    }

    fn check(&self, what: &str, from_s: u64, to_s: u64, used_at_least: f64) {
        let (most, used) = (self.most_in_a_second(), self.used(from_s, to_s));
        assert!(most <= self.per_second as usize, "{what}: {most} of {} in a second", self.per_second);
        assert!(used >= used_at_least, "{what}: used {used:.3}");
    }
}

async fn pump(slots: Arc<NumberSlots>, backlog: Rc<Cell<usize>>, sent: Rc<RefCell<Vec<Instant>>>) {
    loop {
        slots.in_sight().await;
        if backlog.get() == 0 {
            slots.changes().await;
            continue;
        }
        backlog.set(backlog.get() - 1);
        let (claimed, slots, sent) = (slots.claim(), Arc::clone(&slots), Rc::clone(&sent));
        spawn_local(async move {
            sleep(CLAIM).await;
            slots.take().await;
            drop(claimed);
            sent.borrow_mut().push(Instant::now());
        });
    }
}

async fn run(test: impl Future<Output = ()>) {
    LocalSet::new().run_until(test).await;
}

/// Enough for the whole test.
const BACKLOG: usize = 1_000_000;

#[tokio::test(start_paused = true)]
async fn p8_with_backlog_on_one_of_many_queues_the_limit_is_used_and_kept_in_every_second() {
    for (queues, per_second) in [(1, 5), (1, 80), (1, 1_000), (4, 80), (16, 5), (16, 80), (16, 1_000)] {
        run(async {
            let world = World::new(Rc::new(Memory::new()), per_second, Way { up_to_ms: 5, lost: 0 });
            let queues: Vec<_> =
                (0..queues).map(|queue| world.queue(if queue == 0 { BACKLOG } else { 0 })).collect();
            sleep(Duration::from_secs(12)).await;
            world.check(&format!("{} queues, {per_second}/s", queues.len()), 2, 12, 0.95);
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn p8_with_backlog_on_all_queues_the_limit_is_used_and_kept_in_every_second() {
    for (count, per_second) in [(4, 80), (16, 5), (16, 80), (16, 1_000)] {
        run(async {
            let world = World::new(Rc::new(Memory::new()), per_second, Way { up_to_ms: 5, lost: 0 });
            let queues: Vec<_> = (0..count).map(|_| world.queue(BACKLOG)).collect();
            sleep(Duration::from_secs(30)).await;
            world.check(&format!("{count} queues, {per_second}/s"), 10, 30, 0.95);
            let shares = queues.iter().map(|queue| BACKLOG - queue.backlog.get());
            let (least, most) = (shares.clone().min().unwrap(), shares.max().unwrap());
            assert!(least * 2 + 20 >= most, "{count} queues, {per_second}/s: {least} to {most} each");
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn p8_a_slow_or_forgetful_store_never_lets_more_through() {
    let ways = [Way { up_to_ms: 12, lost: 0 }, Way { up_to_ms: 2, lost: 30 }, Way { up_to_ms: 12, lost: 10 }];
    for (index, way) in ways.into_iter().enumerate() {
        run(async {
            let world = World::new(Rc::new(Memory::new()), 80, way);
            let _queues: Vec<_> = (0..4).map(|_| world.queue(BACKLOG)).collect();
            sleep(Duration::from_secs(20)).await;
            world.check(&format!("way {index}"), 5, 20, if way.lost == 0 { 0.95 } else { 0.6 });
        })
        .await;
    }
}

/// Nodes that were stopped wake up with slots that are past.
#[tokio::test(start_paused = true)]
async fn p8_what_was_late_is_not_made_up_for() {
    run(async {
        let world = World::new(Rc::new(Memory::new()), 80, Way { up_to_ms: 3, lost: 0 });
        let _queues: Vec<_> = (0..4).map(|_| world.queue(BACKLOG)).collect();
        for stop in 0..100 {
            sleep(Duration::from_millis(150)).await;
            advance(Duration::from_millis(stop * 3)).await;
        }
        world.check("stopped", 0, 15, 0.3);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_dies_takes_no_more_than_its_slots_with_it() {
    run(async {
        let world = World::new(Rc::new(Memory::new()), 80, Way { up_to_ms: 3, lost: 0 });
        let queues: Vec<_> = (0..4).map(|_| world.queue(BACKLOG)).collect();
        sleep(Duration::from_secs(5)).await;
        queues[1..].iter().for_each(Queue::die);
        sleep(Duration::from_secs(10)).await;
        // Three nodes with a fifth of a second each, in the second after their death.
        world.check("one of four is left", 5, 6, 0.3);
        world.check("one of four is left", 6, 15, 0.95);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn received_messages_count_on_every_node_and_cannot_silence_the_number() {
    run(async {
        let world = World::new(Rc::new(Memory::new()), 80, Way { up_to_ms: 3, lost: 0 });
        let (sending, receiving) = (world.queue(BACKLOG), world.queue(0));
        for _ in 0..100 {
            sleep(Duration::from_millis(100)).await;
            receiving.slots.count_received(2);
            sending.slots.count_received(1);
        }
        let used = world.used(2, 10);
        let left = (80.0 - 30.0) / 80.0;
        assert!((0.93 * left..=left).contains(&used), "thirty of eighty are received: {used:.3}");
        let flood_at = world.now();
        for _ in 0..100 {
            sleep(Duration::from_millis(100)).await;
            receiving.slots.count_received(1_000);
        }
        let used = world.used(flood_at.as_secs() + 2, flood_at.as_secs() + 10);
        assert!((0.45..=0.52).contains(&used), "every second slot: {used:.3}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_reserved_for_nobody() {
    run(async {
        let world = World::new(Rc::new(Memory::new()), 80, Way::default());
        let idle = world.queue(0);
        sleep(Duration::from_secs(5)).await;
        idle.backlog.set(1);
        idle.slots.changed();
        let before = world.now();
        sleep(Duration::from_secs(1)).await;
        let sent = world.sent.borrow()[0] - world.began;
        assert_eq!(world.sent.borrow().len(), 1);
        assert!(sent - before < CLAIM + Duration::from_millis(5), "the first slot is at once: {sent:?}");
    })
    .await;
}
