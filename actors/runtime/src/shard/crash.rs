//! An entry that kills the process each time it is applied must not kill it for ever.
//!
//! Panics are caught where they happen; this is for the rest: stack overflow, out of memory, an abort. Before the
//! first batch that a process applies of a shard, it durably notes the place in the log. Whoever finds the note of
//! its own place when it starts knows that a process died there: it goes on one entry at a time, noting each, and
//! sets an entry aside whose note was written too often. The note is a command result under a key of its own,
//! written by an otherwise empty fenced commit, so that every engine has it; it costs one commit per shard and start.

use bytes::Bytes;
use protocol::command::CommandKey;
use protocol::id::derive;
use protocol::shard::ShardId;
use serde::{Deserialize, Serialize};
use store::engine::Position;

use crate::limits::{BATCH_EVENTS, CRASHES_PER_ENTRY};

/// What stands in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    position: Position,
    /// Processes that began to apply what follows the position.
    attempts: u32,
}

/// How the next entries of the log are to be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Care {
    /// In batches.
    None,
    /// One entry, after this note was committed.
    Note(NoteWrite),
    /// Set the next entry aside unseen.
    Skip,
}

/// A note to commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoteWrite {
    note: Note,
    /// The whole batch may follow, rather than one entry.
    pub(super) batch: bool,
}

/// Watches over the first entries that a process applies of one shard.
#[derive(Debug)]
pub(super) struct CrashGuard {
    found: Option<Note>,
    /// Entries that still have to be applied one at a time.
    careful: usize,
    first: bool,
}

/// Where a shard's note stands.
pub(super) fn note_key(shard: ShardId) -> CommandKey {
    CommandKey(derive("crash1", &[&shard.0.to_le_bytes()]))
}

impl CrashGuard {
    /// With the note that a process before may have left.
    pub(super) fn new(stored: Option<&[u8]>) -> Self {
        let found = stored.and_then(|bytes| postcard::from_bytes(bytes).ok());
        Self { found, careful: 0, first: true }
    }

    /// How to apply what follows `position`.
    pub(super) fn care(&mut self, position: Position) -> Care {
        if !self.first && self.careful == 0 {
            return Care::None;
        }
        let died_here = self.found.filter(|note| note.position == position).map_or(0, |note| note.attempts);
        if self.first {
            self.first = false;
            // The entry that killed is somewhere in the batch that was under way.
            self.careful = if died_here > 0 { BATCH_EVENTS } else { 0 };
        }
        if died_here >= CRASHES_PER_ENTRY {
            return Care::Skip;
        }
        let note = Note { position, attempts: died_here + 1 };
        Care::Note(NoteWrite { note, batch: self.careful == 0 })
    }

    /// An entry was applied, or set aside.
    pub(super) fn passed(&mut self) {
        self.careful = self.careful.saturating_sub(1);
    }
}

impl NoteWrite {
    pub(super) fn bytes(self) -> Bytes {
        // Two integers always have a stored form; without a note the guard merely starts counting later.
        postcard::to_stdvec(&self.note).map(Bytes::from).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process starts at `position` and dies with the first entry: returns what it left, or `None` if it skipped.
    fn start_and_die(stored: Option<Bytes>, position: u64) -> Option<Bytes> {
        match CrashGuard::new(stored.as_deref()).care(Position(position)) {
            Care::Note(note) => Some(note.bytes()),
            Care::Skip => None,
            Care::None => unreachable!("the first batch is always noted"),
        }
    }

    #[test]
    fn an_entry_that_kills_three_times_is_skipped() {
        let mut stored = None;
        for _ in 0..CRASHES_PER_ENTRY {
            stored = start_and_die(stored, 7);
            assert!(stored.is_some());
        }
        assert_eq!(start_and_die(stored, 7), None);
    }

    #[test]
    fn a_crash_elsewhere_starts_counting_anew() {
        let stored = start_and_die(start_and_die(None, 7), 7);
        let mut guard = CrashGuard::new(stored.as_deref());
        assert!(matches!(guard.care(Position(8)), Care::Note(note) if note.note.attempts == 1 && note.batch));
        assert_eq!(guard.care(Position(9)), Care::None, "only the first batch is noted");
    }

    #[test]
    fn after_a_crash_entries_go_one_by_one_for_the_length_of_a_batch() {
        let stored = start_and_die(None, 7);
        let mut guard = CrashGuard::new(stored.as_deref());
        for entry in 0..BATCH_EVENTS as u64 {
            assert!(matches!(guard.care(Position(7 + entry)), Care::Note(note) if !note.batch));
            guard.passed();
        }
        assert_eq!(guard.care(Position(999)), Care::None);
    }
}
