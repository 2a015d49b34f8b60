//! Rows that are forgotten after a time: their value begins with the end of their life.
//!
//! Reading one too late finds nothing; its space is taken back when the tree merges its files, which it does
//! in proportion to what is written. So nobody ever has to look for old rows.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use fjall::Slice;
use fjall::compaction::filter::{
    CompactionFilter, CompactionFilterResult, Context, Factory, ItemAccessor, Verdict,
};
use protocol::time::TimestampMs;

use crate::engine::Clock;

/// A value that lives until a time.
pub(super) fn encode(until: TimestampMs, bytes: &[u8]) -> Vec<u8> {
    [&until.0.to_le_bytes(), bytes].concat()
}

fn until(value: &[u8]) -> Option<TimestampMs> {
    value.first_chunk::<8>().map(|until| TimestampMs(i64::from_le_bytes(*until)))
}

/// The value, if its time is not over.
pub(super) fn alive(value: Slice, now: TimestampMs) -> Option<Bytes> {
    until(&value).filter(|&until| until > now).map(|_| Bytes::from_owner(value).slice(8..))
}

/// Drops rows whose time is over whenever the tree merges files.
pub(super) struct DropExpired {
    clock: AssertUnwindSafe<Arc<dyn Clock>>,
}

impl DropExpired {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock: AssertUnwindSafe(clock) }
    }
}

impl Factory for DropExpired {
    fn name(&self) -> &str {
        "expiry"
    }

    fn make_filter(&self, _: &Context) -> Box<dyn CompactionFilter> {
        Box::new(Before(self.clock.now()))
    }
}

struct Before(TimestampMs);

impl CompactionFilter for Before {
    fn filter_item(&mut self, item: ItemAccessor<'_>, _: &Context) -> CompactionFilterResult {
        let expired = until(&item.value()?).is_some_and(|until| until <= self.0);
        Ok(if expired { Verdict::Remove } else { Verdict::Keep })
    }
}
