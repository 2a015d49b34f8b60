//! The faulty engine: its faults are what they say, and an owner that follows the laws survives them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::FutureExt;
use protocol::outbound::OpaqueKey;
use protocol::shard::{HASH_VERSION, ShardCount};
use store::engine::{
    Committed, Engine, EngineError, FactLane, FactPosition, FaultRates, FaultyEngine, Lease, ManualClock,
    MemoryEngine, Position, StoreIdentity,
};

use super::harness::{A, LEASE, START, batch, text};

const NONE: FaultRates =
    FaultRates { lost_answer: 0, lost_request: 0, refused: 0, duplicated: 0, stolen: 0, late: 0, slow: 0 };

fn faulty(seed: u64, rates: FaultRates) -> FaultyEngine {
    let identity = StoreIdentity {
        shards: ShardCount::new(4).unwrap(),
        hash_version: HASH_VERSION,
        opaque_key: OpaqueKey([7; 32]),
    };
    FaultyEngine::new(Arc::new(MemoryEngine::new(identity, Arc::new(ManualClock::at(START)))), seed, rates)
}

async fn lease(engine: &FaultyEngine) -> Lease {
    loop {
        if let Ok(Some(lease)) = engine.acquire(A, 1, LEASE).await {
            return lease;
        }
    }
}

#[tokio::test]
async fn a_lost_answer_was_applied_and_a_lost_request_was_not() {
    let engine = faulty(1, NONE);
    let lease = lease(&engine).await;
    engine.set_rates(FaultRates { lost_answer: 1_000, ..NONE });
    assert!(matches!(engine.commit(batch(&lease, 1)).await, Err(EngineError::Unknown(_))));
    engine.set_rates(FaultRates { lost_request: 1_000, ..NONE });
    assert!(matches!(engine.commit(batch(&lease, 2)).await, Err(EngineError::Unknown(_))));
    engine.set_rates(NONE);
    assert_eq!(engine.commit(batch(&lease, 1)).await.unwrap(), Committed::Already);
    assert_eq!(engine.commit(batch(&lease, 2)).await.unwrap(), Committed::Applied);
}

#[tokio::test(start_paused = true)]
async fn a_late_request_is_made_after_its_caller_gave_it_up() {
    let engine = faulty(1, NONE);
    let lease = lease(&engine).await;
    engine.set_rates(FaultRates { late: 1_000, ..NONE });
    assert!(matches!(engine.commit(batch(&lease, 1)).await, Err(EngineError::Unknown(_))));
    assert!(engine.append(vec![(A, text("1"))]).await.is_err());
    engine.set_rates(NONE);
    assert_eq!(engine.stats().backlog_entries, 0);
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(engine.stats().backlog_entries, 1);
    assert_eq!(engine.commit(batch(&lease, 1)).await.unwrap(), Committed::Already);
    assert_eq!(engine.counts().total(), 2);
}

#[tokio::test]
async fn a_stolen_lease_fences_its_holder() {
    let engine = faulty(1, NONE);
    let lease = lease(&engine).await;
    engine.set_rates(FaultRates { stolen: 1_000, ..NONE });
    assert!(matches!(engine.commit(batch(&lease, 1)).await, Err(EngineError::Fenced)));
}

#[tokio::test]
async fn held_calls_wait_until_they_are_released() {
    let engine = faulty(1, NONE);
    engine.hold_calls();
    let mut append = engine.append(vec![(A, text("1"))]);
    assert!((&mut append).now_or_never().is_none());
    engine.release_calls();
    append.await.unwrap();
    assert_eq!(engine.stats().backlog_entries, 1);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_faults() {
    let rates = FaultRates { refused: 300, lost_answer: 300, ..NONE };
    let mut runs = Vec::new();
    for seed in [5, 5, 6] {
        let engine = faulty(seed, rates);
        let mut outcomes = String::new();
        for _ in 0..64 {
            outcomes.push(if engine.append(vec![(A, text("x"))]).await.is_ok() { '+' } else { '-' });
        }
        runs.push(outcomes);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

/// An owner that repeats the identical batch after `Unknown` and starts again after `Fenced` applies every
/// entry exactly once, in order.
#[tokio::test]
async fn an_owner_that_keeps_the_laws_applies_everything_once() {
    let rates = FaultRates { lost_answer: 150, lost_request: 100, refused: 100, stolen: 80, ..NONE };
    for seed in 0..20 {
        let engine = faulty(seed, NONE);
        for n in 0..50 {
            engine.append(vec![(A, text(n.to_string()))]).await.unwrap();
        }
        engine.set_rates(rates);
        let mut owner = lease(&engine).await;
        let mut batch_id = 0;
        while engine.stats().backlog_entries > 0 {
            let Ok(entries) = engine.read(A, owner.position, 3).await else { continue };
            let mut commit = batch(&owner, batch_id);
            batch_id += 1;
            commit.new_position = entries.last().map_or(Position(0), |entry| entry.position);
            commit.facts = entries.into_iter().map(|entry| entry.bytes).collect();
            loop {
                match engine.commit(commit.clone()).await {
                    Ok(_) => break owner.position = commit.new_position,
                    Err(EngineError::Unknown(_) | EngineError::Failed(_)) => {}
                    Err(EngineError::Fenced) => break owner = lease(&engine).await,
                    Err(error) => panic!("seed {seed}: {error}"),
                }
            }
        }
        engine.set_rates(NONE);
        let facts = engine.facts(FactLane(0), FactPosition(0), 99).await.unwrap();
        let numbers: Vec<_> = facts.into_iter().map(|(_, fact)| fact).collect();
        assert_eq!(numbers, (0..50).map(|n| text(n.to_string())).collect::<Vec<_>>(), "seed {seed}");
        assert!(engine.counts().stolen.load(Ordering::Relaxed) > 0 || seed > 0);
    }
}
