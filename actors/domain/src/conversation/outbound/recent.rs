//! Messages that left the queue: only what their statuses need is kept.

use protocol::content::{Category, ProviderError};
use protocol::fact::{Fact, MessageStatus};
use protocol::id::{MessageId, ProviderId};
use protocol::pricing::ProviderPricing;
use protocol::time::TimestampMs;
use serde::{Deserialize, Serialize};

use super::Outgoing;
use crate::conversation::seen::message_hash;
use crate::conversation::turn::Turn;
use crate::limits::{RECENT, RECENT_FINAL, RECENT_HELD};

/// A message whose statuses are followed. The text is in the records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    /// Our id in bytes: as a number it would be aligned to 16 and cost eight bytes more.
    id: [u8; 16],
    /// Hash of the provider's id; `None` while it is unknown.
    pub provider_hash: Option<[u8; 8]>,
    /// How far it came.
    pub status: MessageStatus,
    /// What it is charged as.
    pub category: Category,
    /// Sent as a template.
    pub template: bool,
    /// The provider's price was passed on.
    pub priced: bool,
    /// When it was accepted for sending.
    pub queued_at: TimestampMs,
}

/// What somebody says about a message that left.
pub(in crate::conversation) struct Report {
    pub(in crate::conversation) status: MessageStatus,
    pub(in crate::conversation) at: TimestampMs,
    pub(in crate::conversation) provider_id: Option<ProviderId>,
    pub(in crate::conversation) pricing: Option<ProviderPricing>,
    pub(in crate::conversation) errors: Vec<ProviderError>,
}

impl Recent {
    /// Ours.
    #[must_use]
    pub fn id(&self) -> MessageId {
        MessageId(u128::from_le_bytes(self.id))
    }

    /// Nothing but a repetition is expected of it.
    fn is_final(&self) -> bool {
        matches!(self.status, MessageStatus::Read | MessageStatus::Failed | MessageStatus::Refused)
    }

    fn is_held(&self) -> bool {
        self.status == MessageStatus::Held
    }

    pub(in crate::conversation) fn is_known_as(&self, provider_id: &ProviderId) -> bool {
        self.provider_hash == Some(message_hash(provider_id.as_str()).to_le_bytes())
    }
}

/// Moves a message out of the queue with a status that we decided ourselves.
pub(in crate::conversation) fn retire(
    turn: &mut Turn<'_>,
    message: &Outgoing,
    status: MessageStatus,
    errors: Vec<ProviderError>,
) {
    let at = turn.now();
    report(turn, message, Report { status, at, provider_id: None, pricing: None, errors });
}

/// Moves a message out of the queue with what was reported about it.
pub(in crate::conversation) fn report(turn: &mut Turn<'_>, message: &Outgoing, report: Report) {
    let recent = Recent {
        id: message.id.0.to_le_bytes(),
        provider_hash: report.provider_id.as_ref().map(|id| message_hash(id.as_str()).to_le_bytes()),
        status: report.status,
        category: message.category,
        template: message.is_template(),
        priced: report.pricing.is_some(),
        queued_at: message.queued_at,
    };
    turn.fact(changed(&recent, report));
    make_room(&mut turn.state.recent);
    turn.state.recent.push(recent);
}

/// The fact that a message has a new status (or, with the same status, a price).
pub(in crate::conversation) fn changed(recent: &Recent, report: Report) -> Fact {
    Fact::StatusChanged {
        message: recent.id(),
        status: recent.status,
        at: report.at,
        provider_id: report.provider_id,
        category: recent.category,
        template: recent.template,
        pricing: report.pricing,
        errors: report.errors,
        queued_at: recent.queued_at,
    }
}

/// Drops the oldest final message beyond their share, or else the oldest when there is no room. What the provider holds
/// back outlives what was sent after it, up to a share: it is what most likely still changes.
fn make_room(recent: &mut Vec<Recent>) {
    let finals = recent.iter().filter(|message| message.is_final()).count();
    let victim = if finals >= RECENT_FINAL {
        recent.iter().position(Recent::is_final)
    } else if recent.len() >= RECENT {
        let held = recent.iter().filter(|message| message.is_held()).count();
        recent.iter().position(|message| !message.is_held() || held > RECENT_HELD)
    } else {
        None
    };
    if let Some(index) = victim {
        recent.remove(index);
    }
    recent.reserve_exact(1);
}
