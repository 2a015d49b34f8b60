//! What goes into the next batch of a shard.

use store::engine::LogEntry;

use super::batch::Batch;
use super::crash::Care;
use super::own::{Lost, Shard};
use protocol::time::TimestampMs;

impl Shard {
    /// Whatever is there to do, at most one batch of it.
    pub(crate) async fn gather(&mut self, now: TimestampMs) -> Result<Option<Batch>, Lost> {
        // The notice may be about a lease before this one.
        if self.lease_was_lost() {
            return Err(Lost::new("the lease was lost".to_owned()));
        }
        let limit = self.shared.options.settings.batch_events;
        // Each source has its share of the batch, so that none of them starves another.
        while self.carried.len() < (limit / 2).max(1)
            && let Ok(local) = self.inputs.try_recv()
        {
            self.carried.push_back(local);
        }
        self.now = self.now.max(now);
        let mut batch = Batch::new(self.next_batch_id(), self.shard.id, self.now, self.position);
        let timers_due = self.next_timer.is_some_and(|due| due <= self.now) || !self.recovering.is_empty();
        let others = self.carried.len() + if timers_due { limit / 4 } else { 0 };
        // The log comes first: an opt-out must not wait behind the claim of a message.
        self.take_entries(&mut batch, limit.saturating_sub(others).max(1)).await?;
        let share = batch.items.len() + (limit / 4).max(1);
        while batch.items.len() < share
            && let Some(conversation) = self.recovering.pop_front()
        {
            batch.push_recover(conversation);
        }
        self.take_timers(&mut batch, (limit / 4).max(1)).await?;
        // Until here they were kept, should the store fail. What is known about earlier claims comes before new ones.
        for local in std::mem::take(&mut self.left).into_inputs().chain(self.carried.drain(..)) {
            batch.push_local(local);
        }
        Ok((!batch.is_empty()).then_some(batch))
    }

    /// Entries that were read, within the bounds of a batch.
    async fn take_entries(&mut self, batch: &mut Batch, mut limit: usize) -> Result<(), Lost> {
        if self.unread.is_empty() {
            return Ok(());
        }
        let settings = self.shared.options.settings;
        let care = self.guard.as_mut().map_or(Care::None, |guard| guard.care(self.position));
        if let Care::Note(note) = care {
            self.commit_note(note.bytes()).await?;
            limit = if note.batch { limit } else { 1 };
        }
        let mut bytes = 0;
        while batch.items.len() < limit
            && bytes < settings.batch_bytes
            && let Some(entry) = self.next_entry()
        {
            bytes += entry.bytes.len();
            if care == Care::Skip {
                batch.push_poison(entry);
                break;
            }
            batch.push_entry(entry);
        }
        Ok(())
    }

    fn next_entry(&mut self) -> Option<LogEntry> {
        let entry = self.unread.pop_front()?;
        if let Some(guard) = &mut self.guard {
            guard.passed();
        }
        Some(entry)
    }

    /// Conversations whose timer is due.
    async fn take_timers(&mut self, batch: &mut Batch, limit: usize) -> Result<(), Lost> {
        if self.next_timer.is_none_or(|due| due > self.now) {
            return Ok(());
        }
        let engine = &self.shared.options.engine;
        let due = engine.due(self.shard.id, self.now, limit).await?;
        if due.is_empty() {
            // What was remembered is not so: the timer was moved, or the store had not told the next one. Looking again
            // and again would find nothing either.
            self.next_timer = engine.next_due(self.shard.id).await?;
            return Ok(());
        }
        batch.ticked = true;
        for (due_at, conversation) in due {
            let late = (self.now - due_at).0.max(0);
            self.shared.options.metrics.timer_lateness.observe(late as f64 / 1_000.0);
            batch.push_tick(conversation);
        }
        Ok(())
    }
}
