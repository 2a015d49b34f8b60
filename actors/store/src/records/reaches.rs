//! Telling users who are away: by mail, and by push to their browsers.

use async_trait::async_trait;
use domain::notice::Way;
use protocol::fact::NotificationKind;
use protocol::id::{DeviceId, TenantId, UserId};
use protocol::time::TimestampMs;
use serde::{Deserialize, Serialize};

use super::{EventSeq, RecordsResult};

/// A way to reach a user who is away, and what was told that way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The user's for the mailbox, derived from the address for a browser.
    pub id: DeviceId,
    /// Whose user.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
    /// The browser; `None` for the mailbox.
    pub device: Option<Device>,
    /// Since when.
    pub created_at: TimestampMs,
    /// Notifications up to and including this place were told.
    pub told: EventSeq,
    /// When it is looked at next; `None` while there is nothing to tell.
    pub next_at: Option<TimestampMs>,
    /// Attempts to tell what is next, made or under way.
    pub attempts: u32,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// A browser that takes push messages.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Where messages go. Whoever knows it can send there.
    pub endpoint: String,
    /// The browser's public key, base64url.
    pub p256dh: String,
    /// What authenticates messages to it, base64url.
    pub auth: String,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Device(…)")
    }
}

/// What a user has neither read nor been told one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    /// How many notifications about what.
    pub counts: Vec<(NotificationKind, u64)>,
    /// In how many conversations.
    pub conversations: u64,
    /// When the first one came.
    pub oldest: TimestampMs,
    /// Place of the last one.
    pub newest: EventSeq,
    /// Until when the user counts as being there.
    pub present_until: Option<TimestampMs>,
}

/// What became of looking at a reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Everything was read meanwhile.
    Nothing,
    /// It is too early: look again then.
    Later(TimestampMs),
    /// Told, up to and including this place.
    Told(EventSeq),
    /// It did not work; again at a time.
    Failed {
        /// When.
        at: TimestampMs,
        /// What went wrong.
        error: String,
    },
    /// It did not work and will not: what comes after this place is told again.
    GivenUp {
        /// The place.
        through: EventSeq,
        /// Why.
        error: String,
    },
}

/// Ways to reach users who are away. New notifications make them due in [`super::Notifications::notify_commit`].
#[async_trait]
pub trait Reaches: Send + Sync + 'static {
    /// Those of one way to look at by now, earliest first.
    async fn reaches_due(&self, way: Way, now: TimestampMs, limit: usize) -> RecordsResult<Vec<Reach>>;

    /// What one has to tell; `None` when everything was read.
    async fn untold(&self, reach: &Reach) -> RecordsResult<Option<Untold>>;

    /// Takes one for an attempt, until a time: of several nodes that try, one gets it. It comes again then if nobody
    /// settles it before.
    async fn claim_reach(&self, reach: &Reach, until: TimestampMs) -> RecordsResult<bool>;

    /// Says what became of one. Notifications that came meanwhile make it due again.
    async fn settle_reach(&self, id: DeviceId, settled: Settled) -> RecordsResult<()>;

    /// Looks at every way to reach a user again, since other wishes may hold.
    async fn wake_reaches(&self, user: UserId, now: TimestampMs) -> RecordsResult<()>;

    /// Says until when users count as being there.
    async fn mark_present(&self, users: Vec<UserId>, until: TimestampMs) -> RecordsResult<()>;

    /// A user's browsers, oldest first.
    async fn devices(&self, tenant: TenantId, user: UserId) -> RecordsResult<Vec<Reach>>;

    /// Adds a browser, durably. A known one goes to this user with these keys; of too many the oldest goes
    /// ([`super::limits::MAX_DEVICES_PER_USER`]). What was told before is not told there.
    async fn add_device(
        &self,
        tenant: TenantId,
        user: UserId,
        device: Device,
        now: TimestampMs,
    ) -> RecordsResult<DeviceId>;

    /// Removes a user's browser, durably. `false` if there is none.
    async fn remove_device(&self, tenant: TenantId, user: UserId, id: DeviceId) -> RecordsResult<bool>;

    /// Forgets a way that leads nowhere any more.
    async fn forget_reach(&self, id: DeviceId) -> RecordsResult<()>;

    /// Forgets every way to reach a user, durably.
    async fn forget_user(&self, user: UserId) -> RecordsResult<()>;
}
