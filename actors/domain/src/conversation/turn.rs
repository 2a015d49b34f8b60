//! One application of an input: state, context and effects under one name, so that rules stay short.

use compact_str::CompactString;
use protocol::command::{Consent, Mode, Owner, Party};
use protocol::directory::TenantSettings;
use protocol::entry::Identity;
use protocol::fact::{Fact, NotificationKind};
use protocol::id::{MessageId, UserId};
use protocol::phone::ContactKey;
use protocol::time::TimestampMs;

use super::input::Cause;
use super::{Context, Conversation, Effects};
use crate::capability::Capability;

/// What a rule works with.
pub(super) struct Turn<'a> {
    /// Changed by the rules.
    pub(super) state: &'a mut Conversation,
    /// Time and configuration.
    pub(super) context: &'a Context<'a>,
    /// What follows.
    pub(super) effects: &'a mut Effects,
    /// Trace of the request that caused it.
    pub(super) traceparent: Option<CompactString>,
    /// Ids of the messages that it causes derive from it.
    cause: Cause,
    /// Messages that it caused so far.
    caused: u8,
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        state: &'a mut Conversation,
        context: &'a Context<'a>,
        effects: &'a mut Effects,
        traceparent: Option<CompactString>,
        cause: Cause,
    ) -> Self {
        Self { state, context, effects, traceparent, cause, caused: 0 }
    }

    pub(super) fn now(&self) -> TimestampMs {
        self.context.now
    }

    pub(super) fn settings(&self) -> &'a TenantSettings {
        &self.context.tenant.tenant.settings
    }

    pub(super) fn fact(&mut self, fact: Fact) {
        self.effects.facts.push(fact);
    }

    /// Tells the owner, unless the contact is kept apart.
    pub(super) fn notify(&mut self, about: NotificationKind, message: Option<MessageId>) {
        if !self.state.blocked && !self.state.left {
            let owner = self.state.owner.clone();
            let told = self.state.followers().iter().filter(|user| !self.is_of(**user, owner.as_ref()));
            let followers: Vec<_> = told.map(|user| Some(Owner::User(*user))).collect();
            for owner in std::iter::once(owner).chain(followers) {
                self.fact(Fact::Notify { owner, about, message });
            }
        }
    }

    /// Whether a user is told as the owner, or as one of those who own together.
    fn is_of(&self, user: UserId, owner: Option<&Owner>) -> bool {
        let tenant = self.context.tenant;
        match owner {
            None => false,
            Some(Owner::User(owner)) => *owner == user,
            Some(Owner::Group(group)) => {
                tenant.groups.get(group).is_some_and(|group| group.members.contains(&user))
            }
            Some(Owner::Role(role)) => tenant.users.get(&user).is_some_and(|user| user.role == role.as_str()),
        }
    }

    /// Id of the next message that this input causes: the same input always causes the same ids.
    pub(super) fn next_message_id(&mut self) -> MessageId {
        let conversation = self.state.address.conversation.0.to_le_bytes();
        let parts = [&conversation, &b"out"[..], &self.cause.hash.to_le_bytes(), &[self.caused]];
        let id = MessageId::derive_at(self.cause.at, &parts);
        self.caused = self.caused.wrapping_add(1);
        id
    }

    /// The first message or call makes a conversation known to everybody else.
    pub(super) fn start(&mut self, by_contact: bool) {
        if self.state.started {
            return;
        }
        self.state.started = true;
        let address = &self.state.address;
        let fact = Fact::ConversationStarted {
            number: address.number,
            channel: self.context.number.channel,
            contact: address.contact.clone(),
            contact_id: address.contact.contact_id(address.tenant),
            by_contact,
        };
        // Without a phone number as key the user id is an alias of itself: when a message brings both names, the
        // alias tells that a conversation goes by the id already.
        if let ContactKey::Bsuid(bsuid) = &address.contact {
            let identity = Identity { bsuid: Some(bsuid.clone()), ..Identity::default() };
            self.effects.aliases.push(identity);
        }
        self.fact(fact);
    }

    /// Whether the number can send at all.
    pub(super) fn number_sends(&self) -> bool {
        let number = self.context.number;
        number.enabled && number.introduced && Capability::Send.is_supported(number.channel)
    }

    /// Whether anything at all may be sent to this contact from this number.
    pub(super) fn may_speak(&self) -> bool {
        let silenced = self.state.blocked || self.state.left || self.state.consent() == Consent::OptedOut;
        !silenced && self.number_sends()
    }

    /// Switches the mode and says who did it; nothing if it is so already.
    pub(super) fn set_mode(&mut self, mode: Mode, by: Party) {
        if self.state.mode != mode {
            self.state.mode = mode;
            self.fact(Fact::ModeChanged { mode, by });
        }
    }
}
