//! Why the next message is not on its way: for people who ask.

use std::fmt;

use protocol::time::TimestampMs;

use super::outbound::Stage;
use super::{Context, Conversation};

/// What the first message of the queue waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Somebody holds the conversation back.
    Paused,
    /// Somebody holds the number or the whole tenant back.
    NumberPaused,
    /// The number is switched off.
    NumberDisabled,
    /// The provider's limits, or the pause after a failed attempt.
    Until(TimestampMs),
    /// A free send slot of the number.
    Slot,
    /// The provider's approval of its wording.
    Approval {
        /// When it is given up.
        until: TimestampMs,
    },
    /// The provider's answer.
    Answer {
        /// When it is given up.
        until: TimestampMs,
    },
    /// A status: nobody knows whether the provider has it.
    InDoubt {
        /// When it becomes `unknown`.
        until: TimestampMs,
    },
}

impl Conversation {
    /// What the first message of the queue waits for; `None` if nothing waits.
    #[must_use]
    pub fn waiting(&self, context: &Context<'_>) -> Option<Waiting> {
        Some(match self.queue.first()?.stage {
            Stage::Claimed { deadline, in_doubt: true } => Waiting::InDoubt { until: deadline },
            Stage::AwaitingApproval { expires_at, .. } => Waiting::Approval { until: expires_at },
            Stage::Claimed { deadline, in_doubt: false } => Waiting::Answer { until: deadline },
            Stage::Waiting { .. } if self.paused => Waiting::Paused,
            Stage::Waiting { .. } if context.tenant.is_paused(context.number.id) => Waiting::NumberPaused,
            Stage::Waiting { .. } if !context.number.enabled => Waiting::NumberDisabled,
            Stage::Waiting { not_before, .. } => match not_before.max(self.pair.ready_at(context.now)) {
                at if at > context.now => Waiting::Until(at),
                _ => Waiting::Slot,
            },
        })
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paused => f.write_str("sending is paused for this conversation"),
            Self::NumberPaused => f.write_str("sending is paused for this number or for the whole tenant"),
            Self::NumberDisabled => f.write_str("the number is switched off"),
            Self::Until(at) => {
                write!(f, "a limit of the provider or the pause after a failed attempt, until {at}")
            }
            Self::Slot => f.write_str("a free send slot of the number"),
            Self::Approval { until } => write!(f, "the provider's approval of its wording, until {until}"),
            Self::Answer { until } => write!(f, "the provider's answer, until {until}"),
            Self::InDoubt { until } => write!(f, "a status that tells whether it was sent, until {until}"),
        }
    }
}
