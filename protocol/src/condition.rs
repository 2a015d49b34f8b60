//! Which conversations are wanted, as callers say it: conditions that combine with and, or, not.

use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::command::Mode;
use crate::content::Channel;
use crate::id::{ContactId, NumberId, UserId};
use crate::limits::CONDITION_CHARS;
use crate::text::Line;
use crate::time::TimestampMs;

/// A condition on a conversation: an object with one field, such as `{"unread": true}` or
/// `{"any": [{"owner": "me"}, {"unanswered_for": {"days": 3}}]}`. Spans count back from the moment of the question,
/// and `me` is whoever asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(no_recursion)]
pub enum Condition {
    /// Every one of these holds; none given means no condition.
    All(Vec<Condition>),
    /// At least one of these holds.
    Any(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
    /// Words of the contact's name by prefix in any order, or digits of the phone number.
    #[schema(value_type = Line<{ CONDITION_CHARS }>)]
    Q(String),
    /// On this number.
    NumberId(NumberId),
    /// With this contact.
    ContactId(ContactId),
    /// On this channel.
    Channel(Channel),
    /// In this mode.
    Mode(Mode),
    /// `me` (also by group and role), `none`, a user id, a group id, or a role.
    #[schema(value_type = Line<{ CONDITION_CHARS }>)]
    Owner(String),
    /// `me` or a user id: somebody who wrote in it.
    #[schema(value_type = MeOrUser)]
    RepliedBy(String),
    /// About this vacancy, or `none`.
    #[schema(value_type = Line<{ CONDITION_CHARS }>)]
    Vacancy(String),
    /// With a contact at this stage.
    #[schema(value_type = Line<{ CONDITION_CHARS }>)]
    Stage(String),
    /// With, or without, unread messages.
    Unread(bool),
    /// With, or without, a message that waits for an answer.
    Unanswered(bool),
    /// A message has waited for an answer at least this long.
    UnansweredFor(Span),
    /// Somebody at the tenant answered within this time.
    AnsweredWithin(Span),
    /// The newest message, in either direction, is from within this time.
    LastMessageWithin(Span),
    /// Newest message at or after this time.
    Since(TimestampMs),
    /// Newest message before this time.
    Before(TimestampMs),
    /// The tenant wrote today, in the tenant's time zone.
    SentToday(bool),
    /// State of the 24-hour window.
    Window(WindowState),
    /// The window is open and closes within this time.
    WindowClosesWithin(Span),
    /// An application is under way.
    InFlow(bool),
    /// The contact is blocked. Left out unless a condition asks for it.
    Blocked(bool),
    /// The tenant left the chat.
    Left(bool),
    /// Sending is held back.
    Paused(bool),
}

/// State of the 24-hour window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WindowState {
    /// Free-form may be sent.
    Open,
    /// It may not.
    Closed,
}

/// A span of time, such as `{"days": 3}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// Minutes.
    #[schema(value_type = Count)]
    Minutes(u16),
    /// Hours.
    #[schema(value_type = Count)]
    Hours(u16),
    /// Days of 24 hours.
    #[schema(value_type = Count)]
    Days(u16),
    /// Weeks of seven days.
    #[schema(value_type = Count)]
    Weeks(u16),
    /// Months by the calendar of the tenant.
    #[schema(value_type = Count)]
    Months(u16),
}

/// How the number of a [`Span`] is documented.
pub struct Count;

impl PartialSchema for Count {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(u16::MAX)).into()
    }
}

impl ToSchema for Count {}

/// How `me` or the id of a user is documented.
pub struct MeOrUser;

impl MeOrUser {
    /// Whether text is one of them.
    #[must_use]
    pub fn is(text: &str) -> bool {
        text == "me" || text.parse::<UserId>().is_ok()
    }
}

impl PartialSchema for MeOrUser {
    fn schema() -> RefOr<Schema> {
        let pattern = format!("^(me|{})$", UserId::PATTERN);
        ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).examples(["me"]).into()
    }
}

impl ToSchema for MeOrUser {}

impl Condition {
    /// The conditions that it is made of, itself first.
    #[must_use]
    pub fn parts(&self) -> Vec<&Self> {
        let (mut found, mut next) = (vec![self], 0);
        while let Some(&condition) = found.get(next) {
            next += 1;
            match condition {
                Self::All(parts) | Self::Any(parts) => found.extend(parts),
                Self::Not(part) => found.push(part),
                _ => {}
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d10_conditions_nest() {
        let json =
            r#"{"all":[{"any":[{"owner":"me"},{"replied_by":"me"}]},{"not":{"unanswered_for":{"days":3}}}]}"#;
        let condition: Condition = serde_json::from_str(json).unwrap();
        assert_eq!(condition.parts().len(), 6);
        assert_eq!(serde_json::to_string(&condition).unwrap(), json);
        assert!(serde_json::from_str::<Condition>(r#"{"colour":"red"}"#).is_err());
    }
}
