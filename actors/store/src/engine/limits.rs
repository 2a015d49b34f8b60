//! Every bound of the engine, with its reason.

use std::time::Duration;

use protocol::time::SpanMs;

/// How long the result of a command is kept: what we promise to callers that repeat an idempotency key.
pub const RESULT_LIFE: SpanMs = SpanMs::hours(24);

/// How long a provider id is remembered. The provider repeats a webhook for up to 7 days; a day is added for
/// clocks and for the time an entry waits in the log.
pub const SEEN_LIFE: SpanMs = SpanMs::hours(8 * 24);

/// Batch ids remembered per shard. An owner repeats only the batch whose answer it lost, and has few under way.
pub const BATCH_IDS_KEPT: usize = 8;

/// Appended and not yet applied: about 15 s of full load (40,000 entries of 400 bytes a second). More would only
/// make callers wait longer than the provider does.
pub const BACKLOG_MAX_BYTES: u64 = 256 * MIB;

/// Of the backlog, what is kept in memory; the rest is read again from the log rows, through the block cache.
pub(crate) const TAIL_RESIDENT_MAX_BYTES: usize = 64 * MIB as usize;

/// Room that must stay free on the disk: the journal, one round of merging, and commits that work off the
/// backlog while appends are refused.
pub const DISK_FREE_MIN_BYTES: u64 = 1024 * MIB;

/// Requests that wait for the writer. More than the connections of a busy server; whoever comes later waits.
pub(crate) const REQUESTS_MAX: usize = 4_096;

/// Bytes of appends on their way to the writer: twenty webhooks of the largest size (3 MB), or a tenth of a
/// second of full load many times over.
pub(crate) const QUEUED_MAX_BYTES: u64 = 64 * MIB;

/// Requests of one group: a group of 1,024 takes the writer about 10 ms, and larger ones share the sync no
/// better.
pub(crate) const GROUP_REQUESTS_MAX: usize = 1_024;

/// Bytes of one group, after which it is written even if more requests wait: bounds the memory of a batch.
pub(crate) const GROUP_MAX_BYTES: usize = 16 * MIB as usize;

/// Entries of one append: a webhook carries at most 1,000 updates.
pub const APPEND_ENTRIES_MAX: usize = 1 << 16;

/// Log rows are removed, and the checkpoint is written, when so many bytes or rows are applied: a start has to
/// read no more than that, and most rows are gone before they are flushed from memory to a file.
pub(crate) const CHECKPOINT_BYTES: usize = 4 * MIB as usize;
/// See [`CHECKPOINT_BYTES`]; for small groups.
pub(crate) const CHECKPOINT_GROUPS: usize = 512;

/// Rows of facts that one trim removes, so that it does not hold up the writer; a projection trims often.
pub(crate) const FACT_ROWS_TRIMMED_AT_ONCE: usize = 4_096;

const MIB: u64 = 1024 * 1024;

/// Blocks read from files. Snapshots of live conversations are in their actors; this serves those that wake up.
pub(crate) const BLOCK_CACHE_BYTES: u64 = 32 * MIB;

/// The journal is read at a start, so it is the least that fjall takes. Measured on two cores that were busy with
/// other work: cold starts with a million conversations took 2.5 to 3.3 s; an idle machine was not measured.
pub(crate) const JOURNAL_MAX_BYTES: u64 = 64 * MIB;

/// Snapshots in memory before they are flushed; up to five of these exist while flushing lags behind. When four
/// wait, fjall holds every write back for 100 ms at a time, so the memory buys even latencies: twice as much (with
/// [`PASSING_MEMTABLE_BYTES`] four times as much) took the p99 at 70 % of the knee from 125 ms in one run to 45–96
/// ms in four, and the process from 330 to 450 MB at full load.
pub(crate) const SNAPSHOT_MEMTABLE_BYTES: u64 = 32 * MIB;

/// Log rows and facts in memory before they are flushed: more than a checkpoint, so that most rows are removed
/// before they reach a file; and more than a second of both at full load, see [`SNAPSHOT_MEMTABLE_BYTES`].
pub(crate) const PASSING_MEMTABLE_BYTES: u64 = 32 * MIB;

/// Timers, results and seen keys in memory before they are flushed. Rows are small: memory is about twice this.
pub(crate) const BUSY_MEMTABLE_BYTES: u64 = 4 * MIB;

/// The same for trees that are rarely written.
pub(crate) const QUIET_MEMTABLE_BYTES: u64 = MIB;

/// Tables of a tree are at least so large: a store of ten million conversations has a thousand files.
pub(crate) const TABLE_MIN_BYTES: u64 = 4 * MIB;

/// Threads that flush and merge. With two or more, fjall 3.1's first one spins on its queue while another merges
/// (it puts the request back and takes it again), which a profile showed. One sustained 50,000 operations a
/// second; a long merge then delays flushing, and what that costs in latency was not compared with two.
pub(crate) const WORKER_THREADS: usize = 1;

/// Niceness that flushing and merging add: a third of the weight of a thread that serves webhooks. They come in bursts
/// of some hundred milliseconds, and nobody waits for them.
pub(crate) const WORKER_NICENESS: i32 = 5;

/// Hash slots that a Redis store spreads over, see `redis/keys.rs`: more masters than this would stand idle, and
/// every lane is a stream that the projection reads and trims.
pub(crate) const REDIS_LANES_MAX: u16 = 32;

/// Shards of a new Redis store unless its creator chose otherwise. Each batch of a shard costs the server and the node
/// about as much as three webhooks, whatever it holds, so few shards with full batches are cheaper than many: 1 node
/// committed 1.4 times as much with 32 as with 256 (`gateway/docs/decisions/0021-few-shards-on-redis.md`).
pub const REDIS_SHARDS: u16 = 32;

/// A server that does not take a connection for so long is not there; leases end after some seconds.
pub(crate) const REDIS_CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Between attempts to connect, doubled after each: a restarted server is found at once, a dead one is not pressed.
pub(crate) const REDIS_RECONNECT_MIN: Duration = Duration::from_millis(10);
/// See [`REDIS_RECONNECT_MIN`].
pub(crate) const REDIS_RECONNECT_MAX: Duration = Duration::from_millis(500);

/// Between attempts at a call that the server did not take: a slot on its way, a server that still loads.
pub(crate) const REDIS_AGAIN_MIN: Duration = Duration::from_millis(2);
/// See [`REDIS_AGAIN_MIN`].
pub(crate) const REDIS_AGAIN_MAX: Duration = Duration::from_millis(100);

/// Private connections to one server: readers of facts, and an operator's look.
pub(crate) const REDIS_PRIVATE_CONNECTIONS: usize = 8;

/// How long a blocking read stays with the server; then it is asked again, and a closed store is noticed.
pub(crate) const REDIS_BLOCK: Duration = Duration::from_secs(2);

/// How often facts are looked for in a cluster, if none were committed here: people see them within that.
pub(crate) const REDIS_POLL: Duration = Duration::from_millis(100);

/// Conversations in one call: it stops the server for everybody else, a hundred for about a millisecond.
pub(crate) const REDIS_CALL_WRITES_MAX: usize = 128;
/// Bytes in one call, for the same reason; one batch or one group of a shard that is larger goes by itself.
pub(crate) const REDIS_CALL_BYTES_MAX: usize = 256 * 1024;

/// Facts in one stream entry: twelve bits of a position tell them apart, and the last value means "all". `library.lua`
/// keeps to it as well.
pub(crate) const REDIS_FACTS_IN_PACK: usize = 4_000;

/// Stream entries of one shard that one read fetches. Each may carry many log entries.
pub(crate) const REDIS_READ_PACKS_MAX: usize = 256;

/// How often memory and the ends of all logs are asked for. At 50,000 webhooks a second Redis grows by 65 MB a
/// second: appends are refused within 16 MB of the mark. It is also the longest that an entry of another node
/// waits if its wake-up was lost.
pub(crate) const REDIS_WATCH_INTERVAL: Duration = Duration::from_millis(250);

/// How much later than its slot a message may reach the provider without breaking the limit in any second: room for
/// timers that wake late and for the way to the provider. It costs as much of the limit, 2.5 %.
pub const SLOT_TOLERANCE: Duration = Duration::from_millis(25);

/// How far ahead a number can be booked. Nodes reserve a fifth of a second each, so this is never reached; after a
/// clock was set back it is how long a number is silent.
pub(crate) const SLOTS_AHEAD_MAX: Duration = Duration::from_secs(60);

/// Numbers whose slots are kept in memory before silent ones are looked for: about 200 KB.
pub(crate) const SLOTS_NUMBERS_MAX: usize = 4_096;

const _: () = assert!(TAIL_RESIDENT_MAX_BYTES as u64 <= BACKLOG_MAX_BYTES);
const _: () = assert!((CHECKPOINT_BYTES as u64) < PASSING_MEMTABLE_BYTES);
const _: () = assert!(CHECKPOINT_BYTES < TAIL_RESIDENT_MAX_BYTES);
const _: () = assert!(JOURNAL_MAX_BYTES < DISK_FREE_MIN_BYTES);
const _: () = assert!(SEEN_LIFE.0 > RESULT_LIFE.0);
