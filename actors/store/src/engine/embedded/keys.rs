//! Keys of rows. Big-endian, so that the order of bytes is the order of values.

use protocol::id::ConversationId;
use protocol::shard::ShardId;
use protocol::time::TimestampMs;

/// Shard and conversation. Short enough (18 bytes) for the tree to keep it without an allocation.
pub(super) fn conversation(shard: ShardId, conversation: ConversationId) -> [u8; 18] {
    let mut key = [0; 18];
    key[..2].copy_from_slice(&shard.0.to_be_bytes());
    key[2..].copy_from_slice(&conversation.0.to_be_bytes());
    key
}

/// Times before 1970 sort before later ones as well.
fn time(at: TimestampMs) -> [u8; 8] {
    (at.0 as u64 ^ (1 << 63)).to_be_bytes()
}

/// Shard, due time and conversation.
pub(super) fn timer(shard: ShardId, due: TimestampMs, conversation: ConversationId) -> [u8; 26] {
    let mut key = [0; 26];
    key[..2].copy_from_slice(&shard.0.to_be_bytes());
    key[2..10].copy_from_slice(&time(due));
    key[10..].copy_from_slice(&conversation.0.to_be_bytes());
    key
}

/// Due time and conversation of a timer's key; `None` if it is not one.
pub(super) fn read_timer(key: &[u8]) -> Option<(TimestampMs, ConversationId)> {
    let due = u64::from_be_bytes(key.get(2..10)?.try_into().ok()?);
    let conversation = u128::from_be_bytes(key.get(10..)?.try_into().ok()?);
    Some((TimestampMs((due ^ (1 << 63)) as i64), ConversationId(conversation)))
}

/// A count or a hash.
pub(super) fn read_u64(key: &[u8]) -> Option<u64> {
    key.try_into().ok().map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn timers_sort_by_time_and_read_back(a: i64, b: i64, id: u128) {
            let key = |due| timer(ShardId(3), TimestampMs(due), ConversationId(id));
            prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
            prop_assert_eq!(read_timer(&key(a)), Some((TimestampMs(a), ConversationId(id))));
        }
    }
}
