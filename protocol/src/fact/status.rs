//! How far a message has come, and which way it may go on.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far a message of ours has come. It moves only forward; [`MessageStatus::may_become`] is the lattice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// Waits for its turn.
    Queued,
    /// Waits for the provider to approve its template.
    AwaitingApproval,
    /// Claimed: the POST is under way, or its outcome is in doubt.
    Claimed,
    /// The provider took it.
    Sent,
    /// Reached the device.
    Delivered,
    /// Seen.
    Read,
    /// Will not arrive.
    Failed,
    /// Nobody knows whether it was sent; a person decides.
    Unknown,
    /// Not sent because of a rule (opted out, window closed) that began to hold while it waited.
    Refused,
    /// The provider took it and holds it back until it knows how people like the template; it sends it then, or drops it.
    Held,
}

impl MessageStatus {
    /// Name in the API and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Claimed => "claimed",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
            Self::Held => "held",
        }
    }

    /// Whether a message may move from `self` to `next`. Statuses arrive late, doubled and out of order:
    /// `delivered` may be skipped when the chat is open, and may follow `failed` (several devices).
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        self.rank() < next.rank()
    }

    /// Height in the lattice. `Failed` is above `Sent` but below `Delivered`: what a person has received
    /// was not lost, whatever another device reported. `Unknown` is resolved by anything the provider says. `Held` is as
    /// high: no status of the provider says it, only its answer.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::AwaitingApproval => 0,
            Self::Queued => 1,
            Self::Claimed => 2,
            Self::Unknown | Self::Held => 3,
            Self::Sent => 4,
            Self::Refused => 5,
            Self::Failed => 6,
            Self::Delivered => 7,
            Self::Read => 8,
        }
    }
}
