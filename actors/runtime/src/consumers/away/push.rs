//! Push messages to browsers (RFC 8030), sealed and signed.

use std::sync::Arc;

use domain::directory::TenantDirectory;
use domain::notice::Way;
use protocol::time::{SpanMs, TimestampMs};
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde_json::json;
use store::records::{Device, Reach};

use super::seal::{KeyError, Recipient, VapidKey};
use super::{Carried, Carrier, Notice};
use crate::consumers::endpoints::{EndpointSettings, PublicOnly, host_is_public, redirects, retry_after};
use crate::consumers::supervised::with_sources;
use crate::consumers::{ConsumerError, Shared};
use crate::limits::{PUSH_ENDPOINT_BYTES, PUSH_TOPIC, PUSH_TTL_SECONDS, PUSH_WITHIN};
use crate::metrics::NotificationOutcome;

/// Who sends push messages, and when.
#[derive(Clone)]
pub struct PushSettings {
    /// 32 bytes in base64url.
    pub private_key: String,
    /// `mailto:` or `https:`: whom a push service may ask.
    pub subject: String,
    /// What stays unread for so long is told.
    pub after: SpanMs,
}

impl std::fmt::Debug for PushSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PushSettings").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Why nothing can be pushed with some settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The private key.
    #[error("must be 32 bytes in base64url: `gateway push-key` draws one")]
    PrivateKey,
    /// The subject.
    #[error("must be mailto:address or https://…, whom a push service may ask")]
    Subject,
}

impl PushSettings {
    /// The key that is meant.
    ///
    /// # Errors
    /// Says which of the settings cannot be used.
    pub fn check(&self) -> Result<VapidKey, PushError> {
        let key = VapidKey::read(&self.private_key).ok_or(PushError::PrivateKey)?;
        let known = self.subject.strip_prefix("mailto:").is_some_and(|address| address.contains('@'))
            || self.subject.starts_with("https://");
        if known { Ok(key) } else { Err(PushError::Subject) }
    }
}

/// What is wrong with a browser's subscription.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The address.
    #[error("must be the https:// address of a push service")]
    Endpoint,
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
}

/// Whether a browser can be reached. Private addresses are refused unless endpoints may have them.
///
/// # Errors
/// Says what is wrong.
pub fn check_device(device: &Device, allow_private: bool) -> Result<(), DeviceError> {
    place(device, allow_private).map(drop)
}

/// Where a browser is reached, and what messages to it are sealed with.
fn place(device: &Device, allow_private: bool) -> Result<(Url, Recipient), DeviceError> {
    let url = Url::parse(&device.endpoint).map_err(|_| DeviceError::Endpoint)?;
    let safe = url.scheme() == "https" && host_is_public(&url);
    if device.endpoint.len() > PUSH_ENDPOINT_BYTES || url.host().is_none() || !(safe || allow_private) {
        return Err(DeviceError::Endpoint);
    }
    Ok((url, Recipient::new(&device.p256dh, &device.auth)?))
}

/// Sends push messages. One client for all services: connections are kept.
pub(in crate::consumers) struct Pusher {
    client: Client,
    key: VapidKey,
    settings: PushSettings,
    allow_private: bool,
}

impl Pusher {
    pub(super) fn new(shared: &Shared, settings: PushSettings) -> Result<Self, ConsumerError> {
        let key = settings.check().map_err(|error| ConsumerError::Client(error.into()))?;
        let EndpointSettings { allow_private_addresses: allow_private, .. } = shared.options.endpoints;
        let mut builder = Client::builder().timeout(PUSH_WITHIN).redirect(redirects()).no_proxy();
        if !allow_private {
            builder = builder.dns_resolver(Arc::new(PublicOnly));
        }
        let client = builder.build().map_err(|error| ConsumerError::Client(error.into()))?;
        Ok(Self { client, key, settings, allow_private })
    }

    /// The request, or why this browser can never be reached.
    fn request(
        &self,
        device: &Device,
        notice: &Notice<'_>,
        now: TimestampMs,
    ) -> Result<RequestBuilder, String> {
        let (url, recipient) = place(device, self.allow_private).map_err(|error| error.to_string())?;
        let letter = &notice.letter;
        let message = json!({
            "title": letter.subject, "body": letter.summary, "url": notice.link, "tag": PUSH_TOPIC,
        });
        let sealed = recipient.seal(message.to_string().as_bytes());
        let origin = url.origin().ascii_serialization();
        let signed = self.key.authorization(&origin, &self.settings.subject, now);
        let (Ok(sealed), Ok(signed)) = (sealed, signed) else {
            return Err("the message cannot be sealed".to_owned());
        };
        let request = self.client.post(url).header(AUTHORIZATION, signed);
        let request =
            request.header(CONTENT_ENCODING, "aes128gcm").header(CONTENT_TYPE, "application/octet-stream");
        // A message that is not delivered yet is replaced by the next one.
        Ok(request.header("TTL", PUSH_TTL_SECONDS).header("Topic", PUSH_TOPIC).body(sealed))
    }
}

impl Carrier for Pusher {
    const WAY: Way = Way::Push;
    const COUNTED: [NotificationOutcome; 3] =
        [NotificationOutcome::PushTaken, NotificationOutcome::PushRetried, NotificationOutcome::PushGivenUp];

    fn after(&self) -> SpanMs {
        self.settings.after
    }

    /// Whoever let a browser ask wants it.
    fn serves(&self, _: &TenantDirectory, _: &Reach) -> bool {
        true
    }

    fn has_room(&self, _: TimestampMs) -> bool {
        true
    }

    async fn carry(&self, notice: &Notice<'_>, now: TimestampMs) -> Carried {
        let Some(device) = &notice.reach.device else { return Carried::Gone };
        let request = match self.request(device, notice, now) {
            Ok(request) => request,
            Err(error) => return Carried::Refused(error),
        };
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Carried::Told,
            Ok(answer) if matches!(answer.status(), StatusCode::NOT_FOUND | StatusCode::GONE) => {
                Carried::Gone
            }
            Ok(answer) => Carried::Failed {
                error: format!("the push service answered {}", answer.status()),
                for_all: false,
                not_before: retry_after(&answer).unwrap_or_default(),
            },
            Err(error) => Carried::failed(with_sources(&error.without_url()), false),
        }
    }
}
