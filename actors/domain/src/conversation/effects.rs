//! What follows from an input. The list of fields is the list of everything a conversation can cause; nothing of
//! it happens before the commit of the state that caused it.

use compact_str::CompactString;
use protocol::command::CommandResult;
use protocol::content::{Category, Content};
use protocol::entry::{ContactChange, Identity};
use protocol::fact::Fact;
use protocol::id::{MessageId, NumberId, ProviderId};

/// Collected over one input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// For records, billing, notifications and downstream services, in order.
    pub facts: Vec<Fact>,
    /// Messages that wait for a send slot of the number.
    pub offers: Vec<Offer>,
    /// Claimed messages: to be POSTed once, now.
    pub posts: Vec<Post>,
    /// Messages of which nobody knows whether the provider took them.
    pub in_doubt: Vec<MessageId>,
    /// The answer to the command that was applied.
    pub result: Option<CommandResult>,
    /// Changes that hold for the contact on the tenant's other numbers of the same channel.
    pub siblings: Vec<(NumberId, ContactChange)>,
    /// Other names under which the contact is known now; they lead to this conversation from here on.
    pub aliases: Vec<Identity>,
    /// Hashes of provider ids that left the conversation's own memory.
    pub forgotten: Vec<u64>,
    /// Tell the provider that the contact's newest message was read and that somebody is typing.
    pub typing: Option<ProviderId>,
}

/// A message that waits for a send slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The message.
    pub message: MessageId,
}

/// A claimed message on its way to the provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Post {
    /// Ours; goes out inside the opaque id.
    pub message: MessageId,
    /// Every name of the recipient; the phone number wins where both are known.
    pub to: Identity,
    /// What it is charged as.
    pub category: Category,
    /// What it says.
    pub content: Content,
    /// The message it answers.
    pub reply_to: Option<ProviderId>,
    /// Trace of the request that caused it.
    pub traceparent: Option<CompactString>,
}
