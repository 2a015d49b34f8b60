//! One shard of the model.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use protocol::id::{ConversationId, derive};
use protocol::shard::ShardId;
use protocol::time::{SpanMs, TimestampMs};

use crate::engine::{ConversationWrite, EngineError, EngineResult, Lease, Position, Stored, Token};

/// What is kept of one shard.
#[derive(Default)]
pub(super) struct Shard {
    /// Entries that are not applied yet.
    pub(super) log: BTreeMap<Position, Bytes>,
    pub(super) last: Position,
    pub(super) position: Position,
    pub(super) batches: BTreeSet<u128>,
    pub(super) conversations: BTreeMap<ConversationId, Stored>,
    timers: BTreeSet<(TimestampMs, ConversationId)>,
    epoch: u64,
    holder: Option<Holder>,
}

struct Holder {
    node: u64,
    token: Token,
    until: TimestampMs,
}

impl Shard {
    pub(super) fn append(&mut self, bytes: Bytes) {
        self.last = Position(self.last.0 + 1);
        self.log.insert(self.last, bytes);
    }

    /// A node may take its own lease again: it has restarted and forgotten the token.
    pub(super) fn acquire(
        &mut self,
        shard: ShardId,
        node: u64,
        now: TimestampMs,
        ttl: SpanMs,
    ) -> Option<Lease> {
        if self.holder.as_ref().is_some_and(|holder| holder.node != node && holder.until > now) {
            return None;
        }
        self.epoch += 1;
        // Not random, so that a simulation repeats itself; distinct per shard and epoch, as the law asks.
        let nonce = derive("nonce", &[&shard.0.to_le_bytes(), &self.epoch.to_le_bytes()]) as u64;
        let token = Token { epoch: self.epoch, nonce };
        let before = self.holder.replace(Holder { node, token, until: now + ttl });
        let before = before.map(|holder| holder.token);
        Some(Lease { shard, token, position: self.position, before })
    }

    pub(super) fn renew(&mut self, token: Token, until: TimestampMs) -> bool {
        match &mut self.holder {
            Some(holder) if holder.token == token => {
                holder.until = until;
                true
            }
            _ => false,
        }
    }

    pub(super) fn release(&mut self, token: Token) -> EngineResult<()> {
        self.fence(token)?;
        self.holder = None;
        Ok(())
    }

    /// Equality and nothing else: a lease that ran out but that nobody took is still the only writer.
    pub(super) fn fence(&self, token: Token) -> EngineResult<()> {
        match &self.holder {
            Some(holder) if holder.token == token => Ok(()),
            _ => Err(EngineError::Fenced),
        }
    }

    pub(super) fn write(&mut self, write: ConversationWrite) {
        if let Some(Stored { timer_at: Some(due), .. }) = self.conversations.get(&write.conversation) {
            self.timers.remove(&(*due, write.conversation));
        }
        if let Some(due) = write.timer_after {
            self.timers.insert((due, write.conversation));
        }
        let stored = Stored { snapshot: write.snapshot, timer_at: write.timer_after };
        self.conversations.insert(write.conversation, stored);
    }

    pub(super) fn timers(&self) -> impl ExactSizeIterator<Item = (TimestampMs, ConversationId)> {
        self.timers.iter().copied()
    }
}
