//! What a fact makes of messages.

use protocol::command::Party;
use protocol::content::{Content, ProviderError};
use protocol::entry::ProviderStatus;
use protocol::fact::{Event, Fact, MessageStatus};
use protocol::id::{ConversationId, MessageId, ProviderId};
use protocol::pricing::ProviderPricing;
use protocol::time::TimestampMs;

use super::super::{Direction, EventSeq, MessageRecord};
use super::Batch;

/// What became known of a message: merged into the row, whose status only moves forward.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct MessageChange {
    /// How far it has come.
    pub(in super::super) status: MessageStatus,
    /// Time of the status.
    pub(in super::super) at: TimestampMs,
    /// The provider's id, if known.
    pub(in super::super) provider_id: Option<ProviderId>,
    /// What the provider charges, if it says so.
    pub(in super::super) pricing: Option<ProviderPricing>,
    /// Why it failed.
    pub(in super::super) errors: Vec<ProviderError>,
}

impl MessageChange {
    /// Adds a later change.
    fn merge(&mut self, next: Self) {
        if self.status.may_become(next.status) {
            (self.status, self.at, self.errors) = (next.status, next.at, next.errors);
        }
        self.provider_id = self.provider_id.take().or(next.provider_id);
        self.pricing = next.pricing.or_else(|| self.pricing.take());
    }

    fn apply(self, row: &mut MessageRecord) {
        if row.status.is_none_or(|status| status.may_become(self.status)) {
            (row.status, row.status_at, row.errors) = (Some(self.status), Some(self.at), self.errors);
        }
        row.provider_id = row.provider_id.take().or(self.provider_id);
        row.pricing = self.pricing.or_else(|| row.pricing.take());
    }
}

impl Batch {
    /// Takes in what an event says about messages.
    pub(super) fn message(&mut self, conversation: ConversationId, (seq, event): (EventSeq, &Event)) {
        match &event.fact {
            Fact::MessageReceived { .. } | Fact::MessageQueued { .. } | Fact::ApprovalAwaited { .. } => {
                if let Some(row) = of_event(event)
                    && !self.message_index.contains_key(&row.id)
                {
                    self.message_index.insert(row.id, self.messages.len());
                    self.messages.push((seq, row));
                }
            }
            Fact::AttemptFailed { message, attempt, .. } => self.attempts.push((*message, attempt.clone())),
            Fact::StatusChanged { message, status, at, provider_id, pricing, errors, .. } => {
                let change = MessageChange {
                    status: *status,
                    at: *at,
                    provider_id: provider_id.clone(),
                    pricing: pricing.clone(),
                    errors: errors.clone(),
                };
                self.change_message(*message, change);
            }
            Fact::StatusUnmatched { message, .. } => {
                let Some(change) = unmatched(&event.fact) else { return };
                match message {
                    Some(message) => self.change_message(*message, change),
                    None => self.unnamed_changes.push((conversation, change)),
                }
            }
            _ => {}
        }
    }

    /// The messages as they are after all events of their conversation.
    pub(in super::super) fn into_messages(self) -> Vec<MessageRecord> {
        let mut messages: Vec<_> = self.messages.into_iter().map(|(_, row)| row).collect();
        for (conversation, change) in self.unnamed_changes {
            let named = messages.iter_mut().find(|row| {
                row.conversation == conversation
                    && row.direction == Direction::Outbound
                    && row.provider_id == change.provider_id
            });
            if let Some(row) = named {
                change.apply(row);
            }
        }
        messages
    }

    fn change_message(&mut self, message: MessageId, change: MessageChange) {
        if let Some(&index) = self.message_index.get(&message) {
            if let Some((_, row)) = self.messages.get_mut(index)
                && row.direction == Direction::Outbound
            {
                change.apply(row);
            }
        } else if let Some(earlier) = self.message_changes.get_mut(&message) {
            earlier.merge(change);
        } else {
            self.message_changes.insert(message, change);
        }
    }
}

/// The message that an event brings, as it is then.
pub(in super::super) fn of_event(event: &Event) -> Option<MessageRecord> {
    let (tenant, conversation) = (event.tenant?, event.conversation?);
    let new = |id: MessageId, content: &Content, reply_to: &Option<ProviderId>| MessageRecord {
        id,
        tenant,
        conversation,
        direction: Direction::Inbound,
        sender: Party::Contact,
        content: content.clone(),
        reply_to: reply_to.clone(),
        at: event.at,
        status: None,
        status_at: None,
        provider_id: None,
        category: None,
        pricing: None,
        errors: Vec::new(),
        blocked: false,
        attachment: None,
        attempts: Vec::new(),
    };
    match &event.fact {
        Fact::MessageReceived { content: Content::Erased, .. }
        | Fact::MessageQueued { content: Content::Erased, .. }
        | Fact::ApprovalAwaited { content: Content::Erased, .. } => None,
        Fact::MessageReceived { message, provider_id, sent_at, content, reply_to, blocked, .. } => {
            Some(MessageRecord {
                at: *sent_at,
                provider_id: Some(provider_id.clone()),
                blocked: *blocked,
                ..new(*message, content, reply_to)
            })
        }
        Fact::MessageQueued { message, by, content, category, reply_to }
        | Fact::ApprovalAwaited { message, by, content, category, reply_to, .. } => Some(MessageRecord {
            direction: Direction::Outbound,
            sender: *by,
            status: Some(match event.fact {
                Fact::ApprovalAwaited { .. } => MessageStatus::AwaitingApproval,
                _ => MessageStatus::Queued,
            }),
            status_at: Some(event.at),
            category: Some(*category),
            ..new(*message, content, reply_to)
        }),
        _ => None,
    }
}

fn unmatched(fact: &Fact) -> Option<MessageChange> {
    let Fact::StatusUnmatched { provider_id, status, at, pricing, errors, .. } = fact else { return None };
    let status = match status {
        ProviderStatus::Sent => MessageStatus::Sent,
        ProviderStatus::Delivered => MessageStatus::Delivered,
        ProviderStatus::Read | ProviderStatus::Played => MessageStatus::Read,
        ProviderStatus::Failed => MessageStatus::Failed,
    };
    Some(MessageChange {
        status,
        at: *at,
        provider_id: Some(provider_id.clone()),
        pricing: pricing.clone(),
        errors: errors.clone(),
    })
}
