//! From a webhook to the POST of its reply.

use std::collections::HashMap;

use serde::Serialize;

use crate::simulator::LedgerEntry;

use super::measure::{Latency, Times};
use super::play::Played;
use super::script::{Update, What};
use super::world::phone;

/// Replies of the bot.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Replies {
    /// Messages that need one and were accepted.
    pub expected: usize,
    /// POSTs to their contacts.
    pub posted: usize,
    /// From the intended start of the webhook to the POST.
    pub latency_ms: Latency,
}

/// Pairs the messages of each contact of the bot with what it was sent: every line is answered once, in order.
pub(super) fn replies(played: &Played, ledger: &[LedgerEntry]) -> Replies {
    // Nobody writes to two numbers, so that a contact tells its number too.
    let mut posts: HashMap<&str, Vec<i64>> = HashMap::new();
    for entry in ledger {
        posts.entry(&entry.to).or_default().push(entry.at_ms);
    }
    for times in posts.values_mut() {
        times.sort_unstable();
        times.reverse();
    }
    let mut replies = Replies::default();
    let mut times = Times::new(3);
    for (event, outcome) in played.script.events.iter().zip(&played.outcomes) {
        let What::NeedingReply { desk, first } = event.what else { continue };
        let Update::Message { contact, .. } = played.script.updates[first as usize] else { continue };
        if !outcome.is_accepted() {
            continue;
        }
        replies.expected += 1;
        let post = posts.get_mut(phone(usize::from(desk), contact).as_str());
        if let Some(at_ms) = post.and_then(Vec::pop) {
            replies.posted += 1;
            let intended_us = played.unix_ms * 1_000 + i64::try_from(event.at_us).unwrap_or(i64::MAX);
            times.add(u64::try_from(at_ms * 1_000 - intended_us).unwrap_or(0));
        }
    }
    replies.latency_ms = times.latency();
    replies
}
