//! What the meter remembers of one conversation. Bounded, and stored between batches.

use compact_str::CompactString;
use protocol::content::{Category, Channel};
use protocol::id::{MessageId, NumberId};
use protocol::phone::ContactKey;
use protocol::pricing::ProviderPricing;
use protocol::time::TimestampMs;
use serde::{Deserialize, Serialize};

use super::charge::{Origin, Rule};
use super::policy::CONVERSATION;
use crate::limits::{METER_BILLED, METER_OPEN, METER_REPORTS};
use crate::market;

/// Version of the stored form.
const VERSION: u8 = 1;

/// What the meter remembers of one conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairState {
    /// The number; `None` until the conversation began.
    pub number: Option<NumberId>,
    /// Its channel.
    pub channel: Option<Channel>,
    /// ISO country of the contact, once known.
    pub market: Option<CompactString>,
    /// When the contact's newest window opened and when it closes, where the rules of the day ask for it.
    pub(super) window: Option<(TimestampMs, TimestampMs)>,
    /// An advertisement brought the contact at this time and was not answered yet.
    pub(super) referral_at: Option<TimestampMs>,
    /// The newest free entry point.
    pub(super) free_entry: Option<FreeEntry>,
    /// Conversations that the tenant's contract counts.
    pub(super) contract: OpenSet,
    /// Conversations that the provider's rules count.
    pub(super) provider: OpenSet,
    /// The newest billed messages, oldest first.
    pub(super) billed: Vec<Billed>,
    /// Messages queued up to here were billed, or are so old that billing them twice is the greater danger.
    pub(super) forgotten_through: TimestampMs,
    /// What the provider said about messages before they were delivered.
    pub(super) reports: Vec<(MessageId, ProviderPricing)>,
}

/// A billed conversation of 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenConversation {
    /// Its category.
    pub category: Category,
    /// How it began.
    pub origin: Origin,
    /// When.
    pub opened_at: TimestampMs,
    /// The message that opened it.
    pub opened_by: MessageId,
}

/// A time in which everything is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FreeEntry {
    pub(super) from: TimestampMs,
    pub(super) until: TimestampMs,
    pub(super) opened_by: MessageId,
}

/// A message that was billed, with what is needed to compare a word of the provider that comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Billed {
    pub(super) message: MessageId,
    pub(super) queued_at: TimestampMs,
    pub(super) category: Category,
    /// The rule of our estimate of the provider's cost.
    pub(super) rule: Rule,
    /// The provider's word is known.
    pub(super) reported: bool,
}

/// Conversations that are open, or were a while ago: reports come late.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OpenSet(Vec<OpenConversation>);

impl OpenSet {
    /// The conversation that a message delivered at `at` belongs to, of one category or of any. A report that comes
    /// late and is older than the conversation belongs to it too: in order, it would have opened that one.
    pub(super) fn find(&self, at: TimestampMs, category: Option<Category>) -> Option<&OpenConversation> {
        let near = |open: &&OpenConversation| {
            let age = at - open.opened_at;
            age < CONVERSATION && age.0 > -CONVERSATION.0
        };
        self.0.iter().rev().filter(near).find(|open| category.is_none_or(|wanted| wanted == open.category))
    }

    pub(super) fn open(&mut self, conversation: OpenConversation) {
        if self.0.len() == METER_OPEN {
            self.0.remove(0);
        }
        self.0.push(conversation);
    }

    pub(super) fn close_all(&mut self) {
        self.0.clear();
    }
}

impl PairState {
    /// Learns who talks with whom.
    pub(super) fn identify(&mut self, number: NumberId, channel: Channel, contact: &ContactKey) {
        self.number = Some(number);
        self.channel = Some(channel);
        self.market = market::of_contact(contact);
    }

    /// Whether a message was billed before, or must be taken to be.
    pub(super) fn was_billed(&self, message: MessageId, queued_at: TimestampMs) -> bool {
        queued_at <= self.forgotten_through || self.billed.iter().any(|billed| billed.message == message)
    }

    pub(super) fn remember(&mut self, billed: Billed) {
        let place = self.billed.partition_point(|other| other.queued_at <= billed.queued_at);
        self.billed.insert(place, billed);
        if self.billed.len() > METER_BILLED {
            self.forgotten_through = self.forgotten_through.max(self.billed.remove(0).queued_at);
        }
    }

    /// Keeps the first word of the provider on a message that was not delivered yet.
    pub(super) fn keep_report(&mut self, message: MessageId, report: ProviderPricing) {
        if self.reports.iter().any(|(known, _)| *known == message) {
            return;
        }
        if self.reports.len() == METER_REPORTS {
            self.reports.remove(0);
        }
        self.reports.push((message, report));
    }

    pub(super) fn take_report(&mut self, message: MessageId) -> Option<ProviderPricing> {
        let place = self.reports.iter().position(|(known, _)| *known == message)?;
        Some(self.reports.remove(place).1)
    }

    /// The stored form.
    ///
    /// # Errors
    /// Never in practice: the types have no form that cannot be written.
    pub fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
        postcard::to_extend(self, vec![VERSION])
    }

    /// Reads the stored form; `None` when it is damaged or of another version.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (&version, rest) = bytes.split_first()?;
        if version == VERSION { postcard::from_bytes(rest).ok() } else { None }
    }
}
