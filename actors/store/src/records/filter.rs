//! Which conversations are wanted: conditions that combine with and, or, not. Saved views store this shape.

use compact_str::CompactString;
use protocol::command::{Mode, Owner, Party};
use protocol::content::Channel;
use protocol::id::{ContactId, ConversationId, NumberId};
use protocol::time::TimestampMs;
use serde::{Deserialize, Serialize};

/// A condition on a conversation. Times are absolute: whoever offers "for three days" subtracts first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Every one of these holds; none given means no condition.
    All(Vec<Filter>),
    /// At least one of these holds.
    Any(Vec<Filter>),
    /// This does not hold.
    Not(Box<Filter>),
    /// One of these conversations.
    Ids(Vec<ConversationId>),
    /// On one of these numbers.
    Numbers(Vec<NumberId>),
    /// With this contact.
    Contact(ContactId),
    /// On this channel.
    Channel(Channel),
    /// In this mode.
    Mode(Mode),
    /// Owned by one of these ("me" is the user with the groups and roles).
    Owners(Vec<Owner>),
    /// Owned by nobody.
    Unowned,
    /// About this vacancy.
    Vacancy(CompactString),
    /// Without a vacancy.
    WithoutVacancy,
    /// With a contact at this stage.
    Stage(CompactString),
    /// In an application flow.
    InFlow,
    /// With messages that nobody at the tenant has read.
    Unread,
    /// With a message for people that nobody answered.
    Unanswered,
    /// The oldest unanswered message came at or before this time.
    UnansweredSince(TimestampMs),
    /// Somebody at the tenant wrote at or after this time.
    AnsweredSince(TimestampMs),
    /// This party wrote in it.
    RepliedBy(Party),
    /// The newest message, in either direction, came at or after this time.
    LastMessageSince(TimestampMs),
    /// The newest message came before this time.
    LastMessageBefore(TimestampMs),
    /// The tenant wrote at or after this time ("all sent today").
    SentSince(TimestampMs),
    /// The window is open at this time.
    WindowOpen(TimestampMs),
    /// The window is closed at this time, or never opened.
    WindowClosed(TimestampMs),
    /// The window is open at `now` and closes at or before `until`.
    WindowCloses {
        /// Open at this time.
        now: TimestampMs,
        /// Closes at or before this time.
        until: TimestampMs,
    },
    /// The contact is blocked.
    Blocked,
    /// The tenant left the chat.
    Left,
    /// Sending is held back.
    Paused,
    /// Words of the contact's name by prefix, in any order, without case and accents; or digits of the phone
    /// number, with or without country code.
    Search(String),
}
