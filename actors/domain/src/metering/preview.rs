//! What a message would be charged if it were delivered now: the meter itself, on a copy of what it remembers.

use compact_str::CompactString;
use protocol::content::{Category, Channel};
use protocol::entry::Address;
use protocol::id::MessageId;
use protocol::time::TimestampMs;

use super::apply::{Counters, tiers};
use super::bill::{Delivery, bill};
use super::book::Book;
use super::charge::Line;
use super::state::PairState;

/// A message that nobody has sent yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What it would be charged as.
    pub category: Category,
    /// Whether it would be sent as a template; everything else is an answer.
    pub template: bool,
    /// When.
    pub at: TimestampMs,
}

/// The counters that [`preview`] wants to find, absent ones count as zero.
#[must_use]
pub fn preview_counters(book: &Book<'_>, to: &Address, wish: Wish) -> Vec<CompactString> {
    tiers(book, to.number, (wish.at, wish.at))
}

/// The line that the ledger would have; its message is nobody's. Other channels have prices of their own.
#[must_use]
pub fn preview(
    state: &PairState,
    book: &Book<'_>,
    counters: &Counters,
    (to, wish): (&Address, Wish),
) -> Option<Line> {
    let mut state = state.clone();
    if state.number.is_none() {
        state.identify(to.number, Channel::Whatsapp, &to.contact);
    }
    if state.channel != Some(Channel::Whatsapp) {
        return None;
    }
    let Wish { category, template, at } = wish;
    let category = if template { category } else { Category::Service };
    let delivery = Delivery { message: MessageId(0), at, queued_at: at, category, template, report: None };
    bill(&mut state, book, &mut counters.clone(), to.conversation, delivery)
}
