//! E-mails, over SMTP.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use domain::directory::TenantDirectory;
use domain::notice::Way;
use lettre::address::AddressError;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error as SmtpError;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use parking_lot::Mutex;
use protocol::time::{SpanMs, TimestampMs};
use store::records::Reach;

use super::{Carried, Carrier, Notice};
use crate::consumers::supervised::with_sources;
use crate::limits::{MAIL_TIMEOUT, MAIL_WITHIN};
use crate::metrics::NotificationOutcome;

/// The server that takes e-mails, and what is sent over it.
#[derive(Clone)]
pub struct MailSettings {
    /// `smtps://user:password@host`, `smtp://…?tls=required`, or `smtp://…` without encryption.
    pub url: String,
    /// What mails come from: an address, or a name and an address.
    pub from: String,
    /// Mails that leave at most.
    pub max_per_minute: NonZeroU32,
    /// What stays unread for so long is told.
    pub after: SpanMs,
}

impl std::fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address has a password.
        f.debug_struct("MailSettings").field("from", &self.from).finish_non_exhaustive()
    }
}

/// Why nothing can be sent with some settings.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The address of the server.
    #[error("must be smtps://user:password@host:port, or smtp://… with ?tls=required at its end")]
    Url(#[source] SmtpError),
    /// The sender.
    #[error("must be an e-mail address, such as Gateway <gateway@example.com>")]
    From(#[source] AddressError),
}

impl MailSettings {
    /// Whether mails can be made and sent with these.
    ///
    /// # Errors
    /// Says which of them cannot be used.
    pub fn check(&self) -> Result<(), MailError> {
        Mailer::new(self).map(drop)
    }
}

/// Sends mails.
pub(in crate::consumers) struct Mailer {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    max_per_minute: usize,
    /// When the latest mails left, as many as may leave in a minute.
    sent: Mutex<VecDeque<TimestampMs>>,
    after: SpanMs,
}

impl Mailer {
    pub(super) fn new(settings: &MailSettings) -> Result<Self, MailError> {
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(&settings.url).map_err(MailError::Url)?;
        Ok(Self {
            server: server.timeout(Some(MAIL_TIMEOUT)).build(),
            from: settings.from.parse().map_err(MailError::From)?,
            max_per_minute: settings.max_per_minute.get() as usize,
            sent: Mutex::default(),
            after: settings.after,
        })
    }

    /// All attempts at one notice have the same id, so that a mailbox which got two of them can show one.
    fn message(&self, notice: &Notice<'_>) -> Result<Message, String> {
        let address =
            notice.user.email.parse().map_err(|_| "the user has no usable e-mail address".to_owned())?;
        let to = Mailbox::new(Some(notice.user.name.clone()).filter(|name| !name.is_empty()), address);
        let id = format!("<{}.{}@{}>", notice.reach.id, notice.reach.told.0, self.from.email.domain());
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let letter = &notice.letter;
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(letter.subject.clone())
            .message_id(Some(id))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .header(lettre::message::header::ContentType::TEXT_PLAIN)
            .body(format!("{}\n\n{}\n\n{}\n", letter.summary, notice.link, letter.why))
            .map_err(|error| error.to_string())
    }
}

impl Carrier for Mailer {
    const WAY: Way = Way::Mail;
    const COUNTED: [NotificationOutcome; 3] =
        [NotificationOutcome::MailTaken, NotificationOutcome::MailRetried, NotificationOutcome::MailGivenUp];

    fn after(&self) -> SpanMs {
        self.after
    }

    fn serves(&self, tenant: &TenantDirectory, reach: &Reach) -> bool {
        tenant.notices.get(&reach.user).is_some_and(|wishes| wishes.email)
    }

    fn has_room(&self, now: TimestampMs) -> bool {
        let mut sent = self.sent.lock();
        if sent.len() >= self.max_per_minute {
            if sent.front().is_some_and(|first| now - *first < SpanMs::minutes(1)) {
                return false;
            }
            sent.pop_front();
        }
        sent.push_back(now);
        true
    }

    async fn carry(&self, notice: &Notice<'_>, _: TimestampMs) -> Carried {
        let message = match self.message(notice) {
            Ok(message) => message,
            Err(error) => return Carried::Refused(error),
        };
        match tokio::time::timeout(MAIL_WITHIN, self.server.send(message)).await {
            Ok(Ok(_)) => Carried::Told,
            Ok(Err(error)) => judge(&error),
            Err(_) => Carried::failed("the mail server did not answer in time", true),
        }
    }
}

/// What an error says: about this mailbox, or about the server. A server that refuses our credentials, or does not answer, would
/// refuse everybody; one that refuses a mailbox or a message for good says so with 550 to 554.
fn judge(error: &SmtpError) -> Carried {
    let text = with_sources(error);
    match error.status().map(|code| code.to_string()).as_deref() {
        Some("550" | "551" | "552" | "553" | "554") => Carried::Refused(text),
        Some("450" | "451" | "452") => Carried::failed(text, false),
        _ => Carried::failed(text, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d12_servers_with_tls_are_taken_and_other_schemes_are_not() {
        let check = |url: &str, from: &str| {
            let (url, from) = (url.to_owned(), from.to_owned());
            MailSettings { url, from, max_per_minute: NonZeroU32::MIN, after: SpanMs(0) }.check()
        };
        for url in [
            "smtps://user:p%40ss@mail.example",
            "smtp://user:secret@mail.example:587?tls=required",
            "smtp://localhost",
        ] {
            assert!(check(url, "Gateway <gateway@example.com>").is_ok(), "{url}");
        }
        for url in ["", "mail.example", "https://mail.example", "smtp://mail.example?tls=maybe"] {
            assert!(matches!(check(url, "gateway@example.com"), Err(MailError::Url(_))), "{url}");
        }
        assert!(matches!(check("smtp://localhost", "gateway"), Err(MailError::From(_))));
    }
}
