//! Requests are checked and staged into the group. Whatever is refused is answered at once and leaves no trace,
//! so a bad request never spoils its group.

use std::io::Read;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use fjall::Slice;
use protocol::id::DeadLetterId;
use protocol::shard::ShardId;
use protocol::time::{SpanMs, TimestampMs};

use super::group::{Group, Reply, TimerMove};
use super::{Answer, Work, Writer, tell};
use crate::engine::embedded::checkpoint::{CHECKPOINT_KEY, Checkpoint};
use crate::engine::embedded::head::{ChangeKind, Head};
use crate::engine::embedded::tables::failed;
use crate::engine::embedded::{expiry, facts, keys, letters};
use crate::engine::limits::{FACT_ROWS_TRIMMED_AT_ONCE, RESULT_LIFE, SEEN_LIFE};
use crate::engine::{Commit, Committed, ConversationWrite, EngineResult, FactPosition, Lease, Stored, Token};

/// In place of the time of a timer that does not exist.
const NO_TIMER: i64 = i64::MIN;

/// A conversation's row: time of its timer, snapshot.
fn conversation_row(write: &ConversationWrite) -> EngineResult<Slice> {
    let timer = write.timer_after.map_or(NO_TIMER, |due| due.0).to_le_bytes();
    Slice::from_reader(&mut timer.chain(&write.snapshot[..]), timer.len() + write.snapshot.len())
        .map_err(failed)
}

/// Takes a conversation's row apart; `None` if it is damaged.
pub(in crate::engine::embedded) fn read_conversation(row: Slice) -> Option<Stored> {
    let timer = i64::from_le_bytes(*row.first_chunk::<8>()?);
    let timer_at = (timer != NO_TIMER).then_some(TimestampMs(timer));
    Some(Stored { snapshot: Bytes::from_owner(row).slice(8..), timer_at })
}

impl Writer {
    fn head(&mut self, shard: ShardId) -> &mut Head {
        // The shard was checked before the request was queued.
        &mut self.state.heads[usize::from(shard.0)]
    }

    pub(super) fn stage(&mut self, group: &mut Group, work: Work) -> EngineResult<()> {
        match work {
            Work::Append(entries, answer) => {
                self.append(group, entries);
                group.reply(Reply::Done(answer));
            }
            Work::Commit(commits, answer) => {
                let committed: EngineResult<Vec<_>> =
                    commits.iter().map(|commit| self.commit(group, commit)).collect();
                // Even what was committed before, perhaps in this very group, is answered when the group is written.
                group.reply(Reply::Committed(answer, committed?));
            }
            Work::Acquire { shard, node, ttl, answer } => self.acquire(group, shard, (node, ttl), answer),
            Work::Renew { leases, ttl, answer } => {
                let until = self.clock.now() + ttl;
                let renewed =
                    leases.into_iter().map(|(shard, token)| self.renew(shard, token, until)).collect();
                tell(answer, Ok(renewed));
            }
            Work::Release { shard, token, answer } => self.release(group, shard, token, answer),
            Work::TrimFacts(through, answer) => self.trim_facts(group, through, answer)?,
            Work::Replay(letter, answer) => self.replay(group, letter, answer)?,
            Work::Discard(letter, answer) => self.discard(group, letter, answer)?,
            Work::Close(answer) => self.closing.push(answer),
        }
        Ok(())
    }

    fn append(&mut self, group: &mut Group, entries: Vec<(ShardId, Bytes)>) {
        for (shard, entry) in entries {
            group.append(self.head(shard), shard, entry);
        }
    }

    fn acquire(
        &mut self,
        group: &mut Group,
        shard: ShardId,
        who: (u64, SpanMs),
        answer: Answer<Option<Lease>>,
    ) {
        let now = self.clock.now();
        let (node, ttl) = who;
        let head = self.head(shard);
        if !head.is_free_for(node, now) {
            return tell(answer, Ok(None));
        }
        let token = Token { epoch: head.epoch + 1, nonce: rand::random() };
        let before = head.token;
        head.holder = Some((node, now + ttl));
        group.change(head, shard, ChangeKind::Acquired(token));
        group.reply(Reply::Acquired(answer, Lease { shard, token, position: head.position, before }));
    }

    /// Not stored: a lease outlives neither the process nor a restart.
    fn renew(&mut self, shard: ShardId, token: Token, until: TimestampMs) -> bool {
        let head = self.head(shard);
        let holds = head.fence(token).is_ok();
        if let Some((_, deadline)) = head.holder.as_mut().filter(|_| holds) {
            *deadline = until;
        }
        holds
    }

    fn release(&mut self, group: &mut Group, shard: ShardId, token: Token, answer: Answer<()>) {
        let head = self.head(shard);
        if let Err(fenced) = head.fence(token) {
            return tell(answer, Err(fenced));
        }
        head.holder = None;
        group.change(head, shard, ChangeKind::Released);
        group.reply(Reply::Done(answer));
    }

    /// Outer errors are of the store, inner ones of the batch.
    fn commit(&mut self, group: &mut Group, commit: &Commit) -> EngineResult<EngineResult<Committed>> {
        let head = self.head(commit.shard);
        match head.check(commit) {
            Err(refused) => Ok(Err(refused)),
            Ok(true) => Ok(Ok(Committed::Already)),
            Ok(false) => {
                let kind = ChangeKind::Applied { batch_id: commit.batch_id, position: commit.new_position };
                group.change(head, commit.shard, kind);
                group.applied.push((commit.shard, commit.new_position));
                self.write_commit(group, commit)?;
                Ok(Ok(Committed::Applied))
            }
        }
    }

    fn write_commit(&mut self, group: &mut Group, commit: &Commit) -> EngineResult<()> {
        for write in &commit.conversations {
            self.write_conversation(group, commit.shard, write)?;
        }
        self.state.counters.last_fact += commit.facts.len() as u64;
        group.weigh(commit.facts.iter().map(Bytes::len).sum());
        group.facts.extend_from_slice(&commit.facts);
        let tables = &self.shared.tables;
        for (key, result) in &commit.results {
            let row = expiry::encode(commit.now + RESULT_LIFE, result);
            group.batch.insert(&tables.results, key.0.to_be_bytes(), row);
        }
        for key in &commit.seen {
            let row = expiry::encode(commit.now + SEEN_LIFE, &[]);
            group.batch.insert(&tables.seen, key.0.to_be_bytes(), row);
        }
        for (name, contact) in &commit.aliases {
            let row = postcard::to_stdvec(contact).map_err(failed)?;
            group.batch.insert(&tables.aliases, name.0.to_be_bytes(), row);
        }
        for letter in &commit.dead_letters {
            if letters::number_of(tables, letter.id)?.is_none() {
                self.state.counters.last_letter += 1;
                letters::insert(tables, &mut group.batch, self.state.counters.last_letter, letter)?;
            }
        }
        self.append(group, commit.forwards.clone());
        Ok(())
    }

    fn write_conversation(
        &mut self,
        group: &mut Group,
        shard: ShardId,
        write: &ConversationWrite,
    ) -> EngineResult<()> {
        let tables = &self.shared.tables;
        let id = write.conversation;
        group.weigh(write.snapshot.len());
        group.batch.insert(&tables.conversations, keys::conversation(shard, id), conversation_row(write)?);
        let (before, after) = (write.timer_before, write.timer_after);
        if before == after {
            return Ok(());
        }
        if let Some(due) = before {
            group.batch.remove(&tables.timers, keys::timer(shard, due, id));
        }
        if let Some(due) = after {
            group.batch.insert(&tables.timers, keys::timer(shard, due, id), []);
        }
        self.state.counters.timers += i64::from(after.is_some()) - i64::from(before.is_some());
        group.timers.push(TimerMove { shard, before, after });
        Ok(())
    }

    /// At most so many rows at once; what is left goes with the next call.
    fn trim_facts(
        &mut self,
        group: &mut Group,
        through: FactPosition,
        answer: Answer<()>,
    ) -> EngineResult<()> {
        let tables = &self.shared.tables;
        let counters = &mut self.state.counters;
        let through = through.0.min(counters.last_fact);
        for first in facts::rows_through(tables, counters.facts_removed, through, FACT_ROWS_TRIMMED_AT_ONCE)?
        {
            group.batch.remove_weak(&tables.facts, first.to_be_bytes());
            counters.facts_removed = first;
        }
        group.counted |= through > counters.facts_trimmed;
        counters.facts_trimmed = counters.facts_trimmed.max(through);
        group.reply(Reply::Done(answer));
        Ok(())
    }

    fn replay(&mut self, group: &mut Group, id: DeadLetterId, answer: Answer<bool>) -> EngineResult<()> {
        let tables = &self.shared.tables;
        let number = letters::number_of(tables, id)?;
        let letter = number.map(|number| letters::read(tables, number)).transpose()?.flatten();
        let (Some(number), Some(letter)) = (number, letter) else {
            tell(answer, Ok(false));
            return Ok(());
        };
        letters::remove(tables, &mut group.batch, number, id);
        self.append(group, vec![(letter.shard, letter.entry)]);
        group.reply(Reply::Replayed(answer));
        Ok(())
    }

    fn discard(&mut self, group: &mut Group, id: DeadLetterId, answer: Answer<bool>) -> EngineResult<()> {
        let tables = &self.shared.tables;
        let Some(number) = letters::number_of(tables, id)? else {
            tell(answer, Ok(false));
            return Ok(());
        };
        letters::remove(tables, &mut group.batch, number, id);
        group.reply(Reply::Replayed(answer));
        Ok(())
    }

    /// Writes all heads and removes the log rows that nobody needs.
    pub(super) fn stage_checkpoint(&mut self, group: &mut Group) -> EngineResult<()> {
        let tables = &self.shared.tables;
        let stored_bytes = tables.db.disk_space().map_err(failed)?;
        self.shared.gauges.stored_bytes.store(stored_bytes, Ordering::Relaxed);
        let state = &mut self.state;
        for row in state.live.take_removable() {
            group.batch.remove_weak(&tables.log, row.to_be_bytes());
        }
        let checkpoint = Checkpoint {
            through: group.number,
            oldest: state.live.oldest().unwrap_or(group.number),
            heads: state.heads.clone(),
            counters: state.counters,
        };
        group.batch.insert(&tables.meta, CHECKPOINT_KEY, postcard::to_stdvec(&checkpoint).map_err(failed)?);
        Ok(())
    }
}
