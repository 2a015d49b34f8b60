//! Users who are away are told what they have not read, each way by a consumer of its own.
//!
//! The notifier makes a user's ways due in the transaction of the notifications. Whoever looks at one asks the pure policy
//! when it is to be told, waits until then, claims it durably and tells it. A claim that nobody settles, since the node died
//! on the way, comes again: so an attempt may tell twice, and there are at most [`crate::limits::TELL_ATTEMPTS`] of them.

mod mail;
mod presence;
mod push;
mod seal;
mod teller;

use domain::directory::TenantDirectory;
use domain::notice::{Letter, Way};
use protocol::directory::User;
use protocol::time::{SpanMs, TimestampMs};
use store::records::Reach;

pub use self::mail::{MailError, MailSettings};
#[cfg(test)]
pub(super) use self::presence::mark as mark_present;
pub(super) use self::presence::{Presence, Present, keep_present};
pub use self::push::{DeviceError, PushError, PushSettings, check_device};
#[cfg(test)]
pub(super) use self::seal::browser::Browser;
pub use self::seal::{KeyError, VapidKey};
use self::teller::Teller;
use super::Shared;
use super::supervised::{ConsumerError, ViewCell};
use crate::metrics::NotificationOutcome;

/// Name of the consumer that writes e-mails.
pub(super) const MAIL: &str = "mail";

/// Name of the consumer that sends push messages.
pub(super) const PUSH: &str = "push";

/// How users who are away are told.
#[derive(Clone, Debug, Default)]
pub struct AwaySettings {
    /// By e-mail, if a server is configured.
    pub mail: Option<MailSettings>,
    /// By push messages to their browsers, if a key is configured.
    pub push: Option<PushSettings>,
    /// Where people look: the address of the console.
    pub link: String,
}

/// Writes e-mails until told to stop; waits for that when no server is configured.
pub(super) async fn run_mail(shared: Shared, view: ViewCell) -> Result<(), ConsumerError> {
    match mail_teller(&shared) {
        Some(teller) => teller?.run(&view).await,
        None => {
            shared.stopped().await;
            Ok(())
        }
    }
}

/// Tells by mail, if a server is configured.
pub(super) fn mail_teller(shared: &Shared) -> Option<Result<Teller<mail::Mailer>, ConsumerError>> {
    let settings = shared.options.away.mail.as_ref()?;
    let mailer = mail::Mailer::new(settings).map_err(|error| ConsumerError::Client(error.into()));
    Some(mailer.map(|mailer| Teller::new(shared.clone(), mailer)))
}

/// Sends push messages until told to stop; waits for that when no key is configured.
pub(super) async fn run_push(shared: Shared, view: ViewCell) -> Result<(), ConsumerError> {
    match push_teller(&shared) {
        Some(teller) => teller?.run(&view).await,
        None => {
            shared.stopped().await;
            Ok(())
        }
    }
}

/// Tells by push, if a key is configured.
pub(super) fn push_teller(shared: &Shared) -> Option<Result<Teller<push::Pusher>, ConsumerError>> {
    let settings = shared.options.away.push.clone()?;
    Some(push::Pusher::new(shared, settings).map(|pusher| Teller::new(shared.clone(), pusher)))
}

/// What is told to whom.
pub(super) struct Notice<'a> {
    reach: &'a Reach,
    user: &'a User,
    letter: Letter,
    /// Where people look.
    link: &'a str,
}

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum Carried {
    /// The user is told.
    Told,
    /// This way leads nowhere any more.
    Gone,
    /// This way will never take this notice.
    Refused(String),
    /// Another time perhaps.
    Failed {
        /// What went wrong.
        error: String,
        /// It would have gone wrong for everybody.
        for_all: bool,
        /// How long it asks to be left alone.
        not_before: SpanMs,
    },
}

impl Carried {
    fn failed(error: impl Into<String>, for_all: bool) -> Self {
        Self::Failed { error: error.into(), for_all, not_before: SpanMs(0) }
    }
}

/// A way to tell somebody.
pub(super) trait Carrier {
    /// Which one.
    const WAY: Way;
    /// How attempts are counted: told, tried again, given up.
    const COUNTED: [NotificationOutcome; 3];

    /// What stays unread for so long is told.
    fn after(&self) -> SpanMs;

    /// Whether this user can and wants to be told this way.
    fn serves(&self, tenant: &TenantDirectory, reach: &Reach) -> bool;

    /// Whether there is room for one more now; takes it.
    fn has_room(&self, now: TimestampMs) -> bool;

    /// Makes one attempt, within bounded time.
    async fn carry(&self, notice: &Notice<'_>, now: TimestampMs) -> Carried;
}
