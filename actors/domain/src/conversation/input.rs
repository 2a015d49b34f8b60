//! What can be applied to a conversation.

use compact_str::CompactString;
use protocol::entry::Happening;
use protocol::id::MessageId;
use protocol::outbound::Outcome;
use protocol::time::TimestampMs;

use super::{Conversation, inbound};

/// One input with what comes along with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What happens.
    pub input: Input,
    /// Trace of the request that caused it; kept with messages so that the send joins the trace.
    pub traceparent: Option<CompactString>,
    /// The store remembers the provider id of this input from before the conversation's own memory reaches
    /// (see [`super::Conversation::seen_lookup`]).
    pub already_seen: bool,
}

/// What happens to a conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// From the log.
    Happening(Box<Happening>),
    /// Its timer fired: do whatever is due by now.
    Tick,
    /// Its shard was just taken over: offer again whatever waits to be sent, without waiting for its timer.
    Recover,
    /// A send slot is free for this message: claim it, if it may still be sent.
    Claim {
        /// The message.
        message: MessageId,
    },
    /// The POST of a claimed message ended.
    Outcome {
        /// The message.
        message: MessageId,
        /// How.
        outcome: Outcome,
    },
}

/// Identifies an input: ids of what it causes derive from it, so that a repetition causes the same ids.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cause {
    pub(super) hash: u128,
    /// A time that the input brings along.
    pub(super) at: TimestampMs,
}

impl Cause {
    pub(super) fn of(state: &Conversation, input: &Input) -> Self {
        match input {
            Input::Happening(happening) => match happening.as_ref() {
                Happening::Command(command) => Self { hash: command.key.0, at: command.expires_at },
                Happening::Received(message) => {
                    let id = inbound::message_id(state.address.conversation.0, message);
                    Self { hash: id.0, at: message.sent_at }
                }
                _ => Self::default(),
            },
            // Of what a tick does only the reminder sends something: its time identifies it.
            Input::Tick => {
                let at = state.run.as_ref().and_then(|run| run.remind_at).unwrap_or_default();
                Self { hash: u128::from(at.0.unsigned_abs()), at }
            }
            Input::Recover | Input::Claim { .. } | Input::Outcome { .. } => Self::default(),
        }
    }
}
