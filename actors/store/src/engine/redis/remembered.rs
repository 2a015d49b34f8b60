//! What is remembered for a time: results of commands and provider ids.
//!
//! A hash per lane and period instead of a key each: a key with an expiry costs a hundred bytes more. The value
//! begins with its end; the hash goes by itself when its last value has ended.

use bytes::Bytes;
use protocol::command::CommandKey;
use protocol::time::{SpanMs, TimestampMs};
use redis::{Cmd, Value};

use super::errors::{bytes, elements};
use super::keys::Lane;
use super::shared::Shared;
use crate::engine::limits::{RESULT_LIFE, SEEN_LIFE};
use crate::engine::{EngineResult, SeenKey};

/// Eight bytes of time before each value.
const END_BYTES: usize = 8;

/// One sort of memories.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    letter: char,
    life: SpanMs,
    /// Longer periods are fewer hashes to look into, and more that is kept too long.
    period: SpanMs,
}

/// Results of commands: four hashes to look into.
pub(super) const RESULTS: Kind = Kind { letter: 'r', life: RESULT_LIFE, period: SpanMs::hours(8) };
/// Provider ids: five hashes to look into.
pub(super) const SEEN: Kind = Kind { letter: 'p', life: SEEN_LIFE, period: SpanMs::hours(48) };

impl Kind {
    /// The hash for what is written now.
    pub(super) fn key(self, shared: &Shared, lane: Lane, now: TimestampMs) -> Vec<u8> {
        shared.keys().remembered(lane, self.letter, now.0.div_euclid(self.period.0))
    }

    /// How long a hash is kept after its first value: all of its period, and an hour for clocks that differ.
    pub(super) fn hash_life_ms(self) -> i64 {
        self.life.0 + self.period.0 + SpanMs::hours(1).0
    }

    pub(super) fn value(self, now: TimestampMs, value: &[u8]) -> Vec<u8> {
        let mut stored = (now + self.life).0.to_be_bytes().to_vec();
        stored.extend_from_slice(value);
        stored
    }

    /// The hashes in which something that has not ended may be.
    fn keys(self, shared: &Shared, lane: Lane, now: TimestampMs) -> Vec<Vec<u8>> {
        let (latest, earliest) =
            (now.0.div_euclid(self.period.0), (now.0 - self.life.0).div_euclid(self.period.0));
        (earliest..=latest).map(|period| shared.keys().remembered(lane, self.letter, period)).collect()
    }

    /// What must be asked for some fields; see [`Kind::read`].
    pub(super) fn ask(
        self,
        shared: &Shared,
        lane: Lane,
        fields: &[[u8; 16]],
        now: TimestampMs,
    ) -> Vec<(Lane, Cmd)> {
        if fields.is_empty() {
            return vec![];
        }
        let ask = |key: Vec<u8>| {
            let mut command = redis::cmd("HMGET");
            command.arg(key);
            for field in fields {
                command.arg(&field[..]);
            }
            (lane, command)
        };
        self.keys(shared, lane, now).into_iter().map(ask).collect()
    }

    /// Takes the answers to [`Kind::ask`]: of each field what has not ended, the latest if there are several.
    pub(super) fn read(
        self,
        answers: &mut impl Iterator<Item = Value>,
        shared: &Shared,
        fields: usize,
        now: TimestampMs,
    ) -> EngineResult<Vec<Option<Bytes>>> {
        let mut found = vec![None; fields];
        if fields == 0 {
            return Ok(found);
        }
        for answer in answers.by_ref().take(self.keys(shared, 0, now).len()) {
            for (place, value) in elements(answer, "HMGET")?.into_iter().enumerate().take(fields) {
                if let Some(alive) = bytes(value, "HMGET")?.and_then(|value| alive(value, now)) {
                    found[place] = Some(alive);
                }
            }
        }
        Ok(found)
    }
}

fn alive(value: Vec<u8>, now: TimestampMs) -> Option<Bytes> {
    let end = i64::from_be_bytes(value.get(..END_BYTES)?.try_into().ok()?);
    (end > now.0).then(|| Bytes::from(value).slice(END_BYTES..))
}

pub(super) fn result_field(key: CommandKey) -> [u8; 16] {
    key.0.to_be_bytes()
}

pub(super) fn seen_field(key: SeenKey) -> [u8; 16] {
    key.0.to_be_bytes()
}

/// The result of a command of a shard that is not known: all lanes are asked.
pub(super) async fn result(shared: &Shared, command: CommandKey) -> EngineResult<Option<Bytes>> {
    let (now, fields) = (shared.now(), [result_field(command)]);
    let lanes = 0..shared.keys().lanes();
    let calls = lanes.clone().flat_map(|lane| RESULTS.ask(shared, lane, &fields, now)).collect();
    let mut answers = shared.topology.ask_all(calls).await?.into_iter();
    let mut found = None;
    for _ in lanes {
        found = RESULTS.read(&mut answers, shared, 1, now)?.pop().flatten().or(found);
    }
    Ok(found)
}
