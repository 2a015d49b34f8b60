//! The engine store: log, snapshots, timers, leases and the fenced commit that ties them together.
//!
//! One trait, several implementations, one contract suite. The laws that every implementation keeps:
//!
//! * **Durable append.** What [`Engine::append`] accepted survives `kill -9` at any instant.
//! * **One writer.** A commit whose token is not *equal* to the shard's current token changes nothing.
//! * **All or nothing.** A commit moves the position, stores snapshots, timers, facts and results, or nothing.
//! * **Exactly once.** A batch id that was committed before answers [`Committed::Already`].
//! * **Unknown is not failed.** After [`EngineError::Unknown`] the identical batch must be sent again, never a new one.

pub mod clock;
mod earliest;
pub mod embedded;
mod error;
pub mod faults;
pub mod limits;
pub mod memory;
mod presence;
pub mod redis;
mod slots;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use protocol::command::CommandKey;
use protocol::id::{ConversationId, DeadLetterId, derive};
use protocol::outbound::OpaqueKey;
use protocol::phone::ContactKey;
use protocol::shard::{ShardCount, ShardId};
use protocol::time::{SpanMs, TimestampMs};
use serde::{Deserialize, Serialize};

pub use self::clock::{Clock, ManualClock, SystemClock};
pub use self::embedded::{Durability, EmbeddedEngine, EmbeddedOptions};
pub use self::error::{EngineError, EngineResult};
pub use self::faults::{FaultRates, FaultyEngine};
pub use self::memory::MemoryEngine;
pub use self::redis::{RedisEngine, RedisOptions};
pub use self::slots::{SlotRequest, Slots};

/// What is fixed when a store is created and checked whenever it is opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreIdentity {
    /// Number of shards for the life of the store.
    pub shards: ShardCount,
    /// Version of the shard hash.
    pub hash_version: u8,
    /// Authenticates the opaque ids that providers send back.
    pub opaque_key: OpaqueKey,
}

impl StoreIdentity {
    /// Tells this store from others: its key was drawn when it was created. Below 2^63, as databases count.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        (derive("engine_store", &[&self.opaque_key.0]) as u64) >> 1
    }
}

/// A place in the log of one shard. Only its order means anything; zero is before the first entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

/// A log of facts. An engine keeps one for all shards, or one for each: a commit on a cluster reaches one server.
/// Facts of one conversation are always in one lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FactLane(pub u16);

/// A place in a lane of facts. Only its order means anything; zero is before the first fact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FactPosition(pub u64);

/// The right to write to a shard. Epoch **and** nonce: after a fail-over that lost the newest writes a bare
/// epoch could be issued twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Token {
    /// Counts up with every acquisition.
    pub epoch: u64,
    /// Random.
    pub nonce: u64,
}

/// A shard that this node may write to until the lease runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The shard.
    pub shard: ShardId,
    /// Goes into every commit.
    pub token: Token,
    /// Where the log was applied up to.
    pub position: Position,
    /// The token that this one replaces, if it was not given back: an owner that finds its own one there knows that
    /// nobody else owned the shard since.
    pub before: Option<Token>,
}

/// One entry of a shard's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its place.
    pub position: Position,
    /// An encoded [`protocol::entry::Entry`].
    pub bytes: Bytes,
}

/// A conversation as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Encoded state.
    pub snapshot: Bytes,
    /// When its timer fires, if it has one.
    pub timer_at: Option<TimestampMs>,
}

/// What a batch of inputs needs from the store, in one round trip; answers stand in the order asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// `None` where a conversation does not exist yet.
    pub conversations: Vec<Option<Stored>>,
    /// `None` where a command was not applied yet (or its result was forgotten).
    pub results: Vec<Option<Bytes>>,
    /// Whether each dedup key was stored.
    pub seen: Vec<bool>,
}

/// What [`Engine::load`] asks for.
#[derive(Clone, Debug, Default)]
pub struct LoadRequest {
    /// Conversations to activate.
    pub conversations: Vec<ConversationId>,
    /// Commands that may have been applied before.
    pub commands: Vec<CommandKey>,
    /// Hashes of provider ids that have left the conversation's own memory.
    pub seen: Vec<SeenKey>,
}

/// Hash of conversation and provider id: remembers old messages for as long as providers repeat them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeenKey(pub u128);

/// Another name of a contact on one number: hash of the number and the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AliasKey(pub u128);

/// Everything that one batch of inputs changes, together.
#[derive(Clone, Debug)]
pub struct Commit {
    /// The shard.
    pub shard: ShardId,
    /// The owner's token.
    pub token: Token,
    /// Chosen by the owner once per batch; the same id is never applied twice.
    pub batch_id: u128,
    /// Where the log stood before.
    pub expected_position: Position,
    /// Where it stands after; log entries up to here may be forgotten.
    pub new_position: Position,
    /// The owner's time, for expiring results and seen keys.
    pub now: TimestampMs,
    /// Changed conversations.
    pub conversations: Vec<ConversationWrite>,
    /// Facts in order, each an encoded [`protocol::fact::Event`].
    pub facts: Vec<Bytes>,
    /// Results of commands, kept for 24 hours.
    pub results: Vec<(CommandKey, Bytes)>,
    /// Provider ids that leave the conversations' own memory, kept for 8 days.
    pub seen: Vec<SeenKey>,
    /// New names of contacts.
    pub aliases: Vec<(AliasKey, ContactKey)>,
    /// Entries for other shards that follow from this batch: appended in the same commit where the store can,
    /// otherwise before it (a repeated append is harmless, entries are deduplicated where they are applied).
    pub forwards: Vec<(ShardId, Bytes)>,
    /// Inputs that could not be applied.
    pub dead_letters: Vec<DeadLetter>,
}

/// One changed conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationWrite {
    /// Which.
    pub conversation: ConversationId,
    /// Its encoded state.
    pub snapshot: Bytes,
    /// The timer that the store holds now, as loaded or last committed.
    pub timer_before: Option<TimestampMs>,
    /// The timer that it shall hold.
    pub timer_after: Option<TimestampMs>,
}

/// An input that could not be applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Derived from shard and position.
    pub id: DeadLetterId,
    /// Where it stood.
    pub shard: ShardId,
    /// When it was set aside.
    pub at: TimestampMs,
    /// What went wrong.
    pub reason: String,
    /// The encoded entry.
    pub entry: Bytes,
}

/// How a commit ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// Now.
    Applied,
    /// Before: this batch id is known.
    Already,
}

/// Numbers for metrics and admission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EngineStats {
    /// Bytes appended and not yet applied.
    pub backlog_bytes: u64,
    /// Entries appended and not yet applied.
    pub backlog_entries: u64,
    /// Timers that have not fired.
    pub timers_pending: u64,
    /// Bytes on disk or in the server.
    pub stored_bytes: u64,
    /// Group commits since the start: many requests share one.
    pub groups_written: u64,
}

/// The store behind conversations. See the [module](self) for its laws.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// What was fixed at creation.
    fn identity(&self) -> &StoreIdentity;

    /// The store's clock.
    async fn now(&self) -> EngineResult<TimestampMs>;

    /// Makes entries durable, all of one call together and in this order. Concurrent calls share one write.
    async fn append(&self, entries: Vec<(ShardId, Bytes)>) -> EngineResult<()>;

    /// Says that a node is there for `ttl` from now on, and answers all that are, in ascending order; a `ttl` of
    /// zero says that it leaves. This is a hint for sharing the work, nothing may depend on it being true.
    async fn heartbeat(&self, node: u64, ttl: SpanMs) -> EngineResult<Vec<u64>>;

    /// Reserves send slots of a number for this node alone: the earliest that are free, one behind the other. Any
    /// second, lengthened by [`limits::SLOT_TOLERANCE`], has at most as many as the limit, whoever asks; slots that
    /// nobody took are gone. Not durable, and no harm if the answer is lost: reserve again.
    async fn reserve_slots(&self, request: SlotRequest) -> EngineResult<Slots>;

    /// Takes the lease of a shard for `ttl`, unless another node holds it. Every success issues a new token,
    /// also to the node that already holds the lease.
    async fn acquire(&self, shard: ShardId, node: u64, ttl: SpanMs) -> EngineResult<Option<Lease>>;

    /// Prolongs leases; answers which of them still hold, in the order asked. A lease that ran out but was
    /// not taken by anybody else still holds.
    async fn renew(&self, leases: &[(ShardId, Token)], ttl: SpanMs) -> EngineResult<Vec<bool>>;

    /// Gives a lease back, so that another node need not wait for its end. Its token is worth nothing then.
    async fn release(&self, shard: ShardId, token: Token) -> EngineResult<()>;

    /// Entries of several shards after their positions, at most `limit` of each; waits until one of them has some.
    /// Shards without entries are not in the answer. Safe to cancel.
    async fn read_any(
        &self,
        after: &[(ShardId, Position)],
        limit: usize,
    ) -> EngineResult<Vec<(ShardId, Vec<LogEntry>)>>;

    /// What the batches of several shards need, in one round trip; answers stand in the order asked.
    async fn load_all(&self, requests: &[(ShardId, LoadRequest)]) -> EngineResult<Vec<Loaded>>;

    /// Timers due at or before `until`, earliest first, at most `limit`. They stay until a commit moves them.
    async fn due(
        &self,
        shard: ShardId,
        until: TimestampMs,
        limit: usize,
    ) -> EngineResult<Vec<(TimestampMs, ConversationId)>>;

    /// The earliest timer of a shard.
    async fn next_due(&self, shard: ShardId) -> EngineResult<Option<TimestampMs>>;

    /// Applies batches of several shards in one round trip, each fenced and all or nothing by itself; answers
    /// stand in the order given. An error of the call as a whole is an error of each batch. See the [module](self). The checks come in this order: token, batch id, position;
    /// `new_position` must not lie before the expected one or behind the last entry.
    async fn commit_all(&self, commits: Vec<Arc<Commit>>) -> EngineResult<Vec<EngineResult<Committed>>>;

    /// The stored result of a command, for callers that ask again.
    async fn result(&self, command: CommandKey) -> EngineResult<Option<Bytes>>;

    /// Canonical keys behind other names, in the order asked.
    async fn aliases(&self, names: &[AliasKey]) -> EngineResult<Vec<Option<ContactKey>>>;

    /// Where the facts of a shard are.
    fn fact_lane(&self, shard: ShardId) -> FactLane;

    /// Facts of several lanes after their positions, of each lane in the order of their commits, at most `limit`
    /// together; waits until there is one. Safe to cancel.
    async fn facts_any(
        &self,
        after: &[(FactLane, FactPosition)],
        limit: usize,
    ) -> EngineResult<Vec<(FactLane, FactPosition, Bytes)>>;

    /// The place of the newest committed fact of each lane, trimmed or not, in the order asked; zero where there is
    /// none.
    async fn newest_facts(&self, lanes: &[FactLane]) -> EngineResult<Vec<FactPosition>>;

    /// Forgets facts of a lane up to and including a position: the projection has stored them.
    async fn trim_facts(&self, lane: FactLane, through: FactPosition) -> EngineResult<()>;

    /// Dead letters, oldest first, after an id; from the first one if that id is unknown.
    async fn dead_letters(&self, after: Option<DeadLetterId>, limit: usize) -> EngineResult<Vec<DeadLetter>>;

    /// One dead letter.
    async fn dead_letter(&self, letter: DeadLetterId) -> EngineResult<Option<DeadLetter>>;

    /// Appends a dead letter's entry to the log again and forgets the letter, together. `false` if unknown.
    async fn replay(&self, letter: DeadLetterId) -> EngineResult<bool>;

    /// Forgets a dead letter without applying its entry again. `false` if unknown.
    async fn discard(&self, letter: DeadLetterId) -> EngineResult<bool>;

    /// Numbers for metrics and admission.
    fn stats(&self) -> EngineStats;

    /// Stops taking appends, finishes what is under way and closes the files.
    async fn close(&self) -> EngineResult<()>;

    /// [`Self::read_any`] of one shard.
    async fn read(&self, shard: ShardId, after: Position, limit: usize) -> EngineResult<Vec<LogEntry>> {
        let found = self.read_any(&[(shard, after)], limit).await?;
        Ok(found.into_iter().flat_map(|(_, entries)| entries).collect())
    }

    /// [`Self::load_all`] of one shard.
    async fn load(&self, shard: ShardId, request: LoadRequest) -> EngineResult<Loaded> {
        let mut loaded = self.load_all(&[(shard, request)]).await?;
        loaded.pop().ok_or_else(EngineError::no_answer)
    }

    /// [`Self::commit_all`] of one batch.
    async fn commit(&self, commit: Commit) -> EngineResult<Committed> {
        let mut committed = self.commit_all(vec![Arc::new(commit)]).await?;
        committed.pop().unwrap_or_else(|| Err(EngineError::no_answer()))
    }

    /// [`Self::facts_any`] of one lane.
    async fn facts(
        &self,
        lane: FactLane,
        after: FactPosition,
        limit: usize,
    ) -> EngineResult<Vec<(FactPosition, Bytes)>> {
        let found = self.facts_any(&[(lane, after)], limit).await?;
        Ok(found.into_iter().map(|(_, position, bytes)| (position, bytes)).collect())
    }
}
