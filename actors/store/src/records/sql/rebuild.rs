//! Deriving everything again, in steps that an interruption leaves to the next start.

use futures_util::FutureExt as _;

use super::super::limits::MAX_EVENT_PAGE;
use super::super::{EventSeq, RecordsResult};
use super::statement::{Database, Durability, Lock, Sql, number, set_number};
use super::value::values;
use super::{contacts, events, load, save};

/// Set while a rebuild is under way: one more than the place that it has reached.
const REBUILDING: &str = "rebuilding";

/// What a rebuild derives again.
const DERIVED: [&str; 8] = [
    "DELETE FROM conversations",
    "DELETE FROM contacts",
    "DELETE FROM contact_words",
    "DELETE FROM messages",
    "DELETE FROM attempts",
    "DELETE FROM repliers",
    "DELETE FROM consents",
    "DELETE FROM audit WHERE event_seq IS NOT NULL",
];

/// Empties what is derived.
pub(crate) async fn begin<S: Sql>(db: &mut S) -> RecordsResult<()> {
    db.lock(vec![Lock::Rebuild]).await?;
    for delete in DERIVED {
        db.run(delete, values![]).await?;
    }
    contacts::apply_cards(db).await?;
    set_number(db, REBUILDING, 1).await
}

/// Ends a rebuild that was begun, if there is one.
pub(crate) async fn finish<D: Database>(database: &D) -> RecordsResult<()> {
    while database.write(Durability::Process, |db| step(db).boxed()).await? {}
    Ok(())
}

/// One transaction of a rebuild; `false` when there is none or it is done.
pub(crate) async fn step<S: Sql>(db: &mut S) -> RecordsResult<bool> {
    db.lock(vec![Lock::Rebuild]).await?;
    let Some(reached) = number(db, REBUILDING).await?.checked_sub(1) else { return Ok(false) };
    let stored = events::after(db, EventSeq(reached), MAX_EVENT_PAGE).await?;
    let mut batch = load::batch(db, stored.iter().map(|stored| &stored.event)).await?;
    for stored in &stored {
        batch.fold(stored.seq, &stored.event);
    }
    save::rows(db, &batch).await?;
    save::places(db, &batch, EventSeq(0)).await?;
    let next = stored.last().map_or(0, |last| last.seq.0 + 1);
    set_number(db, REBUILDING, next).await?;
    Ok(next > 0)
}
