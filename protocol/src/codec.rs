//! The stored form of log entries and facts: one version byte, then postcard.
//!
//! Version N of a type reads N and, through [`Stored::from_previous`], N−1: nodes of two releases share a store
//! while one replaces the other.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::entry::{ENTRY_VERSION, Entry};
use crate::fact::{EVENT_VERSION, Event};

/// Something that a store keeps in versioned binary form.
pub trait Stored: Serialize + DeserializeOwned {
    /// The version that is written.
    const VERSION: u8;

    /// Reads what version N−1 wrote. Version 1 has no predecessor, which is the default.
    ///
    /// # Errors
    /// [`DecodeError::Version`] when there is no such version, [`DecodeError::Damaged`] when it does not read.
    fn from_previous(version: u8, body: &[u8]) -> Result<Self, DecodeError> {
        let _ = body;
        Err(DecodeError::Version { found: version, newest: Self::VERSION })
    }
}

impl Stored for Entry {
    const VERSION: u8 = ENTRY_VERSION;
}

impl Stored for Event {
    const VERSION: u8 = EVENT_VERSION;
}

/// A value that has no binary form. Does not happen for the types here (postcard refuses only sequences of
/// unknown length); kept as an error so that a future type cannot turn it into a panic.
#[derive(Debug, thiserror::Error)]
#[error("value cannot be stored")]
pub struct EncodeError(#[source] postcard::Error);

/// Stored bytes that this version cannot read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not even a version.
    #[error("stored value is empty")]
    Empty,
    /// Written by a release that is too old or too new.
    #[error(
        "stored version {found} is not readable; this release writes {newest} and reads it and the one before"
    )]
    Version {
        /// What stands in the store.
        found: u8,
        /// What this release writes.
        newest: u8,
    },
    /// Not what the version says.
    #[error("stored value is damaged")]
    Damaged(#[source] postcard::Error),
    /// A value with something behind it.
    #[error("stored value has {0} bytes too many")]
    Trailing(usize),
}

/// The stored form of a value.
///
/// # Errors
/// See [`EncodeError`].
pub fn encode<T: Stored>(value: &T) -> Result<Bytes, EncodeError> {
    // Most entries are a text message: 256 bytes hold it without a second allocation.
    let mut out = Vec::with_capacity(256);
    out.push(T::VERSION);
    postcard::to_extend(value, out).map(Bytes::from).map_err(EncodeError)
}

/// Reads a stored value of this version or the one before.
///
/// # Errors
/// Says what is wrong with the bytes; never panics, whatever they are.
pub fn decode<T: Stored>(stored: &[u8]) -> Result<T, DecodeError> {
    let (&version, body) = stored.split_first().ok_or(DecodeError::Empty)?;
    if version != T::VERSION {
        return T::from_previous(version, body);
    }
    match postcard::take_from_bytes(body).map_err(DecodeError::Damaged)? {
        (value, []) => Ok(value),
        (_, rest) => Err(DecodeError::Trailing(rest.len())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::command::{Mode, Party};
    use crate::entry::{AccountNotice, EntryBody, Notice};
    use crate::fact::Fact;
    use crate::id::{ConversationId, EventId, WabaId};
    use crate::time::TimestampMs;

    fn entry() -> Entry {
        Entry {
            received_at: TimestampMs(1_790_000_000_123),
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
            body: EntryBody::Account(AccountNotice {
                tenant: None,
                waba: WabaId::new("102290129340398"),
                number: None,
                at: None,
                notice: Notice::TemplateQuality {
                    name: "interview".into(),
                    language: "it".into(),
                    score: "GREEN".into(),
                },
            }),
        }
    }

    fn event() -> Event {
        Event {
            id: EventId(1),
            at: TimestampMs(2),
            traceparent: None,
            tenant: None,
            conversation: Some(ConversationId(3)),
            fact: Fact::ModeChanged { mode: Mode::Direct, by: Party::Contact },
        }
    }

    #[test]
    fn entries_and_events_round_trip_behind_their_version() {
        let stored = encode(&entry()).unwrap();
        assert_eq!(stored[0], ENTRY_VERSION);
        assert_eq!(decode::<Entry>(&stored).unwrap(), entry());
        let stored = encode(&event()).unwrap();
        assert_eq!(stored[0], EVENT_VERSION);
        assert_eq!(decode::<Event>(&stored).unwrap(), event());
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        let stored = encode(&entry()).unwrap();
        assert!(matches!(decode::<Entry>(&[]), Err(DecodeError::Empty)));
        assert!(matches!(
            decode::<Entry>(&[9, 0]),
            Err(DecodeError::Version { found: 9, newest: ENTRY_VERSION })
        ));
        assert!(matches!(decode::<Entry>(&stored[..stored.len() - 1]), Err(DecodeError::Damaged(_))));
        let longer = [&stored[..], &[0]].concat();
        assert!(matches!(decode::<Entry>(&longer), Err(DecodeError::Trailing(1))));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(mut bytes: Vec<u8>) {
            let _ = decode::<Entry>(&bytes);
            bytes.insert(0, EVENT_VERSION);
            let _ = decode::<Event>(&bytes);
        }
    }
}
