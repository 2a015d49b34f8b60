//! Names of keys, and which of them share a hash slot.
//!
//! Shards are gathered in **lanes**: everything of one lane carries one hash tag, so one function call may touch
//! several shards and one stream holds the facts of all of them. The tags are chosen so that the lanes lie evenly
//! over the slots: every cluster whose masters have about as many slots each gets about as many lanes each.

use protocol::id::{ConversationId, DeadLetterId, NumberId};
use protocol::shard::{ShardCount, ShardId};

use crate::engine::AliasKey;
use crate::engine::limits::REDIS_LANES_MAX;

/// Slots of a Redis Cluster.
const SLOTS: u16 = 16_384;

/// Aliases of one lane are spread over so many hashes: with a million aliases each has about eight, which Redis
/// keeps in one compact block.
const ALIAS_BUCKETS: u128 = 4_096;

/// Place of a lane, counted from zero.
pub(super) type Lane = usize;

/// Knows all names.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    /// `gw:{tag}` of each lane.
    prefixes: Vec<String>,
    slots: Vec<u16>,
    shards: ShardCount,
    name: String,
}

impl Keys {
    pub(super) fn new(name: &str, shards: ShardCount) -> Self {
        let lanes = shards.get().min(REDIS_LANES_MAX);
        let tags: Vec<(String, u16)> = (0..lanes).map(|lane| tag(lane, lanes)).collect();
        let prefixes = tags.iter().map(|(tag, _)| format!("{name}:{{{tag}}}")).collect();
        Self { prefixes, slots: tags.into_iter().map(|(_, slot)| slot).collect(), shards, name: name.into() }
    }

    pub(super) fn shards(&self) -> ShardCount {
        self.shards
    }

    pub(super) fn lanes(&self) -> usize {
        self.prefixes.len()
    }

    pub(super) fn slot(&self, lane: Lane) -> u16 {
        self.slots[lane]
    }

    pub(super) fn lane(&self, shard: ShardId) -> Lane {
        usize::from(shard.0) % self.lanes()
    }

    fn lane_key(&self, lane: Lane, kind: char) -> Vec<u8> {
        format!("{}{kind}", self.prefixes[lane]).into_bytes()
    }

    fn shard_key(&self, shard: ShardId, kind: char) -> Vec<u8> {
        format!("{}{kind}{}", self.prefixes[self.lane(shard)], shard.0).into_bytes()
    }

    fn with_id(&self, lane: Lane, kind: char, id: u128) -> Vec<u8> {
        let mut key = self.lane_key(lane, kind);
        key.extend_from_slice(&id.to_be_bytes());
        key
    }

    pub(super) fn head(&self, shard: ShardId) -> Vec<u8> {
        self.shard_key(shard, 'h')
    }

    pub(super) fn log(&self, shard: ShardId) -> Vec<u8> {
        self.shard_key(shard, 'l')
    }

    pub(super) fn timers(&self, shard: ShardId) -> Vec<u8> {
        self.shard_key(shard, 't')
    }

    /// Sixteen raw bytes: half of what the printed id would take, in the key that there are most of.
    pub(super) fn conversation(&self, shard: ShardId, id: ConversationId) -> Vec<u8> {
        self.with_id(self.lane(shard), 'c', id.0)
    }

    pub(super) fn facts(&self, lane: Lane) -> Vec<u8> {
        self.lane_key(lane, 'f')
    }

    /// How far facts inside a stream entry were trimmed.
    pub(super) fn facts_trimmed(&self, lane: Lane) -> Vec<u8> {
        self.lane_key(lane, 'g')
    }

    pub(super) fn remembered(&self, lane: Lane, kind: char, period: i64) -> Vec<u8> {
        format!("{}{kind}{period}", self.prefixes[lane]).into_bytes()
    }

    pub(super) fn letters(&self, lane: Lane) -> Vec<u8> {
        self.lane_key(lane, 'd')
    }

    pub(super) fn letter_index(&self, lane: Lane) -> Vec<u8> {
        self.lane_key(lane, 'i')
    }

    /// Where an alias is: not in the slot of a shard, since whoever asks does not know the conversation yet.
    pub(super) fn alias(&self, name: AliasKey) -> (Lane, Vec<u8>) {
        let lane = (name.0 % self.lanes() as u128) as usize;
        let bucket = name.0 / self.lanes() as u128 % ALIAS_BUCKETS;
        (lane, format!("{}a{bucket}", self.prefixes[lane]).into_bytes())
    }

    /// What the store is; it lives in the first lane.
    pub(super) fn identity(&self) -> Vec<u8> {
        self.lane_key(0, 's')
    }

    /// Which nodes are there; in the first lane as well.
    pub(super) fn nodes(&self) -> Vec<u8> {
        self.lane_key(0, 'n')
    }

    /// The send slots of a number; numbers are spread over the lanes.
    pub(super) fn slots(&self, number: NumberId) -> (Lane, Vec<u8>) {
        let lane = (number.0 % self.lanes() as u128) as usize;
        (lane, self.with_id(lane, 'm', number.0))
    }

    /// Where nodes tell each other how far logs reach.
    pub(super) fn channel(&self) -> Vec<u8> {
        format!("{}:wake", self.name).into_bytes()
    }
}

pub(super) fn letter_field(id: DeadLetterId) -> [u8; 16] {
    id.0.to_be_bytes()
}

/// The first number, in base 36, whose slot lies in the lane's stripe of all slots.
fn tag(lane: u16, lanes: u16) -> (String, u16) {
    let stripe = |slot: u16| u32::from(slot) * u32::from(lanes) / u32::from(SLOTS);
    (0u32..)
        .map(base36)
        .map(|text| {
            let slot = crc16(text.as_bytes()) % SLOTS;
            (text, slot)
        })
        .find(|&(_, slot)| stripe(slot) == u32::from(lane))
        .unwrap_or_default()
}

fn base36(mut number: u32) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit(number % 36, 36).unwrap_or_default());
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

/// The checksum that Redis Cluster takes slots from (XMODEM).
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |mut crc, &byte| {
        crc ^= u16::from(byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 };
        }
        crc
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_cluster_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(crc16(b"foo") % SLOTS, 12_182);
    }

    #[test]
    fn keys_are_golden() {
        // Stores depend on these names.
        let keys = Keys::new("gw", ShardCount::default());
        assert_eq!((keys.lanes(), keys.lane(ShardId(33))), (32, 1));
        assert_eq!(String::from_utf8(keys.head(ShardId(33))).unwrap(), "gw:{6d}h33");
        assert_eq!(keys.conversation(ShardId(33), ConversationId(1)).len(), 24);
    }

    #[test]
    fn lanes_lie_evenly_over_the_slots_and_have_tags_of_their_own() {
        for shards in [1, 3, 4, 256] {
            let keys = Keys::new("gw", ShardCount::new(shards).unwrap());
            let mut prefixes = keys.prefixes.clone();
            prefixes.dedup();
            assert_eq!(prefixes.len(), keys.lanes());
            let third = |n| (0..keys.lanes()).filter(|&lane| keys.slot(lane) / 5_462 == n).count();
            let counts = [third(0), third(1), third(2)];
            assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 2, "{counts:?}");
        }
    }
}
