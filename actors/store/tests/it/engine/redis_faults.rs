//! Faults of servers: killed, restarted, replaced by a replica, in the middle of a migration, silent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use protocol::shard::{ShardCount, ShardId};
use store::engine::{
    Committed, Durability, Engine, EngineError, EngineResult, FactPosition, Lease, RedisEngine, RedisOptions,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::harness::{A, LEASE, SHARDS, batch, text, texts};
use super::server::{RedisCluster, RedisServer};

/// Where an answer is not to come.
const SHORT: Duration = Duration::from_millis(600);

/// What a storm of writes was told, and the next numbers.
struct Storm {
    engine: RedisEngine,
    acknowledged: Mutex<Acknowledged>,
    /// Set before the server is killed: errors are expected from then on.
    killed: AtomicBool,
}

#[derive(Clone, Default)]
struct Acknowledged {
    appended: Vec<Vec<u64>>,
    applied: Vec<Vec<u64>>,
}

impl Acknowledged {
    fn nothing() -> Self {
        let none = || vec![vec![]; usize::from(SHARDS)];
        Self { appended: none(), applied: none() }
    }
}

impl Storm {
    /// Appends numbers until the server is gone.
    async fn append(&self, shard: ShardId, from: u64) {
        for number in from.. {
            match self.engine.append(vec![(shard, text(number.to_string()))]).await {
                Ok(()) => self.acknowledged.lock().appended[usize::from(shard.0)].push(number),
                Err(error) => return assert!(self.killed.load(Ordering::SeqCst), "{error}"),
            }
        }
    }

    /// Applies them until the server is gone: each becomes a fact.
    async fn apply(&self, shard: ShardId) {
        let mut lease = self.engine.acquire(shard, 1, LEASE).await.unwrap().unwrap();
        loop {
            let Ok(entries) = self.engine.read(shard, lease.position, 3).await else { return };
            let mut commit = batch(&lease, rand::random());
            commit.new_position = entries.last().unwrap().position;
            commit.facts = entries.iter().map(|entry| entry.bytes.clone()).collect();
            lease.position = commit.new_position;
            match self.engine.commit(commit).await {
                Ok(_) => {
                    let numbers = texts(&entries).into_iter().map(|number| number.parse::<u64>().unwrap());
                    self.acknowledged.lock().applied[usize::from(shard.0)].extend(numbers);
                }
                // A slot that was taken over: as the owner of a shard would.
                Err(EngineError::Fenced) if !self.killed.load(Ordering::SeqCst) => {
                    lease = self.engine.acquire(shard, 1, LEASE).await.unwrap().unwrap();
                }
                Err(error) => return assert!(self.killed.load(Ordering::SeqCst), "{error}"),
            }
        }
    }

    fn count(&self) -> usize {
        self.acknowledged.lock().applied.iter().map(Vec::len).sum()
    }
}

/// Numbers of a shard begin here; they are different ones for each.
fn first_of(shard: ShardId) -> u64 {
    u64::from(shard.0) << 32
}

fn is_of(shard: ShardId, number: u64) -> bool {
    number >> 32 == u64::from(shard.0)
}

/// Reads everything that a store holds of a shard.
async fn found(engine: &RedisEngine, shard: ShardId) -> (Vec<u64>, Vec<u64>) {
    let number = |bytes: &[u8]| std::str::from_utf8(bytes).unwrap().parse::<u64>().unwrap();
    let lane = engine.fact_lane(shard);
    let newest = engine.newest_facts(&[lane]).await.unwrap()[0];
    let (mut applied, mut after) = (vec![], FactPosition(0));
    while after < newest {
        let facts = engine.facts(lane, after, 1_000).await.unwrap();
        after = facts.last().unwrap().0;
        // Shards share lanes.
        applied.extend(facts.iter().map(|(_, fact)| number(fact)).filter(|&fact| is_of(shard, fact)));
    }
    let lease = engine.acquire(shard, 1, LEASE).await.unwrap().unwrap();
    let (mut waiting, mut after) = (vec![], lease.position);
    for _ in 0..engine.waiting(shard) {
        let entries = engine.read(shard, after, 1).await.unwrap();
        after = entries[0].position;
        waiting.push(number(&entries[0].bytes));
    }
    (applied, waiting)
}

/// Four shards' writers and appliers, until enough was applied.
fn start_storm(storm: &Arc<Storm>) -> tokio::task::JoinSet<()> {
    let mut tasks = tokio::task::JoinSet::new();
    let known = storm.acknowledged.lock().clone();
    for shard in (0..SHARDS).map(ShardId) {
        let next = known.appended[usize::from(shard.0)].last().map_or(first_of(shard), |last| last + 1_000);
        let (appending, applying) = (storm.clone(), storm.clone());
        tasks.spawn(async move { appending.append(shard, next).await });
        tasks.spawn(async move { applying.apply(shard).await });
    }
    tasks
}

async fn until_applied(storm: &Storm, more: usize) {
    let enough = storm.count() + more;
    while storm.count() < enough {
        tokio::task::yield_now().await;
    }
}

/// Everything that was acknowledged is there, nothing is twice.
async fn account(engine: &RedisEngine, known: &Acknowledged) {
    for shard in (0..SHARDS).map(ShardId) {
        let (applied, waiting) = found(engine, shard).await;
        let all: BTreeSet<u64> = applied.iter().chain(&waiting).copied().collect();
        assert_eq!(all.len(), applied.len() + waiting.len(), "nothing is there twice");
        let index = usize::from(shard.0);
        for number in &known.appended[index] {
            assert!(all.contains(number), "{number} of {shard:?} was acknowledged");
        }
        let applied: BTreeSet<u64> = applied.into_iter().collect();
        assert!(known.applied[index].iter().all(|number| applied.contains(number)));
    }
}

async fn storm(options: RedisOptions, known: &Acknowledged) -> Arc<Storm> {
    Arc::new(Storm {
        engine: RedisEngine::open(options).await.unwrap(),
        acknowledged: Mutex::new(known.clone()),
        killed: AtomicBool::new(false),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let mut server = RedisServer::start(&["--appendfsync", "always"]);
    let options = RedisOptions { durability: Durability::Fsync, ..server.options() };
    let mut known = Acknowledged::nothing();
    for round in 0..4 {
        let storm = storm(options.clone(), &known).await;
        let mut tasks = start_storm(&storm);
        until_applied(&storm, 100 + 300 * round).await;
        storm.killed.store(true, Ordering::SeqCst);
        server.kill();
        server.restart();
        // Whoever reads waits for ever for what nobody appends any more.
        tasks.shutdown().await;
        known = storm.acknowledged.lock().clone();
        drop(storm);
        account(&RedisEngine::open(options.clone()).await.unwrap(), &known).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_replica_confirmed_survives_the_loss_of_the_master() {
    let mut master = RedisServer::start(&[]);
    let follow = |port: u16| RedisServer::start(&["--replicaof", &format!("127.0.0.1 {port}")]);
    let replicas = [follow(master.port()), follow(master.port())];
    while master.command(&["WAIT", "2", "100"]) != "2" {}
    let urls = [&master, &replicas[0], &replicas[1]].map(RedisServer::url).to_vec();
    let storm =
        storm(RedisOptions { urls: urls.clone(), replicas: 1, ..master.options() }, &Acknowledged::nothing())
            .await;
    let mut tasks = start_storm(&storm);
    until_applied(&storm, 500).await;
    storm.killed.store(true, Ordering::SeqCst);
    master.kill();
    tasks.shutdown().await;
    // What was confirmed by one of them is with the one that has received more.
    let offset = |server: &RedisServer| {
        let info = server.command(&["INFO", "replication"]);
        let line = info.lines().find_map(|line| line.strip_prefix("slave_repl_offset:")).unwrap();
        line.trim().parse::<u64>().unwrap()
    };
    let next = replicas.iter().max_by_key(|replica| offset(replica)).unwrap();
    assert_eq!(next.command(&["REPLICAOF", "NO", "ONE"]), "OK");
    let known = storm.acknowledged.lock().clone();
    account(&RedisEngine::open(RedisOptions { urls, ..master.options() }).await.unwrap(), &known).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_moves_to_another_master_while_commits_run() {
    let cluster = Arc::new(RedisCluster::start());
    let storm = storm(cluster.options("moving"), &Acknowledged::nothing()).await;
    let mut tasks = start_storm(&storm);
    until_applied(&storm, 200).await;
    let (from, key) = cluster.holder("moving:*h0");
    let slot = cluster.servers[from].command(&["CLUSTER", "KEYSLOT", &key]);
    let migrating = cluster.clone();
    tokio::task::spawn_blocking(move || migrating.migrate(&slot, from, (from + 1) % 3)).await.unwrap();
    let before = storm.acknowledged.lock().applied[0].len();
    while storm.acknowledged.lock().applied[0].len() < before + 50 {
        tokio::task::yield_now().await;
    }
    assert_eq!(cluster.holder("moving:*h0").0, (from + 1) % 3);
    storm.killed.store(true, Ordering::SeqCst);
    tasks.shutdown().await;
    let known = storm.acknowledged.lock().clone();
    account(&RedisEngine::open(cluster.options("moving")).await.unwrap(), &known).await;
}

/// Whoever takes over may lack the newest writes, also when it has been the master before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_lane_of_a_lost_master_is_fenced_there_and_back() {
    const LANES: u16 = 12;
    let mut cluster = RedisCluster::start();
    let mut second = cluster.replica_of(0);
    let options = RedisOptions { shards: ShardCount::new(LANES).unwrap(), ..cluster.options("failing") };
    let engine = RedisEngine::open(options).await.unwrap();
    for _ in 0..2 {
        let mut leases = vec![];
        for shard in (0..LANES).map(ShardId) {
            leases.push(answered(async || engine.acquire(shard, 1, LEASE).await).await.unwrap());
        }
        let held = cluster.servers[0].command(&["KEYS", "failing:*h*"]).lines().count();
        assert_eq!(held, usize::from(LANES) / cluster.servers.len());
        cluster.servers[0].kill();
        assert_eq!(second.command(&["CLUSTER", "FAILOVER", "TAKEOVER"]), "OK");
        let mut fenced = 0;
        for lease in &leases {
            match committed(&engine, lease).await {
                Ok(_) => {}
                Err(EngineError::Fenced) => fenced += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(fenced, held, "every lane that was taken over, and no other");
        cluster.servers[0].restart();
        while !cluster.servers[0].command(&["INFO", "replication"]).contains("master_link_status:up") {}
        std::mem::swap(&mut cluster.servers[0], &mut second);
    }
}

/// Commits nothing, as often as it takes until the answer is known.
async fn committed(engine: &RedisEngine, lease: &Lease) -> EngineResult<Committed> {
    loop {
        match engine.commit(batch(lease, 1)).await {
            Err(EngineError::Unknown(_) | EngineError::Failed(_)) => {}
            answer => return answer,
        }
    }
}

/// Passes everything on, until it is told to swallow what the server answers.
struct Proxy {
    port: u16,
    swallow: Arc<AtomicBool>,
}

impl Proxy {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (own, swallow) = (listener.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
        let swallowing = swallow.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(Self::pass(client, port, swallowing.clone()));
            }
        });
        Self { port: own, swallow }
    }

    async fn pass(client: TcpStream, port: u16, swallow: Arc<AtomicBool>) {
        let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
            (client.into_split(), server.into_split());
        let asking = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
        let mut buffer = vec![0; 65_536];
        while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
            if swallow.load(Ordering::SeqCst) || to_client.write_all(&buffer[..count]).await.is_err() {
                break;
            }
        }
        asking.abort();
    }
}

#[tokio::test]
async fn what_was_applied_without_an_answer_is_not_applied_again() {
    let server = RedisServer::start(&[]);
    let proxy = Proxy::to(server.port()).await;
    let urls = vec![format!("redis://127.0.0.1:{}", proxy.port)];
    let engine =
        RedisEngine::open(RedisOptions { urls, answer_timeout: SHORT, ..server.options() }).await.unwrap();
    let lease = engine.acquire(A, 1, LEASE).await.unwrap().unwrap();
    let mut commit = batch(&lease, 1);
    commit.facts = vec![text("once")];
    proxy.swallow.store(true, Ordering::SeqCst);
    assert!(matches!(engine.commit(commit.clone()).await, Err(EngineError::Unknown(_))));
    assert!(matches!(
        engine.append(vec![(A, text("1"))]).await,
        Err(EngineError::Unknown(_) | EngineError::Failed(_))
    ));
    proxy.swallow.store(false, Ordering::SeqCst);
    assert_eq!(answered(async || engine.commit(commit.clone()).await).await, Committed::Already);
    assert_eq!(engine.facts(engine.fact_lane(A), FactPosition(0), 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_restarted_server_fences_what_was_granted_before() {
    let mut server = RedisServer::start(&[]);
    let engine = RedisEngine::open(server.options()).await.unwrap();
    let lease = engine.acquire(A, 1, LEASE).await.unwrap().unwrap();
    engine.append(vec![(A, text("1"))]).await.unwrap();
    server.kill();
    assert!(matches!(engine.commit(batch(&lease, 1)).await, Err(EngineError::Unknown(_))));
    server.restart();
    assert!(matches!(engine.commit(batch(&lease, 1)).await, Err(EngineError::Fenced)));
    assert_eq!(engine.renew(&[(A, lease.token)], LEASE).await.unwrap(), [false]);
    let lease = engine.acquire(A, 1, LEASE).await.unwrap().unwrap();
    engine.commit(batch(&lease, 2)).await.unwrap();
    assert_eq!(texts(&engine.read(A, lease.position, 9).await.unwrap()), ["1"]);
}

/// Asks again while the answer is unknown, as the engine's contract wants: on a busy machine a replica may be late.
async fn answered<T>(ask: impl AsyncFn() -> EngineResult<T>) -> T {
    loop {
        match ask().await {
            Err(EngineError::Unknown(_)) => {}
            answer => return answer.unwrap(),
        }
    }
}

#[tokio::test]
async fn a_write_that_no_replica_confirms_is_unknown() {
    let server = RedisServer::start(&[]);
    let replica = RedisServer::start(&["--replicaof", &format!("127.0.0.1 {}", server.port())]);
    while server.command(&["WAIT", "1", "100"]) != "1" {}
    let options = RedisOptions { replicas: 1, answer_timeout: SHORT, ..server.options() };
    let engine = RedisEngine::open(options).await.unwrap();
    let lease = answered(async || engine.acquire(A, 1, LEASE).await).await.unwrap();
    answered(async || engine.append(vec![(A, text("1"))]).await).await;
    drop(replica);
    assert!(matches!(engine.append(vec![(A, text("2"))]).await, Err(EngineError::Unknown(_))));
    let commit = batch(&lease, 1);
    assert!(matches!(engine.commit(commit.clone()).await, Err(EngineError::Unknown(_))));
    let _replica = RedisServer::start(&["--replicaof", &format!("127.0.0.1 {}", server.port())]);
    while server.command(&["WAIT", "1", "100"]) != "1" {}
    assert_eq!(answered(async || engine.commit(commit.clone()).await).await, Committed::Already);
}
