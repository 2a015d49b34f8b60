//! One round: the shards that have something to do load, apply, commit and settle together.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, join_all};
use protocol::time::TimestampMs;
use store::engine::{Commit, Committed, EngineError, EngineResult, LoadRequest};
use tokio::time::Instant;

use crate::node::Shared;
use crate::shard::{Batch, Lost, Outcomes, Shard, Task};
use crate::trace;

/// What a round gives back.
pub(super) struct Played {
    /// At rest again.
    pub(super) shards: Vec<Box<Shard>>,
    /// Their commit goes on without the others.
    pub(super) stragglers: Vec<LocalBoxFuture<'static, Box<Shard>>>,
}

/// A shard with its batch.
struct Part {
    shard: Box<Shard>,
    batch: Batch,
    outcomes: Outcomes,
}

/// Plays a round.
pub(super) async fn play(shared: Arc<Shared>, shards: Vec<(Box<Shard>, Task)>, now: TimestampMs) -> Played {
    let mut round = Round { shared, done: Vec::with_capacity(shards.len()), stragglers: Vec::new() };
    let parts = round.gather(shards, now).await;
    if !parts.is_empty() {
        // A round serves many traces: each of them sees the time that its inputs took together with the others.
        let traces: Vec<_> = parts.iter().flat_map(|part| part.batch.traceparents()).collect();
        let applying = trace::spans_of(&traces, || tracing::debug_span!("apply"));
        let parts = round.apply(parts).await;
        drop(applying);
        let _committing = trace::spans_of(&traces, || tracing::debug_span!("commit"));
        round.commit(parts).await;
    }
    Played { shards: round.done, stragglers: round.stragglers }
}

struct Round {
    shared: Arc<Shared>,
    done: Vec<Box<Shard>>,
    stragglers: Vec<LocalBoxFuture<'static, Box<Shard>>>,
}

impl Round {
    /// Gives up a shard whose batch is lost.
    fn lose(&mut self, mut part: Part, lost: &Lost) {
        part.shard.lose(part.batch, lost);
        self.done.push(part.shard);
    }

    /// Takes and gives back leases, and asks each shard for its batch.
    async fn gather(&mut self, shards: Vec<(Box<Shard>, Task)>, now: TimestampMs) -> Vec<Part> {
        let gathering = shards.into_iter().map(|(mut shard, task)| async move {
            let batch = match task {
                Task::Acquire => {
                    shard.acquire().await;
                    None
                }
                Task::Release => {
                    shard.release().await;
                    None
                }
                Task::Batch => match shard.gather(now).await {
                    Ok(batch) => batch,
                    Err(lost) => {
                        shard.give_up(&lost);
                        None
                    }
                },
            };
            (shard, batch)
        });
        let mut parts = Vec::new();
        for (shard, batch) in join_all(gathering).await {
            match batch {
                Some(batch) => parts.push(Part { shard, batch, outcomes: Outcomes::new() }),
                None => self.done.push(shard),
            }
        }
        parts
    }

    /// Loads what is missing, for all at once, and applies. Nothing is committed yet.
    async fn apply(&mut self, mut parts: Vec<Part>) -> Vec<Part> {
        let needs: Vec<_> =
            parts.iter().map(|part| (part.shard.shard.id, part.shard.needs(&part.batch))).collect();
        let loaded = if needs.iter().any(|(_, request)| !is_empty(request)) {
            self.shared.options.engine.load_all(&needs).await
        } else {
            Ok(needs.iter().map(|_| Default::default()).collect())
        };
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(error) => {
                let lost = Lost::from(error);
                parts.into_iter().for_each(|part| self.lose(part, &lost));
                return Vec::new();
            }
        };
        let mut sent = Vec::with_capacity(parts.len());
        for (part, loaded) in parts.iter_mut().zip(loaded) {
            part.outcomes = part.shard.activate(&mut part.batch, loaded);
            sent.push(part.shard.send_all(&mut part.batch));
        }
        // Every conversation has its message by now; they answer while the first is waited for.
        let mut applied = Vec::with_capacity(parts.len());
        for (mut part, sent) in parts.into_iter().zip(sent) {
            match part.shard.answers(&mut part.batch, sent, &mut part.outcomes).await {
                Ok(()) => applied.push(part),
                Err(lost) => self.lose(part, &lost),
            }
        }
        applied
    }

    /// Commits all batches in one call, and lets the effects out of those that are committed.
    async fn commit(&mut self, parts: Vec<Part>) {
        let mut commits = Vec::with_capacity(parts.len());
        let mut committing = Vec::with_capacity(parts.len());
        for mut part in parts {
            match part.shard.commit_of(&mut part.batch, &mut part.outcomes).await {
                Ok(commit) => {
                    commits.push(Arc::new(commit));
                    committing.push(part);
                }
                Err(lost) => self.lose(part, &lost),
            }
        }
        if commits.is_empty() {
            return;
        }
        let began_at = Instant::now();
        let committed = self.shared.options.engine.commit_all(commits.clone()).await;
        self.shared.options.metrics.commit.observe(began_at.elapsed().as_secs_f64());
        let committed = committed.unwrap_or_else(|error| {
            // Each batch is asked for again by itself, whatever became of the call.
            let text = error.to_string();
            commits.iter().map(|_| Err(EngineError::Unknown(text.clone()))).collect()
        });
        for ((part, commit), committed) in committing.into_iter().zip(commits).zip(committed) {
            self.settle(part, commit, committed).await;
        }
    }

    async fn settle(&mut self, mut part: Part, commit: Arc<Commit>, committed: EngineResult<Committed>) {
        match committed {
            Ok(_) => {
                part.shard.settle(part.batch, part.outcomes, &commit).await;
                self.done.push(part.shard);
            }
            Err(error) => self.stragglers.push(straggle(part, commit, error).boxed_local()),
        }
    }
}

/// Commits by sending the identical batch again: a lost answer does not tell what happened.
async fn straggle(mut part: Part, commit: Arc<Commit>, error: EngineError) -> Box<Shard> {
    match part.shard.commit_again(&commit, error).await {
        Ok(()) => part.shard.settle(part.batch, part.outcomes, &commit).await,
        Err(lost) => part.shard.lose(part.batch, &lost),
    }
    part.shard
}

fn is_empty(request: &LoadRequest) -> bool {
    request.conversations.is_empty() && request.commands.is_empty() && request.seen.is_empty()
}
