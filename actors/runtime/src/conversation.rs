//! The actor of one conversation: holds its state in memory and applies inputs. It does no IO and owns no timer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix::{Actor, Context, Handler, Message, MessageResult};
use bytes::Bytes;
use compact_str::CompactString;
use domain::conversation::{self, Conversation, DecodeError, Effects, Input, Post, Step};
use domain::directory::Directory;
use protocol::codec;
use protocol::command::{CommandKey, CommandResult};
use protocol::entry::{Address, ContactChange, Happening};
use protocol::fact::{Event, Fact};
use protocol::id::{EventId, MessageId, NumberId, ProviderId, TenantId};
use protocol::phone::ContactKey;
use protocol::shard::conversation_id;
use protocol::time::TimestampMs;
use store::engine::AliasKey;
use xxhash_rust::xxh3::xxh3_64;

use crate::alias::alias_keys;
use crate::node::StoredResult;

/// One conversation in memory.
pub(crate) struct ConversationActor {
    state: Box<Conversation>,
    /// Of the stored form: an input that changes nothing (a duplicate) writes nothing.
    stored_hash: u64,
}

/// The pure step: [`domain::conversation::apply`], unless a test wants to see what happens when it fails.
pub type PureStep = fn(&mut Conversation, &conversation::Context<'_>, Step, &mut Effects);

/// What all conversations of a batch share.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Applies one input.
    pub(crate) step: PureStep,
    /// The shard's time.
    pub(crate) now: TimestampMs,
    /// What tenants configured when the batch began.
    pub(crate) directory: Arc<Directory>,
    /// Ids of facts derive from it.
    pub(crate) batch_id: u128,
    /// Somebody wants to know which messages moved.
    pub(crate) watch_moves: bool,
}

/// One input with its place in the batch.
#[derive(Debug)]
pub(crate) struct NumberedStep {
    /// Place in the batch.
    pub(crate) item: u32,
    /// [`Step::already_seen`] is the store's answer rather than a default.
    pub(crate) seen_known: bool,
    /// The input.
    pub(crate) step: Step,
}

/// The inputs of one conversation in one batch.
#[derive(Message)]
#[rtype(result = "Applied")]
pub(crate) struct Apply {
    /// Shared by the batch.
    pub(crate) frame: Arc<Frame>,
    /// In order.
    pub(crate) steps: Vec<NumberedStep>,
    /// Its timer fired and has to be written anew, with the state even if that did not change.
    pub(crate) fired: bool,
    /// Who the contact is by what came through the log, for a conversation that forgot it and may begin again.
    pub(crate) contact: Option<ContactKey>,
}

/// What came of it. Nothing of it may leave before the commit.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// Why not everything was applied.
    pub(crate) stop: Option<Stop>,
    /// The stored form from now on, if it changed.
    pub(crate) snapshot: Option<Bytes>,
    /// When a tick would do something.
    pub(crate) deadline: Option<TimestampMs>,
    /// What follows.
    pub(crate) output: Output,
}

/// Why an actor stopped before the last input.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The store has to be asked whether this was seen before; the first of the rest is the one in question.
    AskSeen {
        /// Hash of the provider id.
        key: u64,
        /// Inputs that were not applied.
        rest: Vec<NumberedStep>,
    },
    /// The input panicked; the state is worth nothing now.
    Panicked {
        /// Its place in the batch.
        item: u32,
        /// For people; never the panic's own text, which may quote a message.
        reason: String,
    },
    /// The number is not configured (any more); nothing was applied.
    NoNumber,
    /// The new state cannot be stored.
    Unstorable(String),
}

/// Effects of a batch's inputs on one conversation, in the form that the commit needs.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// Encoded, in order.
    pub(crate) facts: Vec<Bytes>,
    /// Results of commands.
    pub(crate) results: Vec<(CommandKey, StoredResult)>,
    /// Messages that wait for a send slot.
    pub(crate) offers: Vec<MessageId>,
    /// Claimed messages by the place of their claim.
    pub(crate) posts: Vec<(u32, Post)>,
    /// Changes for other conversations of the contact.
    pub(crate) siblings: Vec<(Address, ContactChange)>,
    /// Other names of the contact.
    pub(crate) aliases: Vec<(AliasKey, ContactKey)>,
    /// Hashes of provider ids that left the state.
    pub(crate) forgotten: Vec<u64>,
    /// Show typing for this message of the contact.
    pub(crate) typing: Option<ProviderId>,
    /// Messages of which nobody knows whether the provider took them.
    pub(crate) in_doubt: Vec<MessageId>,
    /// Messages whose status moved, if the frame asks.
    pub(crate) moved: Vec<MessageId>,
    /// The number and its tenant, where something has to leave.
    pub(crate) sender: Option<(TenantId, NumberId)>,
}

impl Applied {
    /// Joins what a later message of the same batch brought.
    pub(crate) fn append(&mut self, later: Self) {
        self.snapshot = later.snapshot.or(self.snapshot.take());
        self.deadline = later.deadline;
        let (output, mut later) = (&mut self.output, later.output);
        if output.sender.is_none() && output.results.is_empty() {
            // Nearly every conversation answers once.
            *output = later;
            return;
        }
        output.facts.append(&mut later.facts);
        output.results.append(&mut later.results);
        output.offers.append(&mut later.offers);
        output.posts.append(&mut later.posts);
        output.siblings.append(&mut later.siblings);
        output.aliases.append(&mut later.aliases);
        output.forgotten.append(&mut later.forgotten);
        output.in_doubt.append(&mut later.in_doubt);
        output.moved.append(&mut later.moved);
        output.typing = later.typing.or(output.typing.take());
        output.sender = later.sender;
    }
}

impl ConversationActor {
    /// A conversation that does not exist yet.
    pub(crate) fn fresh(address: Address) -> Result<Self, DecodeError> {
        let state = Box::new(Conversation::new(address));
        let stored_hash = xxh3_64(&state.encode()?);
        Ok(Self { state, stored_hash })
    }

    /// A stored conversation.
    pub(crate) fn stored(snapshot: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self { state: Box::new(Conversation::decode(snapshot)?), stored_hash: xxh3_64(snapshot) })
    }

    /// Somebody wants to talk with a contact that was erased. Answers what the contact is called if nothing comes of it.
    fn meet(&mut self, contact: Option<ContactKey>) -> Option<ContactKey> {
        let Address { number, conversation, contact: known, .. } = &self.state.address;
        let contact = contact.filter(|_| !known.names_somebody())?;
        let nobody = known.clone();
        if conversation_id(*number, &contact) == *conversation {
            self.state.meet(&contact);
        }
        Some(nobody)
    }

    fn apply(
        &mut self,
        frame: &Frame,
        steps: Vec<NumberedStep>,
        fired: bool,
        contact: Option<ContactKey>,
    ) -> Applied {
        let nobody = self.meet(contact);
        let address = &self.state.address;
        let directory = Arc::clone(&frame.directory);
        let Some((tenant, number)) = directory.number(address.tenant, address.number) else {
            return self.finish(Applied { stop: Some(Stop::NoNumber), ..Applied::default() }, fired);
        };
        let context = conversation::Context { now: frame.now, tenant, number };
        let (mut applied, mut effects) = (Applied::default(), Effects::default());
        let mut steps = steps.into_iter();
        while let Some(next) = steps.next() {
            if let Some(key) = self.unknown_to_us(&next) {
                let rest = std::iter::once(next).chain(steps).collect();
                applied.stop = Some(Stop::AskSeen { key, rest });
                break;
            }
            let about = About::of(&next);
            let caught = catch_unwind(AssertUnwindSafe(|| {
                (frame.step)(&mut self.state, &context, next.step, &mut effects);
            }));
            if caught.is_err() {
                let reason = format!("applying `{}` panicked", about.name);
                return Applied {
                    stop: Some(Stop::Panicked { item: about.item, reason }),
                    ..Applied::default()
                };
            }
            if let Err(reason) = self.collect(frame, about, &mut effects, &mut applied.output) {
                return Applied { stop: Some(Stop::Unstorable(reason)), ..Applied::default() };
            }
        }
        if let Some(nobody) = nobody {
            self.state.part(nobody);
        }
        self.finish(applied, fired)
    }

    /// The key to ask the store for, unless its answer is known.
    fn unknown_to_us(&self, next: &NumberedStep) -> Option<u64> {
        match &next.step.input {
            Input::Happening(happening) if !next.seen_known => self.state.seen_lookup(happening),
            _ => None,
        }
    }

    /// Moves the effects of one input to the output of the batch; leaves `effects` empty.
    fn collect(
        &self,
        frame: &Frame,
        about: About,
        effects: &mut Effects,
        output: &mut Output,
    ) -> Result<(), String> {
        let address = &self.state.address;
        for (place, fact) in (0u32..).zip(effects.facts.drain(..)) {
            if let (true, Fact::StatusChanged { message, .. }) = (frame.watch_moves, &fact) {
                output.moved.push(*message);
            }
            let event = Event {
                id: event_id(frame.batch_id, about.item, place),
                at: frame.now,
                traceparent: about.traceparent.clone(),
                tenant: Some(address.tenant),
                conversation: Some(address.conversation),
                fact,
            };
            output.facts.push(codec::encode(&event).map_err(|error| error.to_string())?);
        }
        if let Some((key, fingerprint)) = about.command {
            let done = CommandResult::Done { conversation: address.conversation };
            let result = effects.result.take().unwrap_or(done);
            output.results.push((key, StoredResult { fingerprint, result }));
        }
        output.offers.extend(effects.offers.drain(..).map(|offer| offer.message));
        output.posts.extend(effects.posts.drain(..).map(|post| (about.item, post)));
        output.forgotten.append(&mut effects.forgotten);
        output.in_doubt.append(&mut effects.in_doubt);
        output.typing = effects.typing.take().or(output.typing.take());
        for (number, change) in effects.siblings.drain(..) {
            let contact = address.contact.clone();
            let conversation = conversation_id(number, &contact);
            output.siblings.push((Address { tenant: address.tenant, number, contact, conversation }, change));
        }
        for identity in effects.aliases.drain(..) {
            let keys = alias_keys(address.number, &identity);
            output.aliases.extend(keys.map(|key| (key, address.contact.clone())));
        }
        Ok(())
    }

    fn finish(&mut self, mut applied: Applied, fired: bool) -> Applied {
        match self.state.encode() {
            Ok(snapshot) => {
                let hash = xxh3_64(&snapshot);
                if hash != self.stored_hash || fired {
                    self.stored_hash = hash;
                    applied.snapshot = Some(Bytes::from(snapshot));
                }
            }
            Err(error) => applied.stop = Some(Stop::Unstorable(error.to_string())),
        }
        applied.deadline = self.state.next_deadline();
        applied.output.sender = Some((self.state.address.tenant, self.state.address.number));
        applied
    }
}

/// What has to be known about an input after it was consumed.
struct About {
    item: u32,
    name: &'static str,
    command: Option<(CommandKey, u64)>,
    traceparent: Option<CompactString>,
}

impl About {
    fn of(next: &NumberedStep) -> Self {
        let (name, command) = match &next.step.input {
            Input::Happening(happening) => match happening.as_ref() {
                Happening::Received(_) => ("received", None),
                Happening::Status(_) => ("status", None),
                Happening::Call(_) => ("call", None),
                Happening::IdentityChanged(_) => ("identity_changed", None),
                Happening::Preference(_) => ("preference", None),
                Happening::Command(command) => ("command", Some((command.key, command.fingerprint))),
                Happening::ContactChanged(_) => ("contact_changed", None),
            },
            Input::Tick => ("tick", None),
            Input::Recover => ("recover", None),
            Input::Claim { .. } => ("claim", None),
            Input::Outcome { .. } => ("outcome", None),
        };
        Self { item: next.item, name, command, traceparent: next.step.traceparent.clone() }
    }
}

/// The id of a fact: its batch is committed once, so its place in the batch is its cause.
pub(crate) fn event_id(batch_id: u128, item: u32, place: u32) -> EventId {
    EventId::derive(&[&batch_id.to_le_bytes(), &item.to_le_bytes(), &place.to_le_bytes()])
}

impl Actor for ConversationActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        // One batch is under way at a time, with one message for each conversation.
        context.set_mailbox_capacity(1);
    }
}

impl Handler<Apply> for ConversationActor {
    type Result = MessageResult<Apply>;

    fn handle(&mut self, apply: Apply, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.apply(&apply.frame, apply.steps, apply.fired, apply.contact))
    }
}
