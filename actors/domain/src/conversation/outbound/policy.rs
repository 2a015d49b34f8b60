//! What follows from a message that the provider did not take: its code decides, not the HTTP status.

use protocol::time::SpanMs;
use protocol::whatsapp::errors::{RetryPolicy, policy};

use crate::limits::LATER_ATTEMPTS;

/// Outside the window for the provider, whatever we believed (facts 4.2).
const WINDOW_CLOSED: i64 = 131_047;
/// The contact wants no marketing messages (facts 4.2).
pub(in crate::conversation) const MARKETING_STOPPED: i64 = 131_050;

/// What becomes of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Sent again after this.
    Again(SpanMs),
    /// A rule that we did not know of forbids it.
    Refused,
    /// It will not arrive.
    Failed,
}

/// A POST that provably never left: nothing is known against the message, but nobody waits for ever.
pub(super) fn not_sent(attempts: u8) -> Next {
    RetryPolicy::Backoff.pause(u32::from(attempts)).map_or(Next::Failed, Next::Again)
}

/// The provider refused it with a code. Its own wish for a pause wins when it is longer.
pub(super) fn rejected(code: i64, attempts: u8, retry_after_ms: Option<i64>) -> Next {
    if matches!(code, WINDOW_CLOSED | MARKETING_STOPPED) {
        return Next::Refused;
    }
    let asked = SpanMs(retry_after_ms.unwrap_or(0));
    let policy = policy(code);
    if matches!(policy, RetryPolicy::Later(_)) && attempts >= LATER_ATTEMPTS {
        return Next::Failed;
    }
    let pause = policy.pause(u32::from(attempts));
    pause.map_or(Next::Failed, |pause| Next::Again(pause.max(asked)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide() {
        let table = [
            (131_047, 1, None, Next::Refused),
            (131_050, 1, None, Next::Refused),
            (131_026, 1, None, Next::Failed),
            (131_056, 1, None, Next::Again(SpanMs::seconds(1))),
            (131_056, 2, None, Next::Again(SpanMs::seconds(4))),
            (131_056, 3, None, Next::Again(SpanMs::seconds(16))),
            (130_429, 1, Some(30_000), Next::Again(SpanMs::seconds(30))),
            (131_049, 1, None, Next::Again(SpanMs::hours(24))),
            (131_049, LATER_ATTEMPTS, None, Next::Failed),
            (131_000, u8::MAX, None, Next::Failed),
        ];
        for (code, attempts, asked, expected) in table {
            assert_eq!(rejected(code, attempts, asked), expected, "{code}");
        }
    }
}
