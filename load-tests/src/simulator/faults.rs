//! What goes wrong, by configuration: the first fault whose filter matches and whose chance falls applies to a send.

use serde::{Deserialize, Serialize};

/// One kind of trouble.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// How likely, between 0 and 1.
    #[serde(default = "always")]
    pub probability: f64,
    /// Only for recipients that begin with these digits.
    #[serde(default)]
    pub to: Option<String>,
    /// Only for this message type (`text`, `template` …).
    #[serde(default)]
    pub message_type: Option<String>,
    /// How often it happens at most; for ever when absent.
    #[serde(default)]
    pub times: Option<u32>,
}

fn always() -> f64 {
    1.0
}

impl Fault {
    /// Trouble that always happens.
    #[must_use]
    pub fn always(kind: FaultKind) -> Self {
        Self { kind, probability: 1.0, to: None, message_type: None, times: None }
    }

    /// Whether the filter lets a send through to this fault.
    pub(crate) fn concerns(&self, to: &str, message_type: &str) -> bool {
        self.times != Some(0)
            && self.to.as_deref().is_none_or(|prefix| to.starts_with(prefix))
            && self.message_type.as_deref().is_none_or(|only| only == message_type)
    }
}

/// The trouble itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Refused with this code; nothing was accepted.
    Error(i64),
    /// Accepted, then a `failed` status with this code.
    FailedStatus(i64),
    /// An answer of this HTTP status without a Graph error; nothing was accepted.
    Http(u16),
    /// The connection closes without an answer; nothing was accepted.
    ResetBefore,
    /// Accepted, then the connection closes without an answer.
    AcceptThenReset,
    /// Accepted, but the answer takes this many milliseconds.
    AcceptThenStall(u64),
    /// A template is accepted and held for quality assessment; its statuses come this many milliseconds later.
    Hold(i64),
    /// The same, but then it fails with 132015, and the provider pauses the template.
    HoldThenDrop(i64),
}
