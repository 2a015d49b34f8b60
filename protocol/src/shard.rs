//! Which shard a conversation lives on. Versioned: the values below are in every store.

use serde::{Deserialize, Serialize};

use crate::id::{ConversationId, NumberId};
use crate::phone::ContactKey;

/// Version of the hash; part of the store's identity.
pub const HASH_VERSION: u8 = 1;

/// Shards of a store unless its creator chose otherwise.
pub const DEFAULT_SHARDS: u16 = 256;

/// One of the store's shards, counted from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShardId(pub u16);

/// How many shards a store has. Fixed for the life of the store; never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShardCount(std::num::NonZeroU16);

impl ShardCount {
    /// `None` for zero.
    #[must_use]
    pub fn new(shards: u16) -> Option<Self> {
        std::num::NonZeroU16::new(shards).map(Self)
    }

    /// The number of shards.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }

    /// The shard of a conversation.
    #[must_use]
    pub fn shard_of(self, conversation: ConversationId) -> ShardId {
        self.shard_of_hash(conversation.0)
    }

    /// The shard of anything with a 128-bit id, such as a provider account.
    #[must_use]
    pub fn shard_of_hash(self, hash: u128) -> ShardId {
        ShardId((hash as u64 % u64::from(self.get())) as u16)
    }

    /// All shards in order.
    pub fn all(self) -> impl Iterator<Item = ShardId> {
        (0..self.get()).map(ShardId)
    }
}

impl Default for ShardCount {
    fn default() -> Self {
        Self(std::num::NonZeroU16::new(DEFAULT_SHARDS).unwrap_or(std::num::NonZeroU16::MIN))
    }
}

/// The conversation between a business number and a contact. Not by number alone: one busy number would
/// otherwise put all its traffic on one shard.
#[must_use]
pub fn conversation_id(number: NumberId, contact: &ContactKey) -> ConversationId {
    contact.with_bytes(|key| ConversationId::derive(&[&[HASH_VERSION], &number.0.to_le_bytes(), key]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::E164;

    #[test]
    fn conversation_ids_and_shards_are_golden() {
        // Stores depend on these values: a change needs a new HASH_VERSION and a migration.
        let contact = ContactKey::Phone(E164::parse("+393331234567").unwrap());
        let id = conversation_id(NumberId(42), &contact);
        assert_eq!(id.to_string(), "cnv_7x1905qprjp2xqcbde17xgsbgs");
        assert_eq!(ShardCount::default().shard_of(id), ShardId(25));
    }
}
