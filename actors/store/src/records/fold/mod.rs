//! What facts make of the records, without any SQL: rows that a batch touches are loaded, folded here, and
//! written back once, however many facts concern them.

mod contact;
mod conversation;
mod message;
mod preview;
mod trail;

use std::collections::BTreeMap;

use protocol::command::ConsentRecord;
use protocol::content::Channel;
use protocol::fact::{Event, Fact};
use protocol::id::{ContactId, ConversationId, MessageId, TenantId};
use protocol::outbound::Attempt;

use super::{AuditEntry, ContactRecord, ConversationRecord, EventSeq, MessageRecord};

pub(super) use contact::{card_changes, search_words};
pub(super) use message::{MessageChange, of_event as message_of};

/// An inbox row. Events change it whatever its contact is called.
pub(super) type Row = ConversationRecord<ContactId>;

/// A row with what the store has to do about it.
#[derive(Debug)]
pub(super) struct Slot<T> {
    /// As it will be.
    pub(super) row: T,
    /// What to do.
    pub(super) write: Write,
}

/// What the store has to do about a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Write {
    /// Nothing.
    Keep,
    /// Insert it.
    Insert,
    /// Update all of it.
    Update,
    /// Update what messages change: a conversation that stays with its owner, mode and vacancy.
    UpdateTalk,
}

impl<T> Slot<T> {
    /// A row as the store has it.
    pub(super) const fn loaded(row: T) -> Self {
        Self { row, write: Write::Keep }
    }

    const fn new(row: T) -> Self {
        Self { row, write: Write::Insert }
    }

    /// The row, to be changed.
    fn change(&mut self) -> &mut T {
        if self.write != Write::Insert {
            self.write = Write::Update;
        }
        &mut self.row
    }

    /// The row, to be changed in what messages change.
    fn talk(&mut self) -> &mut T {
        if self.write == Write::Keep {
            self.write = Write::UpdateTalk;
        }
        &mut self.row
    }
}

/// A contact with the search words that the store has for it.
#[derive(Debug)]
pub(super) struct ContactSlot {
    /// The row.
    pub(super) slot: Slot<ContactRecord>,
    /// Words before the batch.
    pub(super) words_before: Vec<String>,
}

impl ContactSlot {
    /// A contact as the store has it.
    pub(super) fn loaded(row: ContactRecord) -> Self {
        Self { words_before: search_words(&row), slot: Slot::loaded(row) }
    }
}

/// Everything that a batch of facts changes. Ordered maps: rows are written in key order, which databases like.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Inbox rows.
    pub(super) conversations: BTreeMap<ConversationId, Slot<Row>>,
    /// Contacts.
    pub(super) contacts: BTreeMap<ContactId, ContactSlot>,
    /// New messages, in order, with the place of their event.
    pub(super) messages: Vec<(EventSeq, MessageRecord)>,
    /// Where a message of this batch stands in `messages`.
    message_index: BTreeMap<MessageId, usize>,
    /// Changes of messages from before this batch.
    pub(super) message_changes: BTreeMap<MessageId, MessageChange>,
    /// The same, for messages that only the provider's id names.
    pub(super) unnamed_changes: Vec<(ConversationId, MessageChange)>,
    /// Attempts that failed.
    pub(super) attempts: Vec<(MessageId, Attempt)>,
    /// Latest consents.
    pub(super) consents: BTreeMap<(ContactId, Channel), (TenantId, ConsentRecord)>,
    /// Audit lines with the place of their event.
    pub(super) audit: Vec<(EventSeq, AuditEntry)>,
}

impl Batch {
    /// The inbox row that an event changes, if it changes one: to be loaded before [`Self::fold`].
    pub(super) fn wanted_conversation(event: &Event) -> Option<ConversationId> {
        let unchanged = matches!(
            event.fact,
            Fact::StatusChanged { .. }
                | Fact::StatusUnmatched { .. }
                | Fact::AttemptFailed { .. }
                | Fact::Notify { .. }
                | Fact::CommandRefused { .. }
                | Fact::WindowClosingSoon { .. }
                | Fact::WindowClosed { .. }
                | Fact::FlowReminded { .. }
                | Fact::Account(_)
                | Fact::DeadLettered { .. }
                | Fact::ConsentRecorded { .. }
                | Fact::ContactErased { .. }
                | Fact::FollowChanged { .. }
        );
        if unchanged { None } else { event.conversation }
    }

    /// Takes one event in. Events of unknown tenants are only stored.
    pub(super) fn fold(&mut self, seq: EventSeq, event: &Event) {
        let Some(tenant) = event.tenant else { return };
        if let Some(line) = trail::line(tenant, event) {
            self.audit.push((seq, line));
        }
        let Some(conversation) = event.conversation else { return };
        self.begin(tenant, conversation, event);
        self.message(conversation, (seq, event));
        self.contact(tenant, conversation, event);
        if let Some(slot) = self.conversations.get_mut(&conversation) {
            conversation::fold(slot, event);
        }
    }

    fn begin(&mut self, tenant: TenantId, id: ConversationId, event: &Event) {
        let Fact::ConversationStarted { number, channel, contact, contact_id, .. } = &event.fact else {
            return;
        };
        if !contact.names_somebody() {
            return; // erased since
        }
        self.met(tenant, (*contact_id, contact), event.at);
        self.conversations.entry(id).or_insert_with(|| {
            Slot::new(conversation::new((id, tenant), (*number, *channel), *contact_id, event.at))
        });
    }
}
