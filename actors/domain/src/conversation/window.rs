//! The 24 hours in which free-form messages are allowed.

use protocol::fact::{Fact, NotificationKind};
use protocol::time::{SpanMs, TimestampMs};
use serde::{Deserialize, Serialize};

use super::turn::Turn;
use crate::limits::WINDOW;

/// The window as the contact's messages and calls made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// When it was opened, by the provider's time; kept while messages prolong it.
    pub opened_at: TimestampMs,
    /// When it closes, or closed.
    pub expires_at: TimestampMs,
    /// The owner is to be told this many seconds before it closes; zero once told, or when switched off.
    pub warn_before_seconds: u32,
    /// Its end was announced.
    pub closed: bool,
}

impl Window {
    /// Whether free-form messages are allowed.
    #[must_use]
    pub fn is_open(&self, now: TimestampMs) -> bool {
        now < self.expires_at
    }

    /// When it has to be looked at next.
    #[must_use]
    pub fn deadline(&self) -> Option<TimestampMs> {
        (!self.closed).then(|| self.warn_at())
    }

    /// When the owner is to be told; the end itself if not before.
    fn warn_at(&self) -> TimestampMs {
        self.expires_at - SpanMs::seconds(i64::from(self.warn_before_seconds))
    }
}

/// The contact wrote or called at `at`, by the provider's clock: 24 hours from then. Times from the future
/// count as now; a message that comes late never shortens what a later one opened.
pub(super) fn restart(turn: &mut Turn<'_>, at: TimestampMs) {
    let now = turn.now();
    let at = at.min(now);
    let expires_at = at + WINDOW;
    let before = turn.state.window.as_ref();
    if before.is_some_and(|window| window.expires_at >= expires_at) {
        return;
    }
    let opened_at = match before {
        Some(window) if at < window.expires_at => window.opened_at,
        _ => at,
    };
    let open = now < expires_at;
    // What closes sooner than the owner would be warned is warned of now: a deadline never lies in the past.
    let left_seconds = u32::try_from((expires_at - now).0 / 1_000).unwrap_or(0);
    let warn_before_seconds = turn.settings().window_closing_soon_seconds.min(left_seconds);
    turn.state.window = Some(Window {
        opened_at,
        expires_at,
        warn_before_seconds,
        // A message that arrives after its own 24 hours never opened anything: there is no end to announce.
        closed: !open,
    });
}

/// Announces what became due: the warning, then the end.
pub(super) fn tick(turn: &mut Turn<'_>) {
    let now = turn.now();
    let someone_waits = turn.state.unread > 0;
    let Some(window) = &mut turn.state.window else { return };
    if window.closed {
        return;
    }
    let expires_at = window.expires_at;
    if window.warn_before_seconds > 0 && window.warn_at() <= now {
        window.warn_before_seconds = 0;
        if now < expires_at {
            turn.fact(Fact::WindowClosingSoon { expires_at });
            if someone_waits {
                turn.notify(NotificationKind::WindowClosingSoon, None);
            }
        }
    }
    if now >= expires_at {
        if let Some(window) = &mut turn.state.window {
            window.closed = true;
        }
        turn.fact(Fact::WindowClosed { expired_at: expires_at });
    }
}
