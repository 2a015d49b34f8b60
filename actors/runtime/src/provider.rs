//! The way out: what a provider adapter does for the runtime. The gateway implements it over HTTP.

use async_trait::async_trait;
use bytes::Bytes;
use compact_str::CompactString;
use protocol::content::{Content, ProviderError};
use protocol::directory::Number;
use protocol::entry::Identity;
use protocol::id::{MediaId, ProviderId, WabaId};
use protocol::outbound::Outcome;
use protocol::whatsapp::template::{Listing, TemplateAnswer, TemplateCall};

/// A claimed message, ready to be POSTed once.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboundMessage {
    /// Every name of the recipient; the phone number wins where both are known.
    pub to: Identity,
    /// What it says.
    pub content: Content,
    /// The message that it answers.
    pub reply_to: Option<ProviderId>,
    /// Our authenticated id ([`protocol::outbound::OpaqueId::seal`]): comes back with every status.
    pub opaque: String,
    /// W3C `traceparent` of the request that caused the message.
    pub traceparent: Option<CompactString>,
}

/// Speaks with the provider of a number. Calls come from several threads.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// POSTs a message exactly once: never repeats it by itself. It must end (the adapter has time-outs), and
    /// says [`Outcome::NotSent`] only when the request provably never left.
    async fn send(&self, number: &Number, message: OutboundMessage) -> Outcome;

    /// Tells the contact that their message was read and that somebody is typing. Best effort.
    async fn show_typing(&self, number: &Number, message: &ProviderId);
}

/// Speaks with the provider about templates, with the credentials of a number of the account.
#[async_trait]
pub trait TemplateProvider: Send + Sync + 'static {
    /// Makes one call about a template. It may be repeated: what has happened is recognised.
    async fn call(&self, number: &Number, account: &WabaId, call: TemplateCall) -> TemplateAnswer;

    /// One page of the account's templates, all or those of a name.
    ///
    /// # Errors
    /// What the provider says instead; code 0 when there was no answer.
    async fn list(
        &self,
        number: &Number,
        account: &WabaId,
        name: Option<&str>,
        after: Option<&str>,
    ) -> Result<Listing, ProviderError>;
}

/// Gives files to the provider of a number, and fetches those that contacts sent to it. Each call may be repeated.
#[async_trait]
pub trait MediaProvider: Send + Sync + 'static {
    /// Uploads a file; answers the provider's id, which lives for 30 days.
    ///
    /// # Errors
    /// What the provider says instead; code 0 when there was no answer.
    async fn upload(&self, number: &Number, mime: &str, content: Bytes) -> Result<MediaId, ProviderError>;

    /// Fetches a file by its id.
    ///
    /// # Errors
    /// Why there is none (yet).
    async fn fetch(&self, number: &Number, media: &MediaId, max_bytes: u64) -> Result<Bytes, FetchError>;
}

/// Why a file could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It will be as large the next time.
    #[error("the file has more than {max_bytes} bytes")]
    TooLarge {
        /// What was allowed.
        max_bytes: u64,
    },
    /// It may work the next time.
    #[error("{0}")]
    Failed(String),
}

/// Looks for viruses.
#[async_trait]
pub trait Scanner: Send + Sync + 'static {
    /// Whether a file is clean.
    ///
    /// # Errors
    /// Why there is no answer.
    async fn scan(&self, mime: &str, content: Bytes) -> Result<bool, String>;
}
