//! Dead letters: numbered rows and, beside them, the number of each id.

use fjall::OwnedWriteBatch;
use protocol::id::DeadLetterId;

use super::keys;
use super::tables::{Tables, damaged, failed};
use crate::engine::{DeadLetter, EngineResult};

/// The number of a letter.
pub(super) fn number_of(tables: &Tables, id: DeadLetterId) -> EngineResult<Option<u64>> {
    let row = tables.letter_ids.get(id.0.to_be_bytes()).map_err(failed)?;
    row.map(|row| keys::read_u64(&row).ok_or_else(|| damaged("number of a dead letter"))).transpose()
}

/// A letter by its number.
pub(super) fn read(tables: &Tables, number: u64) -> EngineResult<Option<DeadLetter>> {
    let row = tables.letters.get(number.to_be_bytes()).map_err(failed)?;
    row.map(|row| postcard::from_bytes(&row).map_err(failed)).transpose()
}

/// Letters behind a number, in order.
pub(super) fn list(tables: &Tables, after: u64, limit: usize) -> EngineResult<Vec<DeadLetter>> {
    let rows = tables.letters.range(after.saturating_add(1).to_be_bytes()..);
    rows.take(limit).map(|row| postcard::from_bytes(&row.value().map_err(failed)?).map_err(failed)).collect()
}

/// Adds a letter.
pub(super) fn insert(
    tables: &Tables,
    batch: &mut OwnedWriteBatch,
    number: u64,
    letter: &DeadLetter,
) -> EngineResult<()> {
    batch.insert(&tables.letters, number.to_be_bytes(), postcard::to_stdvec(letter).map_err(failed)?);
    batch.insert(&tables.letter_ids, letter.id.0.to_be_bytes(), number.to_be_bytes());
    Ok(())
}

/// Takes a letter away.
pub(super) fn remove(tables: &Tables, batch: &mut OwnedWriteBatch, number: u64, id: DeadLetterId) {
    batch.remove(&tables.letters, number.to_be_bytes());
    batch.remove(&tables.letter_ids, id.0.to_be_bytes());
}
