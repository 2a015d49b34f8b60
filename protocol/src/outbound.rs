//! One message on its way out: the opaque id that comes back with statuses, attempts and their outcomes.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::content::ProviderError;
use crate::id::{ConversationId, MessageId, NumberId, ProviderId};
use crate::time::TimestampMs;

/// Secret of the store, drawn at its creation, that authenticates opaque ids.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpaqueKey(pub [u8; 32]);

impl fmt::Debug for OpaqueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpaqueKey(…)")
    }
}

/// What we attach to every send (`biz_opaque_callback_data`) and get back with its statuses.
/// Form: `v1.<conversation>.<message>.<mac>`; the shard follows from the conversation. The MAC holds for one business
/// number: whoever may report on another number cannot report on this message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpaqueId {
    /// The conversation of the message.
    pub conversation: ConversationId,
    /// The message.
    pub message: MessageId,
}

/// Bytes of the MAC that are kept: 128 bits.
const MAC_BYTES: usize = 16;

impl OpaqueId {
    /// The authenticated text form for a message from a number.
    #[must_use]
    pub fn seal(self, number: NumberId, key: &OpaqueKey) -> String {
        let plain = format!("v1.{}.{}", self.conversation, self.message);
        let mac = mac(key, number, plain.as_bytes());
        format!("{plain}.{}", BASE64URL_NOPAD.encode(&mac))
    }

    /// Reads the text form; `None` unless it is ours, unchanged, and of this number.
    #[must_use]
    pub fn open(text: &str, number: NumberId, key: &OpaqueKey) -> Option<Self> {
        let (plain, given) = text.rsplit_once('.')?;
        let given = BASE64URL_NOPAD.decode(given.as_bytes()).ok()?;
        let expected = mac(key, number, plain.as_bytes());
        if !bool::from(subtle::ConstantTimeEq::ct_eq(given.as_slice(), expected.as_slice())) {
            return None;
        }
        let (conversation, message) = plain.strip_prefix("v1.")?.split_once('.')?;
        Some(Self { conversation: conversation.parse().ok()?, message: message.parse().ok()? })
    }
}

fn mac(key: &OpaqueKey, number: NumberId, text: &[u8]) -> [u8; MAC_BYTES] {
    // HMAC pads a short key with zeros to its block of 64 bytes: done here, construction cannot fail.
    let mut block = [0u8; 64];
    block[..32].copy_from_slice(&key.0);
    let mut hmac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    hmac.update(&number.0.to_le_bytes());
    hmac.update(text);
    let full: [u8; 32] = hmac.finalize().into_bytes().into();
    let mut short = [0; MAC_BYTES];
    short.copy_from_slice(&full[..MAC_BYTES]);
    short
}

/// How one POST to a provider ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// The provider took it.
    Accepted {
        /// Its id from now on.
        provider_id: ProviderId,
        /// The recipient as the provider writes it, when that differs from what was sent (Brazil, Mexico).
        recipient: Option<crate::phone::E164>,
    },
    /// The provider refused it.
    Rejected {
        /// Why.
        error: ProviderError,
        /// The provider's own wish (`Retry-After`), in milliseconds.
        retry_after_ms: Option<i64>,
    },
    /// It provably never left: DNS, connect or TLS failed, or our lease had run out.
    NotSent {
        /// What failed.
        detail: String,
    },
    /// It was not sent: the tenant's credits do not cover what it may cost.
    Unfunded {
        /// What is missing.
        detail: String,
    },
    /// It may have been taken: time-out or reset after the request went out.
    InDoubt {
        /// What failed.
        detail: String,
    },
    /// The provider took it, and holds it back: it paces a template that people do not know yet.
    Held {
        /// Its id from now on.
        provider_id: ProviderId,
        /// The recipient as the provider writes it, when that differs from what was sent.
        recipient: Option<crate::phone::E164>,
    },
}

impl Outcome {
    /// Whether the provider has the message.
    #[must_use]
    pub const fn is_taken(&self) -> bool {
        matches!(self, Self::Accepted { .. } | Self::Held { .. })
    }
}

/// One finished attempt to send, kept with the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it ended.
    pub at: TimestampMs,
    /// The provider's code; `None` when there was no answer or it was accepted.
    pub code: Option<i64>,
    /// For people.
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opaque_id_survives_and_resists_change() {
        let (key, number) = (OpaqueKey([7; 32]), NumberId(9));
        let id = OpaqueId { conversation: ConversationId(1), message: MessageId(2) };
        let text = id.seal(number, &key);
        assert!(text.len() <= 512, "the provider's limit");
        assert_eq!(OpaqueId::open(&text, number, &key), Some(id));
        assert_eq!(OpaqueId::open(&text, number, &OpaqueKey([8; 32])), None);
        assert_eq!(OpaqueId::open(&text, NumberId(8), &key), None, "another number's");
        let other = OpaqueId { conversation: ConversationId(1), message: MessageId(3) }.seal(number, &key);
        let (_, mac) = text.rsplit_once('.').unwrap();
        let (plain, _) = other.rsplit_once('.').unwrap();
        assert_eq!(OpaqueId::open(&format!("{plain}.{mac}"), number, &key), None);
        assert_eq!(OpaqueId::open("somebody else's", number, &key), None);
    }
}
