//! The head of a shard: who may write, how far the log was applied, which batches are known. The fence.

use std::collections::VecDeque;

use protocol::shard::ShardId;
use protocol::time::TimestampMs;
use serde::{Deserialize, Serialize};

use crate::engine::limits::BATCH_IDS_KEPT;
use crate::engine::{Commit, EngineError, EngineResult, Position, Token};

/// What decides whether a commit may be applied. Owned by the writer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) epoch: u64,
    pub(super) token: Option<Token>,
    pub(super) position: Position,
    /// The newest entry of the shard.
    pub(super) last: Position,
    batches: VecDeque<u128>,
    /// Who holds the lease, until when. Not stored: whoever opens the folder is alone.
    #[serde(skip)]
    pub(super) holder: Option<(u64, TimestampMs)>,
}

/// How a head was changed by one request, as stored in the log row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HeadChange {
    pub(super) shard: ShardId,
    pub(super) kind: ChangeKind,
}

/// What kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ChangeKind {
    /// A token was issued.
    Acquired(Token),
    /// The token was given back.
    Released,
    /// A batch was applied.
    Applied { batch_id: u128, position: Position },
}

impl Head {
    /// Brings a stored head up to date, or a live one.
    pub(super) fn apply(&mut self, change: ChangeKind) {
        match change {
            ChangeKind::Acquired(token) => {
                self.epoch = token.epoch;
                self.token = Some(token);
            }
            ChangeKind::Released => self.token = None,
            ChangeKind::Applied { batch_id, position } => {
                self.position = position;
                self.last = self.last.max(position);
                if self.batches.len() == BATCH_IDS_KEPT {
                    self.batches.pop_front();
                }
                self.batches.push_back(batch_id);
            }
        }
    }

    pub(super) fn fence(&self, token: Token) -> EngineResult<()> {
        if self.token == Some(token) { Ok(()) } else { Err(EngineError::Fenced) }
    }

    /// All checks of a commit, before its first write. `true`: this batch was applied before.
    pub(super) fn check(&self, commit: &Commit) -> EngineResult<bool> {
        self.fence(commit.token)?;
        if self.batches.contains(&commit.batch_id) {
            return Ok(true);
        }
        let within_log = (self.position..=self.last).contains(&commit.new_position);
        if self.position != commit.expected_position || !within_log {
            return Err(EngineError::Position);
        }
        Ok(false)
    }

    /// A node may take its own lease again: it has restarted and forgotten the token.
    pub(super) fn is_free_for(&self, node: u64, now: TimestampMs) -> bool {
        self.holder.is_none_or(|(holder, until)| holder == node || until <= now)
    }
}
