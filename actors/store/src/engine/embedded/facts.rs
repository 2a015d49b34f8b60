//! Facts: one row per group, its key the position of its first fact.

use bytes::Bytes;
use fjall::Slice;

use super::keys;
use super::tables::{Tables, damaged, failed};
use crate::engine::{EngineResult, FactPosition};

/// Packs the facts of a group: lengths, then bytes.
pub(super) fn encode(facts: &[Bytes]) -> EngineResult<Vec<u8>> {
    let lengths: Vec<u32> = facts.iter().map(|fact| fact.len() as u32).collect();
    let body: usize = facts.iter().map(Bytes::len).sum();
    let mut row =
        postcard::to_extend(&lengths, Vec::with_capacity(body + 3 * facts.len() + 8)).map_err(failed)?;
    facts.iter().for_each(|fact| row.extend_from_slice(fact));
    Ok(row)
}

/// Facts after a position, at most `limit`, in order.
pub(super) fn read(
    tables: &Tables,
    after: FactPosition,
    limit: usize,
) -> EngineResult<Vec<(FactPosition, Bytes)>> {
    let wanted = after.0.saturating_add(1);
    let mut found = Vec::new();
    for row in tables.facts.range(row_of(tables, wanted)?.to_be_bytes()..) {
        let (key, row) = row.into_inner().map_err(failed)?;
        unpack(&key, row, wanted, &mut found)?;
        if found.len() >= limit {
            break;
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// Rows that hold nothing behind `through`, oldest first, at most `limit`; `removed` began the last row that
/// was removed before.
pub(super) fn rows_through(
    tables: &Tables,
    removed: u64,
    through: u64,
    limit: usize,
) -> EngineResult<Vec<u64>> {
    let mut rows = Vec::new();
    for row in tables.facts.range((removed + 1).to_be_bytes()..).take(limit) {
        let (key, row) = row.into_inner().map_err(failed)?;
        let (lengths, _) = postcard::take_from_bytes::<Vec<u32>>(&row).map_err(failed)?;
        let first = first_of(&key)?;
        if first + lengths.len() as u64 > through + 1 {
            break;
        }
        rows.push(first);
    }
    Ok(rows)
}

/// The row in which a fact stands: it begins at it or before it. Found from behind, so that a look does not
/// step over the tombstones of trimmed rows.
fn row_of(tables: &Tables, fact: u64) -> EngineResult<u64> {
    match tables.facts.range(..=fact.to_be_bytes()).next_back() {
        Some(row) => first_of(&row.key().map_err(failed)?),
        None => Ok(fact),
    }
}

fn first_of(key: &[u8]) -> EngineResult<u64> {
    keys::read_u64(key).ok_or_else(|| damaged("key of facts"))
}

fn unpack(key: &[u8], row: Slice, wanted: u64, found: &mut Vec<(FactPosition, Bytes)>) -> EngineResult<()> {
    let (lengths, body) = postcard::take_from_bytes::<Vec<u32>>(&row).map_err(failed)?;
    let mut offset = row.len() - body.len();
    let row = Bytes::from_owner(row);
    for (position, length) in (first_of(key)?..).zip(lengths) {
        let end = offset + length as usize;
        if end > row.len() {
            return Err(damaged("facts"));
        }
        if position >= wanted {
            found.push((FactPosition(position), row.slice(offset..end)));
        }
        offset = end;
    }
    Ok(())
}
