//! The log row: what one group appended and committed. Its key is the group's number.
//!
//! A row is a postcard header and, behind it, the entries' bytes one after the other, so that one entry can be
//! read without decoding the others, and nothing is copied twice.

use bytes::Bytes;
use protocol::shard::ShardId;
use serde::{Deserialize, Serialize};

use super::checkpoint::Counters;
use super::head::HeadChange;
use crate::engine::Position;

/// Bits of a position that count within a group; the rest is the group's number.
const INDEX_BITS: u32 = 20;

/// Entries that fit in one group: far more than a group's requests can carry within its bytes.
pub(super) const GROUP_ENTRIES_MAX: usize = 1 << INDEX_BITS;

/// The place of an entry: group and index within it. Unique and growing over all shards.
pub(super) fn position(group: u64, index: usize) -> Position {
    Position(group << INDEX_BITS | index as u64)
}

/// The group of a position.
pub(super) fn group_of(position: Position) -> u64 {
    position.0 >> INDEX_BITS
}

/// What stands before the entries' bytes.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LogHeader {
    /// Changed shards, in order.
    pub(super) heads: Vec<HeadChange>,
    /// Shard and length of each entry, in order.
    pub(super) entries: Vec<(ShardId, u32)>,
    /// As they stand after this group.
    pub(super) counters: Counters,
}

/// Where an entry's bytes stand in its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// First byte.
    pub(super) offset: u32,
    /// Bytes.
    pub(super) length: u32,
}

/// Puts a row together and tells where each entry stands in it.
pub(super) fn encode(header: &LogHeader, entries: &[Bytes]) -> Result<(Vec<u8>, Vec<Slot>), postcard::Error> {
    let body: usize = entries.iter().map(Bytes::len).sum();
    // Four bytes per entry (shard and length as varints), a hundred per changed shard.
    let header_guess = 64 + 5 * header.entries.len() + 100 * header.heads.len();
    let mut row = postcard::to_extend(header, Vec::with_capacity(body + header_guess))?;
    let mut slots = Vec::with_capacity(entries.len());
    for entry in entries {
        slots.push(Slot { offset: row.len() as u32, length: entry.len() as u32 });
        row.extend_from_slice(entry);
    }
    Ok((row, slots))
}

/// Takes a row apart.
pub(super) fn decode(row: &[u8]) -> Result<(LogHeader, Vec<Slot>), postcard::Error> {
    let (header, body) = postcard::take_from_bytes::<LogHeader>(row)?;
    let mut offset = (row.len() - body.len()) as u32;
    let mut slots = Vec::with_capacity(header.entries.len());
    for &(_, length) in &header.entries {
        slots.push(Slot { offset, length });
        offset = offset.checked_add(length).ok_or(postcard::Error::DeserializeUnexpectedEnd)?;
    }
    if offset as usize != row.len() {
        return Err(postcard::Error::DeserializeUnexpectedEnd);
    }
    Ok((header, slots))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_read_back(entries in proptest::collection::vec((0u16..300, proptest::collection::vec(any::<u8>(), 0..50)), 0..20)) {
            let bytes: Vec<Bytes> = entries.iter().map(|(_, bytes)| Bytes::from(bytes.clone())).collect();
            let header = LogHeader {
                entries: entries.iter().map(|(shard, bytes)| (ShardId(*shard), bytes.len() as u32)).collect(),
                counters: Counters { timers: 3, ..Counters::default() },
                ..LogHeader::default()
            };
            let (row, written) = encode(&header, &bytes).unwrap();
            let (read, slots) = decode(&row).unwrap();
            prop_assert_eq!(read, header);
            prop_assert_eq!(&slots, &written);
            for (slot, bytes) in slots.iter().zip(&bytes) {
                prop_assert_eq!(&row[slot.offset as usize..][..slot.length as usize], &bytes[..]);
            }
        }

        #[test]
        fn damaged_rows_are_errors_not_panics(row in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = decode(&row);
        }
    }

    #[test]
    fn positions_grow_with_groups_and_indexes() {
        assert!(position(1, 0) > Position::default());
        assert!(position(1, GROUP_ENTRIES_MAX - 1) < position(2, 0));
        assert_eq!(group_of(position(7, 5)), 7);
    }
}
