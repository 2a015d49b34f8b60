//! The end of one shard's log, as far as this node knows it without asking.
//!
//! What a node appends to a shard that it owns itself need not be fetched: it stands here. What others append is
//! only known by its number, until it is fetched.

use std::collections::VecDeque;

use crate::engine::limits::{REDIS_SHARDS, TAIL_RESIDENT_MAX_BYTES};
use crate::engine::{LogEntry, Position};
use bytes::Bytes;

/// What one shard may keep here: all of the usual number together keep to the bound.
const TAIL_SHARE_BYTES: usize = TAIL_RESIDENT_MAX_BYTES / REDIS_SHARDS as usize;

/// What a reader finds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Entries, in order.
    Found(Vec<LogEntry>),
    /// There may be some: fetch, then tell what was found, with this number.
    Fetch(u64),
    /// Nothing before the next news.
    Nothing,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// Of the lane, when this was learnt.
    generation: u64,
    /// Number of the entry before the first one here.
    start: u64,
    entries: VecDeque<Bytes>,
    /// Number of the last entry of all, if it was heard of.
    last: Option<u64>,
    /// Counts what was heard.
    news: u64,
    /// Behind this number nothing was found, when so much had been heard.
    vacant: Option<(u64, u64)>,
    /// Bytes here.
    bytes: usize,
}

impl Tail {
    /// Forgets everything, and begins behind an entry.
    pub(super) fn restart(&mut self, generation: u64, after: u64) {
        *self = Self { generation, start: after, news: self.news + 1, ..Self::default() };
    }

    fn end(&self) -> u64 {
        self.start + self.entries.len() as u64
    }

    fn in_generation(&mut self, generation: u64) {
        if self.generation != generation {
            self.restart(generation, self.start);
        }
    }

    /// The log reaches to `last`. `true` if that is new.
    pub(super) fn heard(&mut self, generation: u64, last: u64) -> bool {
        self.in_generation(generation);
        let new = self.last.is_none_or(|known| known < last);
        if new {
            self.last = Some(last);
            self.news += 1;
        }
        new
    }

    /// Entries that this node appended, the last of them with number `last`.
    pub(super) fn appended(&mut self, generation: u64, last: u64, entries: &[Bytes]) {
        self.heard(generation, last);
        let bytes: usize = entries.iter().map(Bytes::len).sum();
        if last == self.end() + entries.len() as u64 && self.bytes + bytes <= TAIL_SHARE_BYTES {
            self.entries.extend(entries.iter().cloned());
            self.bytes += bytes;
        }
    }

    pub(super) fn look(&mut self, generation: u64, after: u64, limit: usize) -> Look {
        self.in_generation(generation);
        if after >= self.start && after < self.end() {
            let skipped = (after - self.start) as usize;
            let found = self.entries.iter().skip(skipped).take(limit).zip(after + 1..);
            return Look::Found(
                found
                    .map(|(bytes, number)| LogEntry { position: Position(number), bytes: bytes.clone() })
                    .collect(),
            );
        }
        let nothing_came = self.vacant.is_some_and(|(behind, news)| behind <= after && news == self.news);
        if nothing_came || self.last.is_some_and(|last| last <= after) {
            Look::Nothing
        } else {
            Look::Fetch(self.news)
        }
    }

    /// Entries up to `through` were fetched, beginning behind `after`; none if they are equal.
    pub(super) fn fetched(&mut self, generation: u64, news: u64, after: u64, through: u64) {
        self.in_generation(generation);
        if after == through {
            self.vacant = Some((after, news));
        } else if through > self.end() {
            self.start = through;
            self.entries.clear();
            self.bytes = 0;
        }
    }

    /// Entries up to `through` were applied.
    pub(super) fn applied(&mut self, through: u64) {
        while self.start < through
            && let Some(entry) = self.entries.pop_front()
        {
            self.start += 1;
            self.bytes -= entry.len();
        }
        self.start = self.start.max(through);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(numbers: std::ops::RangeInclusive<u64>) -> Vec<Bytes> {
        numbers.map(|number| Bytes::from(number.to_string())).collect()
    }

    fn found(numbers: std::ops::RangeInclusive<u64>) -> Look {
        let all = numbers.clone().zip(entries(numbers));
        Look::Found(all.map(|(n, bytes)| LogEntry { position: Position(n), bytes }).collect())
    }

    #[test]
    fn own_entries_are_read_without_fetching_until_they_are_applied() {
        let mut tail = Tail::default();
        tail.restart(0, 5);
        tail.appended(0, 7, &entries(6..=7));
        tail.appended(0, 9, &entries(8..=9));
        assert_eq!(tail.look(0, 5, 9), found(6..=9));
        assert_eq!(tail.look(0, 6, 2), found(7..=8));
        tail.applied(8);
        assert_eq!(tail.look(0, 8, 9), found(9..=9));
        assert_eq!((tail.look(0, 9, 9), tail.bytes), (Look::Nothing, 1));
        assert!(matches!(tail.look(0, 7, 9), Look::Fetch(_)), "what was dropped is fetched");
    }

    #[test]
    fn a_gap_is_fetched() {
        let mut tail = Tail::default();
        tail.restart(0, 0);
        tail.appended(0, 1, &entries(1..=1));
        tail.appended(0, 4, &entries(4..=4));
        assert_eq!(tail.look(0, 0, 9), found(1..=1));
        let Look::Fetch(news) = tail.look(0, 1, 9) else { panic!("2 and 3 are elsewhere") };
        tail.fetched(0, news, 1, 4);
        assert_eq!(tail.look(0, 4, 9), Look::Nothing);
        tail.appended(0, 5, &entries(5..=5));
        assert_eq!(tail.look(0, 4, 9), found(5..=5));
    }

    #[test]
    fn an_empty_fetch_is_repeated_only_after_news() {
        let mut tail = Tail::default();
        let Look::Fetch(news) = tail.look(0, 3, 9) else { panic!("nothing is known yet") };
        tail.fetched(0, news, 3, 3);
        assert_eq!(tail.look(0, 3, 9), Look::Nothing);
        tail.heard(0, 4);
        assert!(matches!(tail.look(0, 3, 9), Look::Fetch(_)));
    }

    #[test]
    fn another_generation_knows_nothing() {
        let mut tail = Tail::default();
        tail.appended(0, 1, &entries(1..=1));
        assert!(matches!(tail.look(1, 0, 9), Look::Fetch(_)));
        assert!(tail.heard(1, 1), "the same number again is news");
    }
}
