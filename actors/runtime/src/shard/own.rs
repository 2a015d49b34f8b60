//! A shard in this process: how it is owned, loaded, and given up.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use protocol::id::{ConversationId, MessageId, derive};
use protocol::time::{SpanMs, TimestampMs};
use store::engine::{EngineError, Lease, LogEntry, Position, Token};
use tokio::sync::{OwnedMutexGuard, mpsc};
use tokio::time::Instant;

use super::batch::Leavings;
use super::crash::{CrashGuard, note_key};
use super::live::LiveSet;
use super::{Local, ShardShared};
use crate::limits::{ACQUIRE_AGAIN, RECOVERED_CONVERSATIONS, RETRY_MAX, RETRY_MIN};
use crate::node::{Shared, StoredResult};

/// How far ahead a deadline may lie of a conversation that has something to send: those are asked to recover.
const RECOVER_AHEAD: SpanMs = domain::limits::OFFER_AGAIN;

/// The shard has to be acquired and loaded anew.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Lost(String);

impl Lost {
    pub(crate) fn new(reason: String) -> Self {
        Self(reason)
    }
}

impl From<EngineError> for Lost {
    fn from(error: EngineError) -> Self {
        Self(error.to_string())
    }
}

/// A span as the store counts.
pub(crate) fn span(duration: Duration) -> SpanMs {
    SpanMs(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

/// Everything that this process holds of one shard.
pub(crate) struct Shard {
    pub(super) shared: Arc<Shared>,
    pub(crate) shard: Arc<ShardShared>,
    pub(super) inputs: OwnedMutexGuard<mpsc::Receiver<Local>>,
    pub(super) live: LiveSet,
    /// Acquired and loaded.
    owned: bool,
    pub(super) token: Token,
    pub(super) position: Position,
    /// Messages of which nobody knows whether the provider took them.
    pub(super) in_doubt: HashSet<MessageId>,
    /// Local inputs for the next batch: those that came, and outcomes of a batch that was lost.
    pub(super) carried: VecDeque<Local>,
    /// Of the batch that was lost, which may have been committed.
    pub(super) left: Leavings,
    /// The earliest timer.
    pub(super) next_timer: Option<TimestampMs>,
    /// `None` until the shard was acquired for the first time: a reload is not a crash.
    pub(super) guard: Option<CrashGuard>,
    /// Never goes back.
    pub(super) now: TimestampMs,
    /// Batches since the shard was acquired.
    pub(super) batches: u64,
    /// Read and not applied yet.
    pub(super) unread: VecDeque<LogEntry>,
    pub(super) recovering: VecDeque<ConversationId>,
    swept_at: Instant,
    /// Not to be acquired before.
    retry_at: Instant,
    pause: Duration,
    /// Another node shall have the shard, and gets it by then whatever is still being sent.
    leave_by: Option<Instant>,
}

impl Shard {
    /// Takes the shard's inputs, which survive whoever held them before.
    pub(crate) async fn new(shared: Arc<Shared>, shard: Arc<ShardShared>) -> Self {
        let inputs = Arc::clone(&shard.inputs).lock_owned().await;
        Self {
            shared,
            shard,
            inputs,
            live: LiveSet::new(),
            owned: false,
            token: Token { epoch: 0, nonce: 0 },
            position: Position(0),
            in_doubt: HashSet::new(),
            carried: VecDeque::new(),
            left: Leavings::default(),
            next_timer: None,
            guard: None,
            now: TimestampMs(0),
            batches: 0,
            unread: VecDeque::new(),
            recovering: VecDeque::new(),
            swept_at: Instant::now(),
            retry_at: Instant::now(),
            pause: RETRY_MIN,
            leave_by: None,
        }
    }

    /// What the shard could do at once, if anything.
    pub(crate) fn task(&mut self, now: TimestampMs) -> Option<Task> {
        if !self.owned {
            self.refuse_claims();
            let may_acquire = self.shard.is_wanted() && self.retry_at <= Instant::now();
            return may_acquire.then_some(Task::Acquire);
        }
        if self.may_leave() {
            return Some(Task::Release);
        }
        let timer_due = self.next_timer.is_some_and(|due| due <= now);
        let kept = !self.unread.is_empty() || !self.recovering.is_empty();
        (timer_due || kept || self.has_local_inputs() || self.lease_was_lost()).then_some(Task::Batch)
    }

    fn has_local_inputs(&self) -> bool {
        !self.carried.is_empty() || !self.inputs.is_empty() || !self.left.is_empty()
    }

    /// Whoever claimed while the shard was going must not wait for it to come back. Outcomes are kept: what is known
    /// about a POST is true whenever it is told, and there is at most one for each message that was claimed here.
    fn refuse_claims(&mut self) {
        while let Ok(local) = self.inputs.try_recv() {
            if let Local::Outcome { .. } = local {
                self.carried.push_back(local);
            }
        }
    }

    /// Whether another node shall have the shard, and nothing is being sent any more: the next owner could not know
    /// how it ended.
    fn may_leave(&mut self) -> bool {
        if self.shard.is_wanted() {
            self.leave_by = None;
            return false;
        }
        let grace = self.shared.options.settings.shutdown_grace;
        let leave_by = *self.leave_by.get_or_insert_with(|| Instant::now() + grace);
        let is_done = !self.shard.is_sending() && !self.has_local_inputs();
        is_done || leave_by <= Instant::now()
    }

    /// Until when nothing happens here by itself.
    pub(crate) fn rests_for(&self, now: TimestampMs) -> Duration {
        let real = Instant::now();
        if !self.owned {
            let wanted = self.shard.is_wanted();
            return if wanted { self.retry_at.saturating_duration_since(real) } else { Duration::MAX };
        }
        let sweep = self.swept_at + self.shared.options.settings.idle / 4;
        let act_at = self.leave_by.map_or(sweep, |leave_by| leave_by.min(sweep));
        let rest = act_at.saturating_duration_since(real);
        let timer = self.next_timer.map(|due| Duration::from_millis((due - now).0.max(0).unsigned_abs()));
        timer.map_or(rest, |timer| timer.min(rest))
    }

    /// Where to read on; nothing while entries wait that were read before.
    pub(crate) fn reads_after(&self) -> Option<Position> {
        (self.owned && self.unread.is_empty()).then_some(self.position)
    }

    /// Takes entries that were read after [`Self::reads_after`].
    pub(crate) fn take_in(&mut self, entries: Vec<LogEntry>) {
        self.unread.extend(entries);
    }

    /// Inputs that are known to wait.
    pub(crate) fn waiting(&self) -> usize {
        self.unread.len() + self.carried.len() + self.inputs.len()
    }

    pub(super) fn lease_was_lost(&self) -> bool {
        self.shard.token() != Some(self.token)
    }

    /// Acquires the shard and loads what applying needs; if that fails it is tried again after a pause.
    pub(crate) async fn acquire(&mut self) {
        match self.acquired().await {
            Ok(true) => {}
            Ok(false) => self.retry_at = Instant::now() + ACQUIRE_AGAIN,
            Err(lost) => self.give_up(&lost),
        }
    }

    /// `false` while another node holds the lease.
    async fn acquired(&mut self) -> Result<bool, Lost> {
        let settings = &self.shared.options.settings;
        let engine = Arc::clone(&self.shared.options.engine);
        let asked_at = Instant::now();
        let lease = engine.acquire(self.shard.id, settings.node_id, span(settings.lease_ttl)).await?;
        let Some(lease) = lease else { return Ok(false) };
        self.shard.acquired(lease.token, asked_at, settings.lease_ttl);
        self.shared.owned.send_modify(|owned| *owned += 1);
        {
            let mut view = self.shard.view.lock();
            view.owned = true;
            view.epoch = lease.token.epoch;
            view.position = lease.position.0;
        }
        self.load(lease).await?;
        self.owned = true;
        Ok(true)
    }

    async fn load(&mut self, lease: Lease) -> Result<(), Lost> {
        let engine = Arc::clone(&self.shared.options.engine);
        let before = std::mem::replace(&mut self.token, lease.token);
        self.position = lease.position;
        // The whole token: after a fail-over a rival may have had the same epoch.
        if lease.before != Some(before) {
            self.left.after_a_rival();
        }
        self.batches = 0;
        self.now = self.now.max(engine.now().await?);
        self.next_timer = engine.next_due(self.shard.id).await?;
        let soon = engine.due(self.shard.id, self.now + RECOVER_AHEAD, RECOVERED_CONVERSATIONS).await?;
        self.recovering = soon.into_iter().map(|(_, conversation)| conversation).collect();
        self.answer_waiters().await?;
        if self.guard.is_none() {
            let note = engine.result(note_key(self.shard.id)).await?;
            self.guard = Some(CrashGuard::new(note.as_deref()));
        }
        Ok(())
    }

    /// Commands whose batch was committed although its answer was lost.
    async fn answer_waiters(&self) -> Result<(), EngineError> {
        let waiting = self.shared.waiters.by_shard(|shard| shard == self.shard.id);
        for key in waiting.into_values().flatten() {
            let stored = self.shared.options.engine.result(key).await?;
            if let Some(stored) = stored.as_deref().and_then(StoredResult::decode) {
                self.shared.waiters.resolve(key, &stored);
            }
        }
        Ok(())
    }

    pub(super) fn next_batch_id(&mut self) -> u128 {
        // Unique without drawing: a token is issued once, and each of its batches has a number.
        self.batches += 1;
        let (epoch, nonce) = (self.token.epoch.to_le_bytes(), self.token.nonce.to_le_bytes());
        derive("batch1", &[&self.shard.id.0.to_le_bytes(), &epoch, &nonce, &self.batches.to_le_bytes()])
    }

    /// Gives memory back, now and then.
    pub(crate) fn passivate(&mut self) {
        let settings = &self.shared.options.settings;
        let live = self.shared.live.load(std::sync::atomic::Ordering::Relaxed);
        let excess = live.saturating_sub(settings.live_conversations);
        if excess == 0 && self.swept_at.elapsed() < settings.idle / 4 {
            return;
        }
        self.swept_at = Instant::now();
        let gone = self.live.passivate(settings.idle, excess);
        if gone > 0 {
            self.shared.count_live(-isize::try_from(gone).unwrap_or(isize::MAX));
            self.shared.options.metrics.actors_passivated.inc_by(gone as u64);
        }
    }

    /// Everything in memory may be wrong: the next owner, perhaps this very process, loads it.
    pub(crate) fn give_up(&mut self, lost: &Lost) {
        self.pause = if self.batches > 0 { RETRY_MIN } else { (self.pause * 2).min(RETRY_MAX) };
        self.retry_at = Instant::now() + self.pause;
        let was_owned = self.forget_all();
        let mut view = self.shard.view.lock();
        view.last_error = Some(lost.to_string());
        if was_owned {
            tracing::warn!(shard = self.shard.id.0, reason = %lost, "the shard is loaded anew");
            view.reloads += 1;
            self.shared.options.metrics.lease_lost.inc();
        }
    }

    /// Gives the lease back, so that another node need not wait for its end.
    pub(crate) async fn release(&mut self) {
        self.leave_by = None;
        if self.forget_all()
            && let Err(error) = self.shared.options.engine.release(self.shard.id, self.token).await
        {
            tracing::warn!(shard = self.shard.id.0, %error, "the lease was not given back and has to run out");
        }
    }

    /// Answers whether the shard was owned.
    fn forget_all(&mut self) -> bool {
        self.owned = false;
        let gone = self.live.clear();
        self.shared.count_live(-isize::try_from(gone).unwrap_or(isize::MAX));
        self.unread.clear();
        self.recovering.clear();
        // The next owner finds them when it recovers its conversations.
        self.shared.options.metrics.outbound_in_doubt.sub(self.in_doubt.drain().count() as i64);
        self.shard.disown();
        let was_owned = std::mem::take(&mut self.shard.view.lock().owned);
        if was_owned {
            self.shared.owned.send_modify(|owned| *owned -= 1);
        }
        was_owned
    }
}

impl Drop for Shard {
    /// After a panic of the loop the gauges still tell the truth.
    fn drop(&mut self) {
        self.forget_all();
    }
}

/// What a shard needs to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Take its lease.
    Acquire,
    /// Apply what waits.
    Batch,
    /// Another node shall have it.
    Release,
}
