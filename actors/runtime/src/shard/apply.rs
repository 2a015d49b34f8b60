//! Lets the conversations of a batch apply their inputs, and isolates those that cannot.

use std::collections::HashMap;
use std::sync::Arc;

use actix::dev::Request;
use domain::conversation::Input;
use protocol::command::{CommandResult, Refusal};
use protocol::entry::Happening;
use protocol::id::{ConversationId, derive};
use store::engine::{ConversationWrite, EngineError, LoadRequest, Loaded, SeenKey, Stored};

use super::batch::Batch;
use super::inputs::{asks_to_begin, may_begin};
use super::own::{Lost, Shard, span};
use crate::conversation::{Applied, Apply, ConversationActor, Frame, NumberedStep, Stop};
use crate::limits::TIMER_RETRY;
use crate::node::{Place, StoredResult};

/// What a batch's conversations want to commit, by group.
pub(crate) type Outcomes = Vec<Applied>;

/// Inputs of one group on their way to its actor.
type Work = Vec<(usize, Vec<NumberedStep>)>;

/// How a conversation's inputs are remembered by the store: hashes of two conversations never meet.
pub(super) fn seen_key(conversation: ConversationId, hash: u64) -> SeenKey {
    SeenKey(derive("seen1", &[&conversation.0.to_le_bytes(), &hash.to_le_bytes()]))
}

/// A batch on its way to its conversations.
pub(crate) struct Sent {
    frame: Arc<Frame>,
    requests: Requests,
}

/// Answers to come, by group.
type Requests = Vec<(usize, Request<ConversationActor, Apply>)>;

impl Shard {
    /// What a batch needs from the store.
    pub(crate) fn needs(&self, batch: &Batch) -> LoadRequest {
        LoadRequest {
            conversations: self.cold(batch).map(|place| batch.groups[place].conversation).collect(),
            commands: batch.commands.iter().map(|(key, _)| *key).collect(),
            seen: Vec::new(),
        }
    }

    /// Groups whose conversation is not live.
    fn cold<'a>(&'a self, batch: &'a Batch) -> impl Iterator<Item = usize> + 'a {
        (0..batch.groups.len()).filter(|&place| !self.live.contains(batch.groups[place].conversation))
    }

    /// Answers commands that were applied before, and starts the actors of conversations that are not live.
    pub(crate) fn activate(&mut self, batch: &mut Batch, loaded: Loaded) -> Outcomes {
        let mut outcomes = Outcomes::new();
        outcomes.resize_with(batch.groups.len(), Applied::default);
        let commands = std::mem::take(&mut batch.commands);
        let mut first_place = HashMap::with_capacity(commands.len());
        for ((key, place), stored) in commands.into_iter().zip(loaded.results) {
            if let Some(stored) = stored {
                // Applied before: its result stands.
                if let Some(stored) = StoredResult::decode(&stored) {
                    self.shared.waiters.resolve(key, &stored);
                }
                batch.drop_command(place, key, false);
            } else if let Some(first) = first_place.insert(key, place) {
                // Twice in one batch: it acts once, and its result answers both callers.
                first_place.insert(key, first);
                batch.drop_command(place, key, first == place);
            }
        }
        let cold: Vec<usize> = self.cold(batch).collect();
        for (place, stored) in cold.into_iter().zip(loaded.conversations) {
            self.start_actor(batch, place, stored, &mut outcomes[place]);
        }
        outcomes
    }

    /// Sends each conversation its inputs.
    pub(crate) fn send_all(&mut self, batch: &mut Batch) -> Sent {
        let frame = Arc::new(Frame {
            step: self.shared.step,
            now: batch.now,
            directory: self.shared.options.directory.load_full(),
            batch_id: batch.id,
            watch_moves: !self.in_doubt.is_empty(),
        });
        let mut work: Work = Vec::with_capacity(batch.groups.len());
        for (place, group) in batch.groups.iter_mut().enumerate() {
            if !group.steps.is_empty() {
                work.push((place, std::mem::take(&mut group.steps)));
            }
        }
        let requests = self.send(&frame, batch, work);
        Sent { frame, requests }
    }

    /// Collects what came of a batch, in memory. A conversation that stopped half-way is helped to go on.
    pub(crate) async fn answers(
        &mut self,
        batch: &mut Batch,
        sent: Sent,
        outcomes: &mut Outcomes,
    ) -> Result<(), Lost> {
        let Sent { frame, mut requests } = sent;
        let mut poisoned = Vec::new();
        while !requests.is_empty() {
            let (mut work, mut asks) = (Work::new(), Vec::new());
            for (place, request) in std::mem::take(&mut requests) {
                // All have been sent: waiting for one after the other takes no longer than for all at once.
                let mut applied = request
                    .await
                    .map_err(|error| Lost::new(format!("a conversation actor did not answer: {error}")))?;
                match applied.stop.take() {
                    None => outcomes[place].append(applied),
                    Some(Stop::AskSeen { key, rest }) => {
                        outcomes[place].append(applied);
                        asks.push((place, key, rest));
                    }
                    Some(Stop::Panicked { item, reason }) => {
                        self.shared.options.metrics.actor_panics.inc();
                        poisoned.push(item);
                        batch.set_aside(item, &reason, batch.groups[place].about());
                        outcomes[place] = Applied::default();
                        work.extend(self.begin_again(batch, place, &poisoned, &mut outcomes[place]).await?);
                    }
                    Some(Stop::NoNumber) => {
                        outcomes[place].append(applied);
                        set_group_aside(batch, place, "the number is not configured");
                    }
                    Some(Stop::Unstorable(reason)) => {
                        outcomes[place] = Applied::default();
                        self.forget(batch.groups[place].conversation);
                        set_group_aside(batch, place, &reason);
                    }
                }
            }
            work.extend(self.ask_seen(batch, outcomes, asks).await?);
            requests = self.send(&frame, batch, work);
        }
        Ok(())
    }

    /// Starts the actor of a group, from its stored state or for a conversation that begins now.
    fn start_actor(
        &mut self,
        batch: &mut Batch,
        place: usize,
        stored: Option<Stored>,
        outcome: &mut Applied,
    ) {
        let group = &mut batch.groups[place];
        let timer = stored.as_ref().and_then(|stored| stored.timer_at);
        let actor = match (&stored, &group.address) {
            (Some(stored), _) => ConversationActor::stored(&stored.snapshot),
            (None, address) => {
                let first = group.steps.iter().position(|step| may_begin(&step.step.input));
                let too_early: Vec<_> = group.steps.drain(..first.unwrap_or(group.steps.len())).collect();
                refuse_unknown(too_early, outcome);
                match address {
                    Some(address) if !group.steps.is_empty() => ConversationActor::fresh(address.clone()),
                    _ => return,
                }
            }
        };
        match actor {
            Ok(actor) => {
                // The shard runs on the arbiter where its conversations live.
                let address = Place::Here.start(actor);
                self.live.insert(group.conversation, address, timer);
                self.shared.count_live(1);
                self.shared.options.metrics.actors_spawned.inc();
            }
            Err(error) => {
                group.steps.clear();
                if let (true, Some(stored)) = (group.fired, stored) {
                    batch.put_off.push(ConversationWrite {
                        conversation: group.conversation,
                        snapshot: stored.snapshot,
                        timer_before: timer,
                        timer_after: Some(batch.now + span(TIMER_RETRY)),
                    });
                }
                set_group_aside(batch, place, &error.to_string());
            }
        }
    }

    /// One message to each conversation.
    fn send(&mut self, frame: &Arc<Frame>, batch: &Batch, work: Work) -> Requests {
        let mut requests = Vec::with_capacity(work.len());
        for (place, steps) in work {
            let group = &batch.groups[place];
            let Some(alive) = self.live.touch(group.conversation) else { continue };
            let begins = steps.iter().any(|step| asks_to_begin(&step.step.input));
            let contact = group.address.as_ref().filter(|_| begins).map(|address| address.contact.clone());
            let apply = Apply { frame: Arc::clone(frame), steps, fired: group.fired, contact };
            requests.push((place, alive.actor.send(apply)));
        }
        requests
    }

    /// Loads a conversation whose actor is poisoned once more, for its inputs without the poison.
    async fn begin_again(
        &mut self,
        batch: &mut Batch,
        place: usize,
        poisoned: &[u32],
        outcome: &mut Applied,
    ) -> Result<Work, Lost> {
        let conversation = batch.groups[place].conversation;
        self.forget(conversation);
        let request = LoadRequest { conversations: vec![conversation], ..LoadRequest::default() };
        let mut loaded = self.shared.options.engine.load(self.shard.id, request).await?;
        let steps = batch.steps_again(place, poisoned);
        batch.groups[place].steps = steps;
        self.start_actor(batch, place, loaded.conversations.pop().flatten(), outcome);
        let steps = std::mem::take(&mut batch.groups[place].steps);
        // A timer that fired has to be put off even if its tick was the poison.
        let nothing = steps.is_empty() && !batch.groups[place].fired;
        Ok(if nothing { Work::new() } else { vec![(place, steps)] })
    }

    /// Asks the store for inputs that may be repetitions from before the conversations' own memory.
    async fn ask_seen(
        &self,
        batch: &Batch,
        outcomes: &Outcomes,
        asks: Vec<(usize, u64, Vec<NumberedStep>)>,
    ) -> Result<Work, EngineError> {
        if asks.is_empty() {
            return Ok(Work::new());
        }
        let key = |place: usize, hash| seen_key(batch.groups[place].conversation, hash);
        let seen = asks.iter().map(|(place, hash, _)| key(*place, *hash)).collect();
        let request = LoadRequest { seen, ..LoadRequest::default() };
        let loaded = self.shared.options.engine.load(self.shard.id, request).await?;
        let answered = asks.into_iter().zip(loaded.seen).map(|((place, hash, mut rest), stored)| {
            // What this very batch pushed out of the memory is not in the store yet.
            let seen = stored || outcomes[place].output.forgotten.contains(&hash);
            if let Some(first) = rest.first_mut() {
                first.seen_known = true;
                first.step.already_seen = seen;
            }
            (place, rest)
        });
        Ok(answered.collect())
    }

    pub(super) fn forget(&mut self, conversation: ConversationId) {
        if self.live.contains(conversation) {
            self.live.remove(conversation);
            self.shared.count_live(-1);
        }
    }
}

/// Inputs for a conversation that does not exist: commands are told so, the rest has nobody to tell.
fn refuse_unknown(steps: Vec<NumberedStep>, outcome: &mut Applied) {
    for step in steps {
        if let Input::Happening(happening) = step.step.input
            && let Happening::Command(command) = *happening
        {
            let result = CommandResult::Refused(Refusal::NotFound);
            outcome
                .output
                .results
                .push((command.key, StoredResult { fingerprint: command.fingerprint, result }));
        }
    }
}

/// Every log entry of a group becomes a dead letter. Timers are put off, claims find nothing to send.
fn set_group_aside(batch: &mut Batch, place: usize, reason: &str) {
    let about = batch.groups[place].about();
    for item in batch.groups[place].items.clone() {
        if batch.is_entry(item) {
            batch.set_aside(item, reason, about);
        }
    }
}
