//! Messages on their way out: queued → claimed → sent, refused, failed or unknown. One is under way at a time.

mod approval;
mod claim;
mod deadline;
mod outcome;
mod policy;
mod queue;
mod recent;
mod refuse;

pub(super) use approval::hold;
pub(super) use claim::claim;
pub(super) use deadline::{deadline, tick};
pub(super) use outcome::{outcome, recover};
pub(super) use policy::MARKETING_STOPPED;
pub(super) use queue::{NewMessage, enqueue, enqueue_if_room, offer_now, settle, take, take_head};
pub(super) use recent::{Report, changed, report};
pub(super) use refuse::{forget, refuse_all, refuse_everything};

pub use recent::Recent;

use compact_str::CompactString;
use protocol::command::Party;
use protocol::content::{Category, Content};
use protocol::id::{MessageId, ProviderId};
use protocol::time::TimestampMs;
use serde::{Deserialize, Serialize};

/// A message that waits or is under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    /// Ours.
    pub id: MessageId,
    /// Who sends it.
    pub by: Party,
    /// What it says.
    pub content: Content,
    /// What it will be charged as.
    pub category: Category,
    /// The message it answers.
    pub reply_to: Option<ProviderId>,
    /// When it was accepted for sending.
    pub queued_at: TimestampMs,
    /// POSTs so far.
    pub attempts: u8,
    /// Where it is.
    pub stage: Stage,
    /// Confirms an opt-out: the one message that a contact gets after it.
    pub confirms_opt_out: bool,
    /// Trace of the request that caused it.
    pub traceparent: Option<CompactString>,
}

/// Where a message of the queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// For its turn.
    Waiting {
        /// Not to be sent earlier.
        not_before: TimestampMs,
        /// When it is offered (again), once it is first in the queue.
        offer_at: TimestampMs,
    },
    /// The POST is under way, or nobody knows how it ended.
    Claimed {
        /// When it becomes `unknown`.
        deadline: TimestampMs,
        /// The POST ended without an answer.
        in_doubt: bool,
    },
    /// For the provider to approve its wording.
    AwaitingApproval {
        /// When the template is looked at next.
        look_at: TimestampMs,
        /// When it is given up.
        expires_at: TimestampMs,
    },
}

impl Outgoing {
    /// Sent as an approved template: allowed outside the window.
    #[must_use]
    pub fn is_template(&self) -> bool {
        matches!(self.content, Content::Template(_))
    }

    /// When it may be sent, while it waits.
    #[must_use]
    pub fn not_before(&self) -> Option<TimestampMs> {
        match self.stage {
            Stage::Waiting { not_before, .. } => Some(not_before),
            Stage::Claimed { .. } | Stage::AwaitingApproval { .. } => None,
        }
    }

    /// Whether it waits for its wording to be approved.
    #[must_use]
    pub fn awaits_approval(&self) -> bool {
        matches!(self.stage, Stage::AwaitingApproval { .. })
    }

    /// Whether its POST is under way or in doubt.
    #[must_use]
    pub fn is_claimed(&self) -> bool {
        matches!(self.stage, Stage::Claimed { .. })
    }
}
