//! Logs of facts: one stream per lane, one entry per commit.
//!
//! Stream ids are times, so that after a fail-over which lost the newest facts no later one gets an id that the
//! projection has passed already.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use redis::{Cmd, Value};

use super::errors::{elements, garbled};
use super::keys::Lane;
use super::library::Function;
use super::pack;
use super::reading::{stream_entries, stream_id};
use super::server::Line;
use super::shared::Shared;
use crate::engine::limits::{REDIS_BLOCK, REDIS_POLL};
use crate::engine::{EngineError, EngineResult, FactLane, FactPosition};

type Found = Vec<(FactLane, FactPosition, Bytes)>;

/// Positions hold milliseconds since 2020 in 41 bits (until 2089), the second number of the id in 11, and the
/// place in the entry in 12.
const EPOCH_MS: u64 = 1_577_836_800_000;
const SEQUENCE_BITS: u32 = 11;
const PLACE_BITS: u32 = 12;
/// The place of the last fact of every entry.
const LAST: u64 = (1 << PLACE_BITS) - 1;

/// A position, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    ms: u64,
    sequence: u64,
    place: u64,
}

impl Place {
    fn of(position: FactPosition) -> Self {
        let id = position.0 >> PLACE_BITS;
        Self {
            ms: if position.0 == 0 { 0 } else { EPOCH_MS + (id >> SEQUENCE_BITS) },
            sequence: id & ((1 << SEQUENCE_BITS) - 1),
            place: position.0 & LAST,
        }
    }

    fn position(self) -> FactPosition {
        let ms = self.ms.saturating_sub(EPOCH_MS);
        FactPosition((ms << SEQUENCE_BITS | self.sequence) << PLACE_BITS | self.place)
    }

    /// Streams are read behind an id: the one before, if this entry has facts left.
    fn read_behind(self) -> String {
        match (self.place == LAST, self.sequence) {
            (true, sequence) => format!("{}-{sequence}", self.ms),
            (false, 0) => format!("{}-{}", self.ms.saturating_sub(1), u64::MAX),
            (false, sequence) => format!("{}-{}", self.ms, sequence - 1),
        }
    }

    /// The first id that is kept.
    fn trim_before(self) -> String {
        let gone = u64::from(self.place == LAST);
        format!("{}-{}", self.ms, self.sequence + gone)
    }
}

pub(super) async fn read(
    shared: &Shared,
    after: &[(FactLane, FactPosition)],
    limit: usize,
) -> EngineResult<Found> {
    let mut cursors = Vec::with_capacity(after.len());
    for &(lane, position) in after {
        let place = known(shared, lane)?;
        cursors.push((place, position.max(shared.facts_trimmed(place))));
    }
    loop {
        shared.check_open()?;
        let found = if shared.topology.in_cluster() {
            poll(shared, &cursors, limit).await?
        } else {
            block(shared, &cursors, limit).await?
        };
        if !found.is_empty() {
            return Ok(found);
        }
    }
}

/// Waits with the server, on a private connection: nobody else may stand behind a call that blocks.
async fn block(shared: &Shared, cursors: &[(Lane, FactPosition)], limit: usize) -> EngineResult<Found> {
    let closing = shared.closing.notified();
    let mut private = shared.topology.server(0).private().await?;
    let call = command(shared, cursors, limit, Some(REDIS_BLOCK));
    tokio::select! {
        answer = private.run(&call) => {
            let answer = answer?;
            private.give_back();
            read_answer(shared, cursors, answer, limit)
        }
        () = closing => Err(EngineError::Closed),
    }
}

/// In a cluster one call reads one slot, and a connection per lane would be too many: all lanes are looked at
/// together, again when this node has committed facts or after a while.
async fn poll(shared: &Shared, cursors: &[(Lane, FactPosition)], limit: usize) -> EngineResult<Found> {
    let committed = shared.facts_committed.notified();
    let closing = shared.closing.notified();
    let calls = cursors.iter().map(|&cursor| (cursor.0, command(shared, &[cursor], limit, None)));
    let mut found = Found::new();
    for answer in shared.topology.ask_all(calls.collect()).await? {
        let left = limit - found.len();
        found.extend(read_answer(shared, cursors, answer, left)?);
    }
    if found.is_empty() {
        tokio::select! {
            () = committed => {}
            () = closing => {}
            () = tokio::time::sleep(REDIS_POLL) => {}
        }
    }
    Ok(found)
}

fn command(shared: &Shared, cursors: &[(Lane, FactPosition)], limit: usize, block: Option<Duration>) -> Cmd {
    let mut command = redis::cmd("XREAD");
    command.arg("COUNT").arg(limit.clamp(1, 1_024));
    if let Some(block) = block {
        command.arg("BLOCK").arg(block.as_millis() as u64);
    }
    command.arg("STREAMS");
    for &(lane, _) in cursors {
        command.arg(shared.keys().facts(lane));
    }
    for &(_, after) in cursors {
        command.arg(Place::of(after).read_behind());
    }
    command
}

fn read_answer(
    shared: &Shared,
    cursors: &[(Lane, FactPosition)],
    answer: Value,
    limit: usize,
) -> EngineResult<Found> {
    let mut found = Found::new();
    if answer == Value::Nil {
        return Ok(found);
    }
    for stream in elements(answer, "XREAD")? {
        let mut parts = elements(stream, "XREAD")?.into_iter();
        let (Some(Value::BulkString(key)), Some(entries)) = (parts.next(), parts.next()) else {
            return Err(garbled("XREAD"));
        };
        let named = cursors.iter().find(|(lane, _)| shared.keys().facts(*lane) == key);
        let &(lane, after) = named.ok_or_else(|| garbled("XREAD"))?;
        for ((ms, sequence), pack) in stream_entries(entries)? {
            let facts = pack::decode(pack).ok_or_else(|| garbled("XREAD"))?;
            let count = facts.len() as u64;
            for (fact, place) in facts.into_iter().zip(1..) {
                let place = if place == count { LAST } else { place };
                let position = Place { ms, sequence, place }.position();
                if position > after && found.len() < limit {
                    found.push((FactLane(lane as u16), position, fact));
                }
            }
        }
    }
    Ok(found)
}

pub(super) async fn newest(shared: &Shared, lanes: &[FactLane]) -> EngineResult<Vec<FactPosition>> {
    let calls = lanes.iter().map(|&lane| {
        let place = known(shared, lane)?;
        Ok((place, shared.topology.functions().call(Function::Newest, &[shared.keys().facts(place)])))
    });
    let answers = shared.topology.ask_all(calls.collect::<EngineResult<_>>()?).await?;
    let read = |answer| {
        let id = elements(answer, "newest")?.first().and_then(stream_id).ok_or_else(|| garbled("newest"))?;
        let newest = Place { ms: id.0, sequence: id.1, place: LAST };
        Ok(if id == (0, 0) { FactPosition(0) } else { newest.position() })
    };
    answers.into_iter().map(read).collect()
}

fn known(shared: &Shared, lane: FactLane) -> EngineResult<Lane> {
    let place = usize::from(lane.0);
    if place < shared.keys().lanes() {
        return Ok(place);
    }
    Err(EngineError::Failed(format!("there is no lane {place} of facts").into()))
}

/// Entries that were read in full go; of one that was read in part it is remembered how far.
pub(super) async fn trim(shared: &Shared, lane: FactLane, through: FactPosition) -> EngineResult<()> {
    shared.check_open()?;
    let place = known(shared, lane)?;
    if shared.facts_trimmed(place) >= through {
        return Ok(());
    }
    let mut trim = redis::cmd("XTRIM");
    trim.arg(shared.keys().facts(place)).arg("MINID").arg("=").arg(Place::of(through).trim_before());
    let mut calls = vec![super::commits::write(place, trim)];
    let beyond_clock = through == FactPosition(u64::MAX);
    if Place::of(through).place != LAST {
        let mut mark = redis::cmd("SET");
        mark.arg(shared.keys().facts_trimmed(place)).arg(through.0);
        calls.push(super::commits::write(place, mark));
    }
    for answer in shared.topology.run(Line::Ask, calls, &shared.topology.reading()).await {
        answer?;
    }
    if !beyond_clock {
        shared.facts_trimmed[place].fetch_max(through.0, Ordering::AcqRel);
    }
    Ok(())
}

/// How far each lane was trimmed inside an entry, when a store is opened.
pub(super) async fn recall(shared: &Shared) -> EngineResult<()> {
    let lanes = 0..shared.keys().lanes();
    let calls = lanes.clone().map(|lane| {
        let mut ask = redis::cmd("GET");
        ask.arg(shared.keys().facts_trimmed(lane));
        (lane, ask)
    });
    let answers = shared.topology.ask_all(calls.collect()).await?;
    for (lane, answer) in lanes.zip(answers) {
        let through = super::errors::number(&answer).unwrap_or(0);
        shared.facts_trimmed[lane].store(through, Ordering::Release);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn positions_keep_the_order_of_ids(
            a in (0u64..1 << 41, 0u64..1 << 11, 0u64..1 << 12),
            b in (0u64..1 << 41, 0u64..1 << 11, 0u64..1 << 12),
        ) {
            let place = |(ms, sequence, place)| Place { ms: EPOCH_MS + ms, sequence, place };
            let (a, b) = (place(a), place(b));
            prop_assert_eq!(a.cmp(&b), a.position().cmp(&b.position()));
            if a.position().0 > 0 {
                prop_assert_eq!(Place::of(a.position()), a);
            }
        }
    }

    #[test]
    fn an_entry_that_was_read_in_part_is_read_again_and_kept() {
        let part = Place { ms: EPOCH_MS, sequence: 4, place: 1 };
        assert_eq!(
            (part.read_behind(), part.trim_before()),
            ("1577836800000-3".into(), "1577836800000-4".into())
        );
        let whole = Place { place: LAST, ..part };
        assert_eq!(
            (whole.read_behind(), whole.trim_before()),
            ("1577836800000-4".into(), "1577836800000-5".into())
        );
        assert_eq!(Place::of(FactPosition(0)).read_behind(), format!("0-{}", u64::MAX));
    }
}
