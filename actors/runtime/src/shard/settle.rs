//! Commits a batch, and lets out what follows from it: nothing leaves before the commit.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::codec;
use protocol::entry::{Address, ContactChange, Entry, EntryBody, Happening};
use protocol::id::ConversationId;
use protocol::outbound::Outcome;
use protocol::shard::{ShardId, conversation_id};
use protocol::time::TimestampMs;
use store::engine::{Commit, Committed, ConversationWrite, EngineError, EngineResult};
use tokio::time::sleep;

use super::Local;
use super::apply::{Outcomes, seen_key};
use super::batch::{Batch, Item};
use super::crash::note_key;
use super::own::{Lost, Shard, span};
use crate::alias::key_on;
use crate::conversation::{Applied, Output};
use crate::limits::{COMMIT_ATTEMPTS, RETRY_MAX, RETRY_MIN, TIMER_RETRY};

impl Shard {
    /// The batch is committed: takes note of it and lets its effects out.
    pub(crate) async fn settle(&mut self, mut batch: Batch, outcomes: Outcomes, commit: &Commit) {
        let batch = &mut batch;
        self.shared.ingress.learn(&commit.aliases, batch.now);
        self.position = batch.new_position;
        for write in &commit.conversations {
            if let Some(alive) = self.live.touch(write.conversation) {
                alive.timer = write.timer_after;
            }
            self.next_timer = self.next_timer.into_iter().chain(write.timer_after).min();
        }
        if batch.ticked {
            // The batch is committed, whatever the store says now: its effects must get out.
            let next = self.shared.options.engine.next_due(self.shard.id).await;
            self.next_timer = next.unwrap_or(Some(batch.now));
        }
        for (place, applied) in outcomes.into_iter().enumerate() {
            self.let_out(batch, place, applied.output);
        }
        self.observe(batch);
        self.passivate();
    }

    /// The batch may have been committed or not; whoever owns the shard next finds out.
    pub(crate) fn lose(&mut self, batch: Batch, lost: &Lost) {
        self.left = batch.leavings();
        self.give_up(lost);
    }

    /// Notes where the process is about to go on, see [`super::crash`].
    pub(super) async fn commit_note(&mut self, note: Bytes) -> Result<(), Lost> {
        let batch = Batch::new(self.next_batch_id(), self.shard.id, self.now, self.position);
        let mut commit = self.empty_commit(&batch);
        commit.results.push((note_key(self.shard.id), note));
        let commit = Arc::new(commit);
        match self.commit_once(&commit).await {
            Ok(_) => Ok(()),
            Err(error) => self.commit_again(&commit, error).await,
        }
    }

    async fn commit_once(&self, commit: &Arc<Commit>) -> EngineResult<Committed> {
        let committed = self.shared.options.engine.commit_all(vec![Arc::clone(commit)]).await?.pop();
        committed
            .unwrap_or_else(|| Err(EngineError::Unknown("the store left a commit unanswered".to_owned())))
    }

    fn empty_commit(&self, batch: &Batch) -> Commit {
        Commit {
            shard: batch.shard,
            token: self.token,
            batch_id: batch.id,
            expected_position: batch.expected_position,
            new_position: batch.new_position,
            now: batch.now,
            conversations: Vec::new(),
            facts: Vec::new(),
            results: Vec::new(),
            seen: Vec::new(),
            aliases: Vec::new(),
            forwards: Vec::new(),
            dead_letters: Vec::new(),
        }
    }

    pub(crate) async fn commit_of(
        &mut self,
        batch: &mut Batch,
        outcomes: &mut Outcomes,
    ) -> Result<Commit, Lost> {
        let mut commit = self.empty_commit(batch);
        commit.conversations = std::mem::take(&mut batch.put_off);
        commit.facts = std::mem::take(&mut batch.facts);
        commit.dead_letters = std::mem::take(&mut batch.dead_letters);
        for (place, applied) in outcomes.iter_mut().enumerate() {
            let group = &batch.groups[place];
            commit.conversations.extend(self.write_of(batch.now, group.conversation, group.fired, applied));
            let output = &mut applied.output;
            batch.claimed.extend(output.posts.iter().map(|(_, post)| (group.conversation, post.message)));
            commit.facts.append(&mut output.facts);
            for (key, stored) in &output.results {
                let bytes = stored.encode().map_err(|error| Lost::new(error.to_string()))?;
                commit.results.push((*key, bytes));
            }
            commit.seen.extend(output.forgotten.drain(..).map(|hash| seen_key(group.conversation, hash)));
            commit.aliases.append(&mut output.aliases);
            for (address, change) in output.siblings.drain(..) {
                commit.forwards.push(self.forward(batch.now, address, change).await?);
            }
        }
        Ok(commit)
    }

    /// The new state of a conversation with its one timer. The timer is moved only to an earlier time or when it
    /// fired: an early tick finds nothing due and moves it on, which saves a write with nearly every message.
    fn write_of(
        &mut self,
        now: TimestampMs,
        conversation: ConversationId,
        fired: bool,
        applied: &mut Applied,
    ) -> Option<ConversationWrite> {
        let snapshot = applied.snapshot.take()?;
        let before = self.live.touch(conversation).and_then(|alive| alive.timer);
        let wanted = applied.deadline;
        let after = match (before, wanted) {
            (_, Some(wanted)) if fired && wanted <= now => Some(now + span(TIMER_RETRY)),
            (_, wanted) if fired => wanted,
            (Some(before), Some(wanted)) => Some(before.min(wanted)),
            (before, wanted) => before.or(wanted),
        };
        Some(ConversationWrite { conversation, snapshot, timer_before: before, timer_after: after })
    }

    /// A change of the contact, addressed to the conversation with another number.
    async fn forward(
        &self,
        now: TimestampMs,
        mut address: Address,
        change: ContactChange,
    ) -> Result<(ShardId, Bytes), Lost> {
        let engine = &self.shared.options.engine;
        let directory = self.shared.options.directory.load_full();
        // On that number the contact may be known by another name.
        address.contact = key_on(engine.as_ref(), &directory, address.number, &address.contact).await?;
        address.conversation = conversation_id(address.number, &address.contact);
        let shard = engine.identity().shards.shard_of(address.conversation);
        let input = Box::new(Happening::ContactChanged(change));
        let body = EntryBody::Conversation { address, input };
        let entry = Entry { received_at: now, traceparent: None, body };
        Ok((shard, codec::encode(&entry).map_err(|error| Lost::new(error.to_string()))?))
    }

    /// Commits by sending the identical batch again and again: an answer that is lost does not tell what happened.
    /// Some answers are final.
    pub(crate) async fn commit_again(
        &self,
        commit: &Arc<Commit>,
        mut error: EngineError,
    ) -> Result<(), Lost> {
        let mut pause: Duration = RETRY_MIN;
        for _ in 1..COMMIT_ATTEMPTS {
            if matches!(error, EngineError::Fenced | EngineError::Position | EngineError::Closed) {
                break;
            }
            tracing::warn!(shard = self.shard.id.0, %error, "a commit is sent again");
            sleep(pause).await;
            pause = (pause * 2).min(RETRY_MAX);
            match self.commit_once(commit).await {
                Ok(_) => return Ok(()),
                Err(last) => error = last,
            }
        }
        Err(error.into())
    }

    fn let_out(&mut self, batch: &mut Batch, place: usize, output: Output) {
        let group = &batch.groups[place];
        let conversation = group.conversation;
        for (key, stored) in &output.results {
            self.shared.waiters.resolve(*key, stored);
        }
        if let Some((tenant, number)) = output.sender {
            if group.received > 0 {
                // Also where nothing is sent: another node may send for this number.
                self.shared.queue(tenant, number).count_received(group.received);
            }
            if !output.offers.is_empty() {
                let queue = self.shared.queue(tenant, number);
                for message in output.offers {
                    queue.offer(conversation, message);
                }
            }
            if let Some(message) = output.typing {
                self.shared.queue(tenant, number).show_typing(&self.shared, message);
            }
        }
        for message in output.in_doubt {
            if self.in_doubt.insert(message) {
                self.shared.options.metrics.outbound_in_doubt.inc();
            }
        }
        for message in output.moved {
            if self.in_doubt.remove(&message) {
                self.shared.options.metrics.outbound_in_doubt.dec();
            }
        }
        let mut posts = output.posts;
        for item in group.items.clone() {
            let post =
                posts.iter().position(|(claim, _)| *claim == item).map(|found| posts.swap_remove(found).1);
            let Some(slot) = batch.items.get_mut(item as usize) else { continue };
            let Item::Claim { message, reply } = std::mem::replace(slot, Item::Tick) else { continue };
            let claimed = post.is_some();
            if reply.send(post.map(Box::new)).is_err() && claimed {
                // Whoever wanted to send it is gone; nobody else will.
                let outcome = Outcome::NotSent { detail: "its sender ended".to_owned() };
                self.carried.push_back(Local::Outcome { conversation, message, outcome });
            }
        }
    }

    fn observe(&self, batch: &Batch) {
        let metrics = &self.shared.options.metrics;
        metrics.commit_events.observe(batch.items.len() as f64);
        if let Some(oldest) = batch.oldest {
            metrics.shard_lag.observe((batch.now - oldest).0.max(0) as f64 / 1_000.0);
        }
        if batch.set_aside > 0 {
            metrics.dead_letters.inc_by(batch.set_aside);
        }
        let mut view = self.shard.view.lock();
        view.position = self.position.0;
        view.live_conversations = self.live.len();
        view.last_batch_events = batch.items.len();
        view.batches = self.batches;
        view.next_timer = self.next_timer;
    }
}
