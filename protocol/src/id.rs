//! Identifiers. Ours are 128-bit values that print as a prefix and 26 base32 digits; a provider's are opaque text.

use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use xxhash_rust::xxh3::Xxh3;

use crate::time::TimestampMs;

/// Text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id like `{prefix}…` with 26 base32 digits")]
pub struct InvalidId {
    /// The prefix that was expected, such as `cnv_`.
    pub prefix: &'static str,
}

/// Crockford's alphabet in lower case: no `i`, `l`, `o`, `u`, so ids survive being read aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Base32 digits of a 128-bit value.
const DIGITS: usize = 26;

fn write_base32(value: u128, out: &mut [u8; DIGITS]) {
    for (index, slot) in out.iter_mut().enumerate() {
        let shift = 5 * (DIGITS - 1 - index);
        *slot = ALPHABET[((value >> shift) & 31) as usize];
    }
}

fn read_base32(text: &str) -> Option<u128> {
    if text.len() != DIGITS {
        return None;
    }
    text.bytes().try_fold(0u128, |value, byte| {
        let digit = ALPHABET.iter().position(|&known| known == byte)? as u128;
        value.checked_mul(32)?.checked_add(digit)
    })
}

/// Derives a stable 128-bit id from its cause, so that the same cause always yields the same id.
///
/// Each part is prefixed with its length: `("ab", "c")` and `("a", "bc")` differ.
#[must_use]
pub fn derive(kind: &str, parts: &[&[u8]]) -> u128 {
    let mut hasher = Xxh3::new();
    hasher.update(kind.as_bytes());
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.digest128()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u128);

        impl $name {
            /// What its text form begins with.
            pub const PREFIX: &'static str = $prefix;

            /// Its text form as a regular expression.
            pub const PATTERN: &'static str = concat!($prefix, "[0-7][0-9a-hjkmnp-tv-z]{25}");

            /// The id that this cause always gets.
            #[must_use]
            pub fn derive(parts: &[&[u8]]) -> Self {
                Self(derive($prefix, parts))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut digits = [0u8; DIGITS];
                write_base32(self.0, &mut digits);
                f.write_str($prefix)?;
                f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix($prefix).and_then(read_base32).map(Self).ok_or(InvalidId { prefix: $prefix })
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .pattern(Some(format!("^{}$", Self::PATTERN)))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    self.0.to_le_bytes().serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    CompactString::deserialize(deserializer)?.parse().map_err(de::Error::custom)
                } else {
                    <[u8; 16]>::deserialize(deserializer).map(u128::from_le_bytes).map(Self)
                }
            }
        }
    )*};
}

ids! {
    /// A staffing agency.
    TenantId = "ten_";
    /// A business sender: one WhatsApp or SMS number of a tenant.
    NumberId = "num_";
    /// A person that a tenant talks with, whatever the channel.
    ContactId = "con_";
    /// One number talking with one contact. Its low bits choose the shard, see [`crate::shard`].
    ConversationId = "cnv_";
    /// One message, in either direction.
    MessageId = "msg_";
    /// A message template in one language.
    TemplateId = "tpl_";
    /// A person who works for a tenant.
    UserId = "usr_";
    /// Several users that records can be assigned to.
    GroupId = "grp_";
    /// An API key.
    KeyId = "key_";
    /// A downstream address that receives events.
    EndpointId = "whe_";
    /// A fact in the ordered event log of a tenant.
    EventId = "evt_";
    /// An input that could not be applied.
    DeadLetterId = "dlt_";
    /// A notification to one user.
    NotificationId = "ntf_";
    /// A way to reach a user who is away: the mailbox, or a browser that takes push messages.
    DeviceId = "dev_";
    /// A stored file: a tenant and a content.
    FileId = "fil_";
    /// A saved view of the inbox.
    ViewId = "viw_";
    /// A payment that was asked for.
    RechargeId = "rch_";
}

/// Bits of a message's id that are a hash; those before it are a time.
const MESSAGE_HASH_BITS: u32 = 80;

impl MessageId {
    /// The id that this cause always gets, with the time of the cause in front: messages that come one after another
    /// are neighbours in an index, where hashes would touch a page each.
    #[must_use]
    pub fn derive_at(at: TimestampMs, parts: &[&[u8]]) -> Self {
        let hash = Self::derive(parts).0 & ((1 << MESSAGE_HASH_BITS) - 1);
        let time = at.0.clamp(0, (1 << (128 - MESSAGE_HASH_BITS)) - 1);
        Self(u128::from(time.unsigned_abs()) << MESSAGE_HASH_BITS | hash)
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub CompactString);

        impl $name {
            /// Wraps the text as it came.
            pub fn new(text: impl Into<CompactString>) -> Self {
                Self(text.into())
            }

            /// The text as it came.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

names! {
    /// The provider's id of a message: a `wamid` on WhatsApp, a SID on SMS. Opaque.
    ProviderId;
    /// WhatsApp's id of a business phone number (`metadata.phone_number_id`).
    PhoneNumberId;
    /// WhatsApp business account id (`entry.id`); "Messaging account" since 2026.
    WabaId;
    /// Business-scoped user id of a WhatsApp user, such as `US.13491208655302741918`. Used verbatim.
    Bsuid;
    /// The id of an application flow as candidates type it, stored in upper case, such as `TEST0001`.
    FlowId;
    /// A media object at the provider.
    MediaId;
    /// The key under which a caller may safely repeat a command.
    IdempotencyKey;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_and_binary_forms_round_trip(value: u128) {
            let id = MessageId(value);
            prop_assert_eq!(id.to_string().parse::<MessageId>(), Ok(id));
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<MessageId>(&json).unwrap(), id);
        }
    }

    #[test]
    fn rejects_other_prefixes_lengths_and_digits() {
        let id = MessageId(7).to_string();
        for wrong in [
            "",
            "msg_",
            "msg_7",
            &id[1..],
            &id.replace("msg_", "cnv_"),
            &format!("{id}0"),
            "msg_zzzzzzzzzzzzzzzzzzzzzzzzzz",
        ] {
            assert_eq!(wrong.parse::<MessageId>(), Err(InvalidId { prefix: "msg_" }), "{wrong}");
        }
    }

    #[test]
    fn message_ids_are_in_the_order_of_time() {
        let id = |at| MessageId::derive_at(TimestampMs(at), &[b"cause"]);
        assert!(id(1_790_000_000_000) < id(1_790_000_000_001));
        assert_eq!(id(1), id(1));
        assert_ne!(id(1), MessageId::derive_at(TimestampMs(1), &[b"another"]));
        assert_eq!(id(i64::MIN), id(0), "no time is refused");
        assert!(id(i64::MAX) > id(1_790_000_000_000));
    }

    #[test]
    fn derived_ids_are_golden() {
        // Stored ids depend on this value: it may never change.
        assert_eq!(TenantId::derive(&[b"acme"]).to_string(), "ten_1wqc6e0j6z94c799psc0g9vjg7");
        assert_ne!(derive("k", &[b"ab", b"c"]), derive("k", &[b"a", b"bc"]));
    }
}
