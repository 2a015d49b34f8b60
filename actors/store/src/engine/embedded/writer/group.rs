//! One group: what is staged until it is written, and whom to tell then.

use bytes::Bytes;
use fjall::OwnedWriteBatch;
use protocol::shard::ShardId;
use protocol::time::TimestampMs;

use super::{Answer, tell};
use crate::engine::embedded::head::{ChangeKind, Head, HeadChange};
use crate::engine::embedded::log_row::{GROUP_ENTRIES_MAX, LogHeader, position};
use crate::engine::embedded::shared::Admission;
use crate::engine::limits::{APPEND_ENTRIES_MAX, GROUP_MAX_BYTES};
use crate::engine::{Committed, EngineResult, Lease, Position};

/// A group in the making.
pub(super) struct Group {
    pub(super) number: u64,
    pub(super) batch: OwnedWriteBatch,
    pub(super) header: LogHeader,
    /// The bytes of the header's entries.
    pub(super) entries: Vec<Bytes>,
    pub(super) facts: Vec<Bytes>,
    /// Shards whose log was applied further.
    pub(super) applied: Vec<(ShardId, Position)>,
    pub(super) timers: Vec<TimerMove>,
    /// Only the counters in the log row changed.
    pub(super) counted: bool,
    bytes: usize,
    replies: Vec<Reply>,
    admissions: Vec<Admission>,
}

/// A conversation's timer before and after.
pub(super) struct TimerMove {
    pub(super) shard: ShardId,
    pub(super) before: Option<TimestampMs>,
    pub(super) after: Option<TimestampMs>,
}

/// An answer that waits until the group is durable.
pub(super) enum Reply {
    Done(Answer<()>),
    Committed(Answer<Vec<EngineResult<Committed>>>, Vec<EngineResult<Committed>>),
    Acquired(Answer<Option<Lease>>, Lease),
    Replayed(Answer<bool>),
}

impl Group {
    pub(super) fn new(batch: OwnedWriteBatch, number: u64) -> Self {
        Self {
            number,
            batch,
            header: LogHeader::default(),
            entries: vec![],
            facts: vec![],
            applied: vec![],
            timers: vec![],
            counted: false,
            bytes: 0,
            replies: vec![],
            admissions: vec![],
        }
    }

    /// Adds an entry to the log.
    pub(super) fn append(&mut self, head: &mut Head, shard: ShardId, entry: Bytes) {
        head.last = position(self.number, self.entries.len());
        self.header.entries.push((shard, entry.len() as u32));
        self.weigh(entry.len());
        self.entries.push(entry);
    }

    /// Changes a head, now and in the log row.
    pub(super) fn change(&mut self, head: &mut Head, shard: ShardId, kind: ChangeKind) {
        head.apply(kind);
        self.header.heads.push(HeadChange { shard, kind });
    }

    /// Counts bytes that will be written.
    pub(super) fn weigh(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// Keeps the bytes of an append counted until the group is written.
    pub(super) fn hold(&mut self, admission: Option<Admission>) {
        self.admissions.extend(admission);
    }

    pub(super) fn reply(&mut self, reply: Reply) {
        self.replies.push(reply);
    }

    /// The group is durable: everybody is answered.
    pub(super) fn answer(self) {
        self.replies.into_iter().for_each(Reply::send);
    }

    /// One more request might be too much.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= GROUP_MAX_BYTES || self.entries.len() + APPEND_ENTRIES_MAX > GROUP_ENTRIES_MAX
    }

    /// Whether there is something to write: rows, or a change that only the log row carries.
    pub(super) fn is_empty(&self) -> bool {
        let rows = self.batch.len() + self.header.heads.len() + self.entries.len() + self.facts.len();
        rows == 0 && !self.counted
    }
}

impl Reply {
    pub(super) fn send(self) {
        match self {
            Self::Done(answer) => tell(answer, Ok(())),
            Self::Committed(answer, committed) => tell(answer, Ok(committed)),
            Self::Acquired(answer, lease) => tell(answer, Ok(Some(lease))),
            Self::Replayed(answer) => tell(answer, Ok(true)),
        }
    }
}
