//! The loop of a shard: own it, gather a batch, apply it, commit it.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use protocol::id::{ConversationId, MessageId, derive};
use protocol::time::{SpanMs, TimestampMs};
use store::engine::{EngineError, EngineResult, Lease, LogEntry, Position, Token};
use tokio::sync::{MutexGuard, mpsc};
use tokio::time::{Instant, sleep};

use super::batch::{Batch, Leavings};
use super::crash::{Care, CrashGuard, note_key};
use super::live::LiveSet;
use super::{Local, ShardShared};
use crate::limits::{RECOVERED_CONVERSATIONS, RETRY_MAX, RETRY_MIN};
use crate::node::{Phase, Shared, StoredResult};
use crate::trace;

/// Longest wait for a timer before the clocks are compared again: the store's clock may be set.
const LONGEST_WAIT: SpanMs = SpanMs::minutes(1);

/// How far ahead a deadline may lie of a conversation that has something to send: those are asked to recover.
const RECOVER_AHEAD: SpanMs = domain::limits::OFFER_AGAIN;

/// The shard has to be acquired and loaded anew.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Lost(String);

impl Lost {
    pub(super) fn new(reason: String) -> Self {
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

/// Everything that the loop of one shard holds.
pub(super) struct ShardLoop {
    pub(super) shared: Arc<Shared>,
    pub(super) shard: Arc<ShardShared>,
    pub(super) live: LiveSet,
    pub(super) token: Token,
    pub(super) position: Position,
    /// Messages whose POST ended in doubt.
    pub(super) in_doubt: HashSet<MessageId>,
    /// Local inputs for the next batch: those that came, and outcomes of a batch that was lost.
    pub(super) carried: VecDeque<Local>,
    /// Of the batch that was lost, which may have been committed.
    left: Leavings,
    /// The earliest timer.
    pub(super) next_timer: Option<TimestampMs>,
    /// `None` until the shard was acquired for the first time: a reload is not a crash.
    guard: Option<CrashGuard>,
    /// Never goes back.
    pub(super) now: TimestampMs,
    /// Batches since the shard was acquired.
    pub(super) batches: u64,
    /// Read and not applied yet.
    unread: VecDeque<LogEntry>,
    recovering: VecDeque<ConversationId>,
    swept_at: Instant,
}

/// Owns the shard until the node stops.
pub(super) async fn run(shared: Arc<Shared>, shard: Arc<ShardShared>) {
    let mut inputs = shard.inputs.lock().await;
    let stopping = shared.reached(Phase::Stopping);
    tokio::pin!(stopping);
    let mut pause = RETRY_MIN;
    let mut state = ShardLoop::new(Arc::clone(&shared), Arc::clone(&shard));
    while shared.phase() < Phase::Stopping {
        let ended = match state.acquire().await {
            Ok(Some(lease)) => state.own(lease, &mut inputs).await,
            Ok(None) => Err(Lost::new("another node owns the shard".to_owned())),
            Err(error) => Err(error.into()),
        };
        let Err(lost) = ended else { break };
        state.disown(&lost);
        pause = if state.batches > 0 { RETRY_MIN } else { (pause * 2).min(RETRY_MAX) };
        tokio::select! {
            biased;
            () = sleep(pause) => {}
            () = &mut stopping => {}
        }
    }
    state.release().await;
}

impl ShardLoop {
    fn new(shared: Arc<Shared>, shard: Arc<ShardShared>) -> Self {
        Self {
            shared,
            shard,
            live: LiveSet::new(),
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
        }
    }

    async fn acquire(&mut self) -> EngineResult<Option<Lease>> {
        let settings = &self.shared.options.settings;
        let asked_at = Instant::now();
        let lease = self
            .shared
            .options
            .engine
            .acquire(self.shard.id, settings.node_id, span(settings.lease_ttl))
            .await?;
        if let Some(lease) = &lease {
            self.shard.acquired(lease.token, asked_at, settings.lease_ttl);
            self.shared.options.metrics.shards_owned.inc();
            let mut view = self.shard.view.lock();
            view.owned = true;
            view.epoch = lease.token.epoch;
            view.position = lease.position.0;
        }
        Ok(lease)
    }

    /// Works until the node stops (`Ok`) or the shard is lost.
    async fn own(
        &mut self,
        lease: Lease,
        inputs: &mut MutexGuard<'_, mpsc::Receiver<Local>>,
    ) -> Result<(), Lost> {
        let engine = Arc::clone(&self.shared.options.engine);
        let epoch_before = std::mem::replace(&mut self.token, lease.token).epoch;
        self.position = lease.position;
        if lease.token.epoch != epoch_before + 1 {
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
        while self.shared.phase() < Phase::Stopping {
            if let Some(mut batch) = self.gather(inputs).await?
                && let Err(lost) = self.run_batch(&mut batch).await
            {
                self.left = batch.leavings();
                return Err(lost);
            }
            self.passivate();
        }
        Ok(())
    }

    async fn run_batch(&mut self, batch: &mut Batch) -> Result<(), Lost> {
        // A batch serves many traces: each of them sees the time that its inputs took together with the others.
        let traces = batch.traceparents();
        let applying = trace::spans_of(&traces, || tracing::debug_span!("apply"));
        let outcomes = self.apply(batch).await?;
        drop(applying);
        let _committing = trace::spans_of(&traces, || tracing::debug_span!("commit"));
        self.settle(batch, outcomes).await
    }

    /// Commands whose batch was committed although its answer was lost.
    async fn answer_waiters(&self) -> EngineResult<()> {
        for key in self.shared.waiters.of_shard(self.shard.id) {
            let stored = self.shared.options.engine.result(key).await?;
            if let Some(stored) = stored.as_deref().and_then(StoredResult::decode) {
                self.shared.waiters.resolve(key, &stored);
            }
        }
        Ok(())
    }

    /// Whatever is there to do, at most one batch of it; waits until there is something.
    async fn gather(&mut self, inputs: &mut mpsc::Receiver<Local>) -> Result<Option<Batch>, Lost> {
        let limit = self.shared.options.settings.batch_events;
        if self.left.is_empty()
            && self.carried.is_empty()
            && self.recovering.is_empty()
            && self.unread.is_empty()
        {
            self.wait(inputs).await?;
        }
        // Each source has its share of the batch, so that none of them starves another.
        while self.carried.len() < (limit / 2).max(1)
            && let Ok(local) = inputs.try_recv()
        {
            self.carried.push_back(local);
        }
        self.now = self.now.max(self.shared.options.engine.now().await?);
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

    pub(super) fn next_batch_id(&mut self) -> u128 {
        // Unique without drawing: a token is issued once, and each of its batches has a number.
        self.batches += 1;
        let (epoch, nonce) = (self.token.epoch.to_le_bytes(), self.token.nonce.to_le_bytes());
        derive("batch1", &[&self.shard.id.0.to_le_bytes(), &epoch, &nonce, &self.batches.to_le_bytes()])
    }

    /// Waits for an entry, a local input, a timer, or the end.
    async fn wait(&mut self, inputs: &mut mpsc::Receiver<Local>) -> Result<(), Lost> {
        let settings = &self.shared.options.settings;
        let now = self.shared.options.engine.now().await?;
        let until_timer = self.next_timer.map_or(LONGEST_WAIT, |due| due - now);
        let until_timer = Duration::from_millis(until_timer.0.clamp(0, LONGEST_WAIT.0).unsigned_abs());
        let until_sweep = (self.swept_at + settings.idle / 4).saturating_duration_since(Instant::now());
        // In a fixed order, so that a simulation can be repeated. Nothing starves: each source has its share of a batch.
        tokio::select! {
            biased;
            entries = self.shared.options.engine.read(self.shard.id, self.position, settings.batch_events) => {
                self.unread.extend(entries?);
            }
            local = inputs.recv() => self.carried.extend(local),
            () = sleep(until_timer.min(until_sweep)) => {}
            () = self.shard.lost.notified() => {
                // The notice may be about a lease before this one.
                if self.shard.token() != Some(self.token) {
                    return Err(Lost::new("the lease was lost".to_owned()));
                }
            }
            () = self.shared.reached(Phase::Stopping) => {}
        }
        Ok(())
    }

    /// Entries that are there, within the bounds of a batch.
    async fn take_entries(&mut self, batch: &mut Batch, mut limit: usize) -> Result<(), Lost> {
        let settings = self.shared.options.settings;
        if self.unread.is_empty() {
            let after = self.position;
            let there =
                self.shared.options.engine.read(self.shard.id, after, settings.batch_events).now_or_never();
            self.unread.extend(there.transpose()?.unwrap_or_default());
        }
        if self.unread.is_empty() {
            return Ok(());
        }
        let care = self.guard.as_mut().map_or(Care::None, |guard| guard.care(self.position));
        if let Care::Note(note) = care {
            self.commit_note(note.bytes()).await?;
            limit = if note.batch { limit } else { 1 };
        }
        let mut bytes = 0;
        while batch.items.len() < limit
            && bytes < settings.batch_bytes
            && let Some(entry) = self.unread.pop_front()
        {
            bytes += entry.bytes.len();
            if let Some(guard) = &mut self.guard {
                guard.passed();
            }
            if care == Care::Skip {
                batch.push_poison(entry);
                break;
            }
            batch.push_entry(entry);
        }
        Ok(())
    }

    /// Conversations whose timer is due.
    async fn take_timers(&mut self, batch: &mut Batch, limit: usize) -> Result<(), Lost> {
        if self.next_timer.is_none_or(|due| due > self.now) {
            return Ok(());
        }
        let due = self.shared.options.engine.due(self.shard.id, self.now, limit).await?;
        if let Some((oldest, _)) = due.first() {
            let late = (self.now - *oldest).0.max(0);
            self.shared.options.metrics.timer_lateness.observe(late as f64 / 1_000.0);
        }
        batch.ticked = true;
        for (_, conversation) in due {
            batch.push_tick(conversation);
        }
        Ok(())
    }

    /// Gives memory back.
    fn passivate(&mut self) {
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

    /// Everything in memory may be wrong: the next owner, perhaps this very loop, loads it.
    fn disown(&mut self, lost: &Lost) {
        self.forget_all();
        let mut view = self.shard.view.lock();
        view.last_error = Some(lost.to_string());
        if std::mem::take(&mut view.owned) {
            tracing::warn!(shard = self.shard.id.0, reason = %lost, "the shard is loaded anew");
            view.reloads += 1;
            self.shared.options.metrics.shards_owned.dec();
            self.shared.options.metrics.lease_lost.inc();
        }
    }

    fn forget_all(&mut self) {
        let gone = self.live.clear();
        self.shared.count_live(-isize::try_from(gone).unwrap_or(isize::MAX));
        self.unread.clear();
        self.recovering.clear();
        self.shard.disown();
    }

    async fn release(&mut self) {
        self.forget_all();
        let owned = std::mem::take(&mut self.shard.view.lock().owned);
        if owned {
            self.shared.options.metrics.shards_owned.dec();
            if let Err(error) = self.shared.options.engine.release(self.shard.id, self.token).await {
                tracing::warn!(shard = self.shard.id.0, %error, "the lease was not given back and has to run out");
            }
        }
    }
}
