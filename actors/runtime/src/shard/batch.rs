//! One batch of inputs, grouped by conversation.

use std::collections::HashMap;

use bytes::Bytes;
use compact_str::CompactString;
use domain::conversation::{Input, Post, Step};
use protocol::codec;
use protocol::command::CommandKey;
use protocol::entry::{AccountNotice, Address, Entry, EntryBody, Happening};
use protocol::fact::{Event, Fact};
use protocol::id::{ConversationId, DeadLetterId, MessageId, TenantId};
use protocol::outbound::Outcome;
use protocol::shard::ShardId;
use protocol::time::TimestampMs;
use store::engine::{ConversationWrite, DeadLetter, LogEntry, Position};
use tokio::sync::oneshot;

use super::Local;
use super::inputs::command_key;
use super::live::ById;
use crate::conversation::{NumberedStep, event_id};

/// One input of a batch, kept until the commit so that a conversation can be done again without one of them.
pub(super) enum Item {
    /// An entry of the log, by its place in [`Batch::entries`].
    Log(usize),
    /// A timer that fired.
    Tick,
    /// After a take-over.
    Recover,
    /// See [`Local::Claim`].
    Claim { message: MessageId, reply: oneshot::Sender<Option<Box<Post>>> },
    /// See [`Local::Outcome`].
    Outcome { message: MessageId, outcome: Outcome },
}

/// The inputs of one conversation.
pub(super) struct Group {
    pub(super) conversation: ConversationId,
    /// Known when one of the inputs came through the log.
    pub(super) address: Option<Address>,
    /// Places in [`Batch::items`], in order.
    pub(super) items: Vec<u32>,
    /// Taken when they are applied.
    pub(super) steps: Vec<NumberedStep>,
    /// Its timer fired.
    pub(super) fired: bool,
    /// Messages of the contact, which count against the number's throughput.
    pub(super) received: u32,
}

/// What a batch that was lost leaves behind: it may have been applied or not.
#[derive(Default)]
pub(super) struct Leavings {
    outcomes: Vec<(ConversationId, MessageId, Outcome)>,
    /// Messages that this very batch claimed, if it was committed. Their POSTs were called off.
    claims: Vec<(ConversationId, MessageId)>,
}

impl Leavings {
    pub(super) fn is_empty(&self) -> bool {
        self.outcomes.is_empty() && self.claims.is_empty()
    }

    /// Somebody else owned the shard since, and may have claimed the same messages; their POSTs may be under way.
    /// Only what can never lead to another POST is brought up again; the rest is resolved by a status, or ends as
    /// unknown.
    pub(super) fn after_a_rival(&mut self) {
        self.claims.clear();
        self.outcomes.retain(|(_, _, outcome)| outcome.is_taken());
    }

    /// The outcomes again, and the claims taken back: whatever of it was applied changes nothing the second time,
    /// as long as nobody claimed in between.
    pub(super) fn into_inputs(self) -> impl Iterator<Item = Local> {
        let back = || Outcome::NotSent { detail: "the shard was loaded anew during the claim".to_owned() };
        let claims =
            self.claims.into_iter().map(move |(conversation, message)| (conversation, message, back()));
        let all = self.outcomes.into_iter().chain(claims);
        all.map(|(conversation, message, outcome)| Local::Outcome { conversation, message, outcome })
    }
}

/// Inputs that are committed together.
pub(crate) struct Batch {
    pub(super) id: u128,
    pub(super) shard: ShardId,
    pub(super) now: TimestampMs,
    pub(super) expected_position: Position,
    pub(super) new_position: Position,
    pub(super) entries: Vec<LogEntry>,
    pub(super) items: Vec<Item>,
    pub(super) groups: Vec<Group>,
    by_conversation: ById<usize>,
    /// Commands, with the group that they are for.
    pub(super) commands: Vec<(CommandKey, usize)>,
    /// Facts that belong to no conversation.
    pub(super) facts: Vec<Bytes>,
    pub(super) dead_letters: Vec<DeadLetter>,
    /// Conversations that cannot be read, with their timer put off.
    pub(super) put_off: Vec<ConversationWrite>,
    /// Messages that are claimed if the batch is committed.
    pub(super) claimed: Vec<(ConversationId, MessageId)>,
    /// Entries that became dead letters.
    pub(super) set_aside: u64,
    /// Timers that were due are among the inputs: the next one has to be asked for.
    pub(super) ticked: bool,
    /// When its oldest log entry was received.
    pub(super) oldest: Option<TimestampMs>,
}

impl Batch {
    pub(super) fn new(id: u128, shard: ShardId, now: TimestampMs, position: Position) -> Self {
        Self {
            id,
            shard,
            now,
            expected_position: position,
            new_position: position,
            entries: Vec::new(),
            items: Vec::new(),
            groups: Vec::new(),
            by_conversation: HashMap::default(),
            commands: Vec::new(),
            facts: Vec::new(),
            dead_letters: Vec::new(),
            put_off: Vec::new(),
            claimed: Vec::new(),
            set_aside: 0,
            ticked: false,
            oldest: None,
        }
    }

    /// The traces that its inputs belong to; none while no spans are made.
    pub(crate) fn traceparents(&self) -> Vec<CompactString> {
        if !tracing::span_enabled!(tracing::Level::DEBUG) {
            return Vec::new();
        }
        let steps = self.groups.iter().flat_map(|group| &group.steps);
        let mut traces: Vec<_> = steps.filter_map(|step| step.step.traceparent.clone()).collect();
        traces.sort_unstable();
        traces.dedup();
        traces
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Takes an entry of the log: whatever it holds, the log is applied up to it.
    pub(super) fn push_entry(&mut self, entry: LogEntry) {
        self.new_position = entry.position;
        let place = self.entries.len();
        let item = self.push_item(Item::Log(place));
        match codec::decode::<Entry>(&entry.bytes) {
            Ok(decoded) => {
                self.oldest = self.oldest.or(Some(decoded.received_at));
                self.push_decoded(item, decoded);
                self.entries.push(entry);
            }
            Err(error) => {
                self.entries.push(entry);
                self.set_aside(item, &error.to_string(), None);
            }
        }
    }

    /// Sets an entry aside without looking into it: it killed the process too often.
    pub(super) fn push_poison(&mut self, entry: LogEntry) {
        self.new_position = entry.position;
        let item = self.push_item(Item::Log(self.entries.len()));
        self.entries.push(entry);
        self.set_aside(item, "the process ended each time that this was applied", None);
    }

    /// The batch was lost: what the next one has to take up.
    pub(super) fn leavings(self) -> Leavings {
        let mut items: Vec<Option<Item>> = self.items.into_iter().map(Some).collect();
        let mut leavings = Leavings { outcomes: Vec::new(), claims: self.claimed };
        for group in self.groups {
            let conversation = group.conversation;
            for item in group.items {
                let item = items.get_mut(item as usize).and_then(Option::take);
                if let Some(Item::Outcome { message, outcome }) = item {
                    leavings.outcomes.push((conversation, message, outcome));
                }
            }
        }
        leavings
    }

    fn push_decoded(&mut self, item: u32, entry: Entry) {
        match entry.body {
            EntryBody::Conversation { address, input } => {
                let place = self.group(address.conversation);
                let group = &mut self.groups[place];
                match input.as_ref() {
                    Happening::Command(command) => self.commands.push((command.key, place)),
                    Happening::Received(_) => group.received += 1,
                    _ => {}
                }
                // A status may come without a name.
                if group.address.as_ref().is_none_or(|known| !known.contact.names_somebody()) {
                    group.address = Some(address);
                }
                let step = Step {
                    input: Input::Happening(input),
                    traceparent: entry.traceparent,
                    already_seen: false,
                };
                group.push(item, step);
            }
            EntryBody::Account(notice) => self.push_notice(item, notice, entry.traceparent),
        }
    }

    fn push_notice(&mut self, item: u32, notice: AccountNotice, traceparent: Option<CompactString>) {
        let event = Event {
            id: event_id(self.id, item, 0),
            at: self.now,
            traceparent,
            tenant: notice.tenant,
            conversation: None,
            fact: Fact::Account(notice),
        };
        self.push_event(&event);
    }

    fn push_event(&mut self, event: &Event) {
        match codec::encode(event) {
            Ok(bytes) => self.facts.push(bytes),
            // Every fact has a stored form; one that had none could not be told to anybody anyway.
            Err(error) => tracing::error!(%error, fact = event.fact.name(), "a fact cannot be stored"),
        }
    }

    pub(super) fn push_local(&mut self, local: Local) {
        let (conversation, item, input) = match local {
            Local::Claim { conversation, message, reply } => {
                (conversation, Item::Claim { message, reply }, Input::Claim { message })
            }
            Local::Outcome { conversation, message, outcome } => (
                conversation,
                Item::Outcome { message, outcome: outcome.clone() },
                Input::Outcome { message, outcome },
            ),
        };
        self.push(conversation, item, input);
    }

    pub(super) fn push_tick(&mut self, conversation: ConversationId) {
        self.push(conversation, Item::Tick, Input::Tick);
        let place = self.group(conversation);
        self.groups[place].fired = true;
    }

    pub(super) fn push_recover(&mut self, conversation: ConversationId) {
        self.push(conversation, Item::Recover, Input::Recover);
    }

    fn push(&mut self, conversation: ConversationId, item: Item, input: Input) {
        let item = self.push_item(item);
        let place = self.group(conversation);
        self.groups[place].push(item, Step { input, traceparent: None, already_seen: false });
    }

    fn push_item(&mut self, item: Item) -> u32 {
        // A batch is bounded far below this.
        let place = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        self.items.push(item);
        place
    }

    fn group(&mut self, conversation: ConversationId) -> usize {
        *self.by_conversation.entry(conversation).or_insert_with(|| {
            self.groups.push(Group {
                conversation,
                address: None,
                items: Vec::new(),
                steps: Vec::new(),
                fired: false,
                received: 0,
            });
            self.groups.len() - 1
        })
    }

    /// Whether an input came through the log.
    pub(super) fn is_entry(&self, item: u32) -> bool {
        matches!(self.items.get(item as usize), Some(Item::Log(_)))
    }

    /// Sets an input aside: an entry of the log becomes a dead letter, anything else is only told.
    pub(super) fn set_aside(&mut self, item: u32, reason: &str, about: Option<(TenantId, ConversationId)>) {
        if let Some(Item::Log(place)) = self.items.get(item as usize) {
            self.set_aside += 1;
            let entry = &self.entries[*place];
            self.dead_letters.push(DeadLetter {
                id: DeadLetterId::derive(&[&self.shard.0.to_le_bytes(), &entry.position.0.to_le_bytes()]),
                shard: self.shard,
                at: self.now,
                reason: reason.to_owned(),
                entry: entry.bytes.clone(),
            });
        }
        tracing::error!(shard = self.shard.0, item, reason, "an input could not be applied");
        let event = Event {
            id: event_id(self.id, item, u32::MAX),
            at: self.now,
            traceparent: None,
            tenant: about.map(|(tenant, _)| tenant),
            conversation: about.map(|(_, conversation)| conversation),
            fact: Fact::DeadLettered { reason: reason.into() },
        };
        self.push_event(&event);
    }

    /// Takes a command out of a group; it is not applied.
    pub(super) fn drop_command(&mut self, place: usize, key: CommandKey, keep_first: bool) {
        let group = &mut self.groups[place];
        let mut keep = keep_first;
        let dropped = |step: &NumberedStep, keep: &mut bool| {
            command_key(&step.step.input) == Some(key) && !std::mem::replace(keep, false)
        };
        let gone: Vec<u32> =
            group.steps.iter().filter(|step| dropped(step, &mut keep)).map(|step| step.item).collect();
        group.steps.retain(|step| !gone.contains(&step.item));
        group.items.retain(|item| !gone.contains(item));
    }

    /// The inputs of a group once more, without some of them.
    pub(super) fn steps_again(&self, group: usize, without: &[u32]) -> Vec<NumberedStep> {
        let items = self.groups[group].items.iter().filter(|item| !without.contains(item));
        items
            .filter_map(|&item| Some(NumberedStep { item, seen_known: false, step: self.step_again(item)? }))
            .collect()
    }

    fn step_again(&self, item: u32) -> Option<Step> {
        let input = match self.items.get(item as usize)? {
            Item::Log(place) => {
                let entry = codec::decode::<Entry>(&self.entries[*place].bytes).ok()?;
                let EntryBody::Conversation { input, .. } = entry.body else { return None };
                let input = Input::Happening(input);
                return Some(Step { input, traceparent: entry.traceparent, already_seen: false });
            }
            Item::Tick => Input::Tick,
            Item::Recover => Input::Recover,
            Item::Claim { message, .. } => Input::Claim { message: *message },
            Item::Outcome { message, outcome } => {
                Input::Outcome { message: *message, outcome: outcome.clone() }
            }
        };
        Some(Step { input, traceparent: None, already_seen: false })
    }
}

impl Group {
    fn push(&mut self, item: u32, step: Step) {
        self.items.push(item);
        self.steps.push(NumberedStep { item, seen_known: false, step });
    }

    /// Tenant and conversation, for whom the tenant is known.
    pub(super) fn about(&self) -> Option<(TenantId, ConversationId)> {
        self.address.as_ref().map(|address| (address.tenant, address.conversation))
    }
}
