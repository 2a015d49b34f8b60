//! Random sequences of calls: every engine must answer what the model answers.

use proptest::prelude::*;
use protocol::command::CommandKey;
use protocol::id::{ConversationId, DeadLetterId, NumberId};
use protocol::shard::ShardId;
use protocol::time::{SpanMs, TimestampMs};
use store::engine::{
    Commit, ConversationWrite, DeadLetter, Durability, FactLane, FactPosition, Lease, LoadRequest, Position,
    SeenKey, SlotRequest,
};

use super::harness::{SHARDS, Store, batch, outcome, text};

const LEASE: SpanMs = SpanMs::seconds(60);

#[derive(Clone, Debug)]
enum Op {
    Append(Vec<u16>),
    Acquire {
        shard: u16,
        node: u64,
    },
    Release {
        shard: u16,
        stale: bool,
    },
    Commit(CommitOp),
    /// The last commit of all, as it was.
    Repeat,
    Pass(i64),
    Due {
        shard: u16,
        within_ms: i64,
        limit: usize,
    },
    Trim(usize),
    Replay {
        id: u128,
        shard: u16,
    },
    /// Number, slots and received messages.
    Reserve(u128, u32, u32),
    Reopen,
}

#[derive(Clone, Debug)]
struct CommitOp {
    shard: u16,
    stale: bool,
    wrong_position: bool,
    apply: usize,
    /// Conversation and how far away its timer is.
    writes: Vec<(u128, Option<i64>)>,
    facts: usize,
    key: u128,
    forward: Option<u16>,
    letter: Option<u128>,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let shard = 0..SHARDS;
    let commit = (
        (shard.clone(), prop::bool::weighted(0.1), prop::bool::weighted(0.1), 0usize..4),
        prop::collection::vec((0u128..6, prop::option::of(0i64..50)), 0..4),
        (
            0usize..3,
            0u128..4,
            prop::option::weighted(0.2, shard.clone()),
            prop::option::weighted(0.2, 0u128..4),
        ),
    )
        .prop_map(|((shard, stale, wrong_position, apply), writes, (facts, key, forward, letter))| {
            Op::Commit(CommitOp { shard, stale, wrong_position, apply, writes, facts, key, forward, letter })
        });
    let op = prop_oneof![
        4 => prop::collection::vec(shard.clone(), 0..4).prop_map(Op::Append),
        2 => (shard.clone(), 1u64..3).prop_map(|(shard, node)| Op::Acquire { shard, node }),
        1 => (shard.clone(), any::<bool>()).prop_map(|(shard, stale)| Op::Release { shard, stale }),
        8 => commit,
        1 => Just(Op::Repeat),
        1 => prop_oneof![0i64..100, 0..LEASE.0, Just(86_400_000)].prop_map(Op::Pass),
        2 => (shard, 0i64..100, 0usize..4).prop_map(|(shard, within_ms, limit)| Op::Due { shard, within_ms, limit }),
        1 => (0usize..8).prop_map(Op::Trim),
        1 => (0u128..4, 0..SHARDS).prop_map(|(id, shard)| Op::Replay { id, shard }),
        2 => (0u128..3, 0u32..30, 0u32..30).prop_map(|(number, wanted, received)| Op::Reserve(number, wanted, received)),
        1 => Just(Op::Reopen),
    ];
    prop::collection::vec(op, 1..60)
}

/// One engine with what the test knows of it. Positions and tokens differ between engines, their order does not.
struct Side {
    store: Store,
    /// All positions of a shard's log so far, in order, beginning with zero.
    positions: Vec<Vec<Position>>,
    /// How many of them are applied.
    applied: Vec<usize>,
    leases: Vec<Vec<Lease>>,
    facts: Vec<FactPosition>,
    /// Reading facts asks a server: only when there are some.
    waits_for_facts: bool,
    last: Option<Commit>,
}

impl Side {
    fn new(store: Store) -> Self {
        let shards = usize::from(SHARDS);
        Self {
            store,
            positions: vec![vec![Position(0)]; shards],
            applied: vec![0; shards],
            leases: vec![vec![]; shards],
            facts: vec![FactPosition(0)],
            waits_for_facts: false,
            last: None,
        }
    }

    async fn run(&mut self, op: &Op) -> String {
        match op {
            Op::Append(shards) => {
                let entries =
                    shards.iter().map(|&shard| (ShardId(shard), text(format!("to {shard}")))).collect();
                outcome(&self.store.append(entries).await)
            }
            Op::Acquire { shard, node } => self.acquire(*shard, *node).await,
            Op::Release { shard, stale } => match self.lease(*shard, *stale) {
                Some(lease) => outcome(&self.store.release(lease.shard, lease.token).await),
                None => "no lease yet".into(),
            },
            Op::Commit(op) => self.commit(op).await,
            Op::Repeat => match self.last.clone() {
                Some(commit) => outcome(&self.store.commit(commit).await),
                None => "nothing to repeat".into(),
            },
            Op::Pass(span_ms) => {
                self.store.clock.advance(SpanMs(*span_ms));
                String::new()
            }
            Op::Due { shard, within_ms, limit } => {
                let until = self.now() + SpanMs(*within_ms);
                outcome(&self.store.due(ShardId(*shard), until, *limit).await)
            }
            Op::Trim(index) => {
                let through = self.facts[*index % self.facts.len()];
                outcome(&self.store.trim_facts(FactLane(0), through).await)
            }
            Op::Replay { id, shard } => {
                outcome(&self.store.replay(DeadLetterId(of_shard(*id, *shard))).await)
            }
            Op::Reserve(number, wanted, received) => {
                let request = SlotRequest {
                    number: NumberId(*number),
                    per_second: 20,
                    wanted: *wanted,
                    received: *received,
                };
                outcome(&self.store.reserve_slots(request).await)
            }
            Op::Reopen => self.reopen().await,
        }
    }

    fn now(&self) -> TimestampMs {
        store::engine::Clock::now(&self.store.clock)
    }

    fn lease(&self, shard: u16, stale: bool) -> Option<Lease> {
        let leases = &self.leases[usize::from(shard)];
        if stale { leases.first().copied() } else { leases.last().copied() }
    }

    async fn acquire(&mut self, shard: u16, node: u64) -> String {
        let lease = self.store.acquire(ShardId(shard), node, LEASE).await.unwrap();
        let index = usize::from(shard);
        let told = lease.map(|lease| self.positions[index].iter().position(|&at| at == lease.position));
        self.leases[index].extend(lease);
        format!("{told:?}")
    }

    /// Leases do not outlive an embedded store, but they outlive the model: wait them out, take all again.
    async fn reopen(&mut self) -> String {
        self.store.clock.advance(LEASE);
        self.store.reopen().await;
        let mut told = String::new();
        for shard in 0..SHARDS {
            told += &self.acquire(shard, 9).await;
        }
        told
    }

    async fn commit(&mut self, op: &CommitOp) -> String {
        let Some(lease) = self.lease(op.shard, op.stale) else { return "no lease yet".into() };
        let shard = usize::from(op.shard);
        let from = if op.wrong_position { self.applied[shard] + 1 } else { self.applied[shard] };
        let to = (self.applied[shard] + op.apply).min(self.positions[shard].len() - 1);
        let mut commit = batch(&lease, next_batch_id(self.last.as_ref()));
        commit.now = self.now();
        commit.expected_position = self.positions[shard].get(from).copied().unwrap_or(Position(u64::MAX));
        commit.new_position = self.positions[shard][to];
        commit.facts = (0..op.facts).map(|n| text(format!("fact {n} of {}", commit.batch_id))).collect();
        commit.results =
            vec![(CommandKey(of_shard(op.key, op.shard)), text(format!("result of {}", commit.batch_id)))];
        commit.seen = vec![SeenKey(of_shard(op.key, op.shard))];
        commit.forwards = op.forward.iter().map(|&to| (ShardId(to), text("forwarded"))).collect();
        commit.dead_letters = op.letter.iter().map(|&id| self.letter(id, lease.shard)).collect();
        commit.conversations = self.writes(op, lease.shard).await;
        self.last = Some(commit.clone());
        let result = self.store.commit(commit).await;
        if result.is_ok() {
            self.applied[shard] = to;
        }
        outcome(&result)
    }

    fn letter(&self, id: u128, shard: ShardId) -> DeadLetter {
        let at = self.now();
        DeadLetter {
            id: DeadLetterId(of_shard(id, shard.0)),
            shard,
            at,
            reason: "because".into(),
            entry: text(format!("letter {id}")),
        }
    }

    async fn writes(&self, op: &CommitOp, shard: ShardId) -> Vec<ConversationWrite> {
        let mut writes: Vec<ConversationWrite> = vec![];
        for &(id, timer) in &op.writes {
            if writes.iter().any(|write| write.conversation.0 == id) {
                continue;
            }
            let conversation = ConversationId(id);
            let timer_before =
                self.store.stored(shard, conversation).await.and_then(|stored| stored.timer_at);
            let timer_after = timer.map(|ms| self.now() + SpanMs(ms));
            let snapshot = text(format!("state {id} at {}", self.now()));
            writes.push(ConversationWrite { conversation, snapshot, timer_before, timer_after });
        }
        writes
    }

    /// Everything that can be seen, in words that are the same for every engine.
    async fn look(&mut self, facts_there: bool) -> Seen {
        let mut seen = String::new();
        let mut backlog = 0;
        for shard in 0..SHARDS {
            let ids = || (0..4).map(|id| of_shard(id, shard));
            let request = LoadRequest {
                conversations: (0..6).map(ConversationId).collect(),
                commands: ids().map(CommandKey).collect(),
                seen: ids().map(SeenKey).collect(),
            };
            let shard = ShardId(shard);
            let loaded = self.store.load(shard, request).await;
            let next_due = self.store.next_due(shard).await;
            let log = self.unread(shard).await;
            backlog += log.len() as u64;
            seen += &format!("{shard:?}: {} {} {log:?}\n", outcome(&loaded), outcome(&next_due));
        }
        let stats = self.store.stats();
        assert_eq!(stats.backlog_entries, backlog);
        let mut letters = self.store.dead_letters(None, 99).await.unwrap();
        // Of several servers only the order on each is told.
        letters.sort_unstable_by_key(|letter| letter.id);
        let facts = if facts_there { self.all_facts().await } else { vec![] };
        seen += &format!("{letters:?} {facts:?} {}", stats.timers_pending);
        Seen { words: seen, facts_there: !facts.is_empty() }
    }

    /// The unapplied entries of a shard; learns the positions of new ones.
    async fn unread(&mut self, shard: ShardId) -> Vec<String> {
        let index = usize::from(shard.0);
        let after = self.positions[index][self.applied[index]];
        let log = self.store.unread(shard, after).await;
        self.positions[index].truncate(self.applied[index] + 1);
        self.positions[index].extend(log.iter().map(|entry| entry.position));
        log.iter().map(|entry| String::from_utf8(entry.bytes.to_vec()).unwrap()).collect()
    }

    /// In the order of the commits, which is known of each lane.
    async fn all_facts(&mut self) -> Vec<String> {
        let lanes: Vec<_> = self.store.fact_lanes().into_iter().map(|lane| (lane, FactPosition(0))).collect();
        let reading = self.store.facts_any(&lanes, 999);
        let facts = if self.waits_for_facts {
            reading.await.unwrap()
        } else {
            futures_util::FutureExt::now_or_never(reading).map(Result::unwrap).unwrap_or_default()
        };
        let mut found = vec![];
        for (lane, _) in lanes {
            let of_lane = facts.iter().filter(|(of, _, _)| *of == lane);
            let numbers = of_lane.map(|(_, position, fact)| {
                self.facts.push(*position);
                let text = String::from_utf8(fact.to_vec()).unwrap();
                let (fact, batch) = text["fact ".len()..].split_once(" of ").unwrap();
                (batch.parse::<u128>().unwrap(), fact.parse::<usize>().unwrap())
            });
            let numbers: Vec<_> = numbers.collect();
            assert!(numbers.is_sorted(), "{lane:?}: {numbers:?}");
            found.extend(numbers);
        }
        self.facts.sort_unstable();
        self.facts.dedup();
        found.sort_unstable();
        found.into_iter().map(|(batch, fact)| format!("fact {fact} of {batch}")).collect()
    }
}

/// What [`Side::look`] saw.
struct Seen {
    words: String,
    facts_there: bool,
}

/// Results, provider ids and letters belong to conversations, so in life their ids are those of one shard.
fn of_shard(id: u128, shard: u16) -> u128 {
    id * u128::from(SHARDS) + u128::from(shard)
}

/// A batch id that was not used before.
fn next_batch_id(last: Option<&Commit>) -> u128 {
    last.map_or(1, |commit| commit.batch_id + 1)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_embedded_engine_does_what_the_model_does(ops in ops()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let embedded = Side::new(Store::embedded_with(Durability::EverySecond).await);
            compare(&ops, Side::new(Store::memory().await), embedded).await;
        });
    }
}

proptest! {
    // Each case has a server of its own.
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_on_a_server_does_what_the_model_does(mut ops in ops()) {
        // A position of the model's one lane of facts means nothing in a lane of the other.
        ops.retain(|op| !matches!(op, Op::Trim(_)));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut redis = Side::new(Store::redis().await);
            redis.waits_for_facts = true;
            compare(&ops, Side::new(Store::memory().await), redis).await;
        });
    }
}

async fn compare(ops: &[Op], mut model: Side, mut other: Side) {
    for (index, op) in ops.iter().enumerate() {
        let (expected, got) = (model.run(op).await, other.run(op).await);
        assert_eq!(expected, got, "answer to call {index}: {op:?}");
        let expected = model.look(true).await;
        let got = other.look(expected.facts_there).await;
        assert_eq!(expected.words, got.words, "after call {index}: {op:?}");
    }
}
