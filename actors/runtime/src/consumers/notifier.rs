//! Owners are told: a row for each user, and a word to whoever streams in this process.

use std::collections::BTreeSet;

use domain::directory::{Directory, TenantDirectory};
use protocol::command::Owner;
use protocol::fact::{Fact, NotificationKind};
use protocol::id::{NotificationId, TenantId, UserId};
use store::records::{Advance, NotificationRecord, NotifyCommit, StoredEvent};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::Shared;
use super::away::Present;
use super::follow::{Follower, Handler};
use super::supervised::{ConsumerError, ViewCell};
use crate::metrics::{FollowerKind, NotificationOutcome};

/// Its name.
pub(super) const NAME: &str = "notifier";

/// Notifies until told to stop.
pub(super) async fn run(shared: Shared, view: ViewCell) -> Result<(), ConsumerError> {
    Follower::new(shared.clone(), Notifier { shared }).await?.run(&view).await
}

/// Stores and spreads notifications.
pub(super) struct Notifier {
    pub(super) shared: Shared,
}

/// What a stream hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A stored notification.
    New(Box<NotificationRecord>),
    /// There may be more than was heard, since the stream was too slow or another node stored them: read on from the
    /// last one that it has, from the records.
    Missed,
}

/// One user's notifications as they are stored. Bounded and lossy: a slow reader hears [`Told::Missed`] and reads
/// the rest from the records.
pub struct NotificationStream {
    told: Receiver<Told>,
    tenant: TenantId,
    user: UserId,
    _present: Present,
}

impl NotificationStream {
    /// As long as it lives the user counts as being there.
    pub(super) fn new(shared: &Shared, tenant: TenantId, user: UserId) -> Self {
        let present = Present::new(&shared.presence, user);
        Self { told: shared.told.subscribe(), tenant, user, _present: present }
    }

    /// The next word for this user; `None` when the consumers have ended.
    pub async fn next(&mut self) -> Option<Told> {
        loop {
            match self.told.recv().await {
                Ok(Told::New(record)) if record.tenant != self.tenant || record.user != self.user => {}
                Ok(told) => return Some(told),
                Err(RecvError::Lagged(_)) => return Some(Told::Missed),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

impl Notifier {
    /// Whether a user is written to when they are away.
    fn writes_to(&self, tenant: &TenantDirectory, user: UserId) -> bool {
        let wishes = tenant.notices.get(&user);
        self.shared.options.away.mail.is_some() && wishes.is_some_and(|wishes| wishes.email)
    }
}

impl Handler for Notifier {
    const NAME: &'static str = NAME;
    const KIND: FollowerKind = FollowerKind::Notifier;

    async fn handle(&mut self, events: &[StoredEvent], advance: Advance) -> Result<(), ConsumerError> {
        let directory = self.shared.options.directory.load_full();
        let (mut notifications, mut mailboxes) = (Vec::new(), BTreeSet::new());
        for stored in events {
            let tenant = stored.event.tenant.and_then(|tenant| directory.tenants.get(&tenant));
            if let Some(tenant) = tenant {
                let told = records(stored, &directory, tenant);
                mailboxes
                    .extend(told.iter().map(|row| row.user).filter(|user| self.writes_to(tenant, *user)));
                notifications.extend(told);
            }
        }
        let count = notifications.len();
        let commit = NotifyCommit { advance, notifications: notifications.clone(), mailboxes };
        self.shared.options.records.notify_commit(commit).await?;
        self.shared.options.metrics.notifications.of(NotificationOutcome::StreamStored).inc_by(count as u64);
        for record in notifications {
            // Fails when nobody listens, which is no fault: everything is in the records.
            let _ = self.shared.told.send(Told::New(Box::new(record)));
        }
        Ok(())
    }
}

/// What a key needs for its user to be told of the tenant's credits.
const SEES_CREDITS: &str = "billing:read";

/// One notification for each user whom an event concerns.
fn records(stored: &StoredEvent, directory: &Directory, tenant: &TenantDirectory) -> Vec<NotificationRecord> {
    let (event, id) = (&stored.event, tenant.tenant.id);
    let (concerned, about, message) = match &event.fact {
        Fact::Notify { owner, about, message } => (users(owner.as_ref(), tenant), *about, *message),
        Fact::CreditsLow { .. } => {
            let mut concerned = directory.users_with(id, SEES_CREDITS, event.at);
            concerned.retain(|user| tenant.users.contains_key(user));
            (concerned, NotificationKind::LowCredits, None)
        }
        _ => return Vec::new(),
    };
    let record = |user: UserId| NotificationRecord {
        seq: stored.seq,
        id: NotificationId::derive(&[&event.id.0.to_le_bytes(), &user.0.to_le_bytes()]),
        tenant: id,
        user,
        about,
        conversation: event.conversation,
        message,
        at: event.at,
        read_at: None,
    };
    concerned.into_iter().map(record).collect()
}

/// The users behind an owner. Unassigned conversations, and those whose owner has nobody left, concern everybody.
fn users(owner: Option<&Owner>, tenant: &TenantDirectory) -> BTreeSet<UserId> {
    let named: BTreeSet<UserId> = match owner {
        None => BTreeSet::new(),
        Some(Owner::User(user)) => BTreeSet::from([*user]),
        Some(Owner::Group(group)) => {
            tenant.groups.get(group).into_iter().flat_map(|group| &group.members).copied().collect()
        }
        Some(Owner::Role(role)) => {
            let with_role = tenant.users.values().filter(|user| user.role == *role);
            with_role.map(|user| user.id).collect()
        }
    };
    // Only the tenant's own users, whatever a group or a command may name.
    let known: BTreeSet<_> = named.into_iter().filter(|user| tenant.users.contains_key(user)).collect();
    if known.is_empty() { tenant.users.keys().copied().collect() } else { known }
}
