//! What was promised against what is there: acknowledged messages, read back through the API, and the provider's
//! ledger.

mod compare;
mod readback;

use std::collections::{BTreeMap, HashMap};

pub use self::compare::Damage;
pub(crate) use self::compare::compare;
pub(crate) use self::readback::{Found, read};

/// Texts of sends begin with this and go on with something that no other send has: a POST is told by its text, should
/// its opaque id be missing.
pub(crate) const UNIQUE_TEXT: &str = "unique send";

/// What was acknowledged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Promises {
    /// Inbound messages by their provider id.
    pub(crate) inbound: HashMap<String, Span>,
    /// Ids of the messages that the API took.
    pub(crate) sends: Vec<String>,
    /// Of messages of ours, by the provider's id: how far their acknowledged statuses go, see [`rank`].
    pub(crate) statuses: HashMap<String, u8>,
}

/// From the sending of a request to its answer, in any unit that grows. What was sent after another was acknowledged
/// comes after it; what was under way together may come in either order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) sent: u64,
    pub(crate) acknowledged: u64,
}

impl Promises {
    pub(crate) fn add(&mut self, other: Self) {
        self.inbound.extend(other.inbound);
        self.sends.extend(other.sends);
        for (id, rank) in other.statuses {
            let known = self.statuses.entry(id).or_default();
            *known = rank.max(*known);
        }
    }
}

/// Outbound messages by status.
type ByStatus = BTreeMap<String, usize>;

/// A status never moves backwards.
pub(crate) fn rank(status: &str) -> u8 {
    match status {
        "sent" => 1,
        "delivered" => 2,
        "read" | "played" => 3,
        _ => 0,
    }
}
