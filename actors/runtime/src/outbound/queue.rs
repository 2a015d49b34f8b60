//! Messages of one number that wait to be claimed. Conversations take turns; within one, order is kept.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use protocol::id::{ConversationId, MessageId, NumberId, TenantId};
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use super::slots::NumberSlots;
use crate::settings::NodeSettings;

/// What waits for a number, and what holds it back. Offers come from every shard.
pub(crate) struct NumberQueue {
    pub(crate) tenant: TenantId,
    pub(crate) number: NumberId,
    limit: usize,
    ready: Mutex<Ready>,
    offered: Notify,
    pub(super) slots: Arc<NumberSlots>,
    /// POSTs under way.
    pub(super) posts: Arc<Semaphore>,
}

#[derive(Default)]
struct Ready {
    /// Conversations that have something to claim and nothing under way, in turn.
    turns: VecDeque<ConversationId>,
    conversations: HashMap<ConversationId, Waiting>,
    waiting: usize,
}

#[derive(Default)]
struct Waiting {
    messages: VecDeque<(MessageId, Instant)>,
    under_way: Option<MessageId>,
}

impl NumberQueue {
    pub(crate) fn new(tenant: TenantId, number: NumberId, settings: &NodeSettings) -> Self {
        Self {
            tenant,
            number,
            limit: settings.ready_messages,
            ready: Mutex::default(),
            offered: Notify::new(),
            slots: Arc::new(NumberSlots::new(number)),
            posts: Arc::new(Semaphore::new(settings.posts_per_number)),
        }
    }

    /// A message waits for a send slot. The same offer again changes nothing; an offer that finds the queue full is
    /// forgotten, since its conversation repeats it at its deadline.
    pub(crate) fn offer(&self, conversation: ConversationId, message: MessageId) {
        let mut ready = self.ready.lock();
        if ready.offer(conversation, message, self.limit) {
            drop(ready);
            self.offered.notify_one();
            self.slots.changed();
        }
    }

    /// The next message to claim; waits for one.
    pub(super) async fn next(&self) -> (ConversationId, MessageId) {
        loop {
            let offered = self.offered.notified();
            if let Some(next) = self.ready.lock().next() {
                return next;
            }
            offered.await;
        }
    }

    /// Nothing of this conversation is under way any more.
    pub(super) fn done(&self, conversation: ConversationId) {
        if self.ready.lock().done(conversation) {
            self.offered.notify_one();
            self.slots.changed();
        }
    }

    /// Messages that could be claimed now: one of each conversation.
    pub(super) fn ready(&self) -> usize {
        self.ready.lock().turns.len()
    }

    /// How long the oldest message has waited.
    pub(crate) fn oldest(&self) -> Option<Duration> {
        let ready = self.ready.lock();
        let first = ready.turns.front().and_then(|conversation| ready.conversations.get(conversation));
        first.and_then(|waiting| waiting.messages.front()).map(|(_, since)| since.elapsed())
    }

    /// Messages of contacts count against the same limit.
    pub(crate) fn count_received(&self, messages: u32) {
        self.slots.count_received(messages);
    }
}

impl Ready {
    /// Whether somebody may go now who could not before.
    fn offer(&mut self, conversation: ConversationId, message: MessageId, limit: usize) -> bool {
        if self.waiting >= limit {
            return false;
        }
        let waiting = self.conversations.entry(conversation).or_default();
        let known = |(queued, _): &(MessageId, Instant)| *queued == message;
        if waiting.under_way == Some(message) || waiting.messages.iter().any(known) {
            return false;
        }
        waiting.messages.push_back((message, Instant::now()));
        self.waiting += 1;
        let first = waiting.messages.len() == 1 && waiting.under_way.is_none();
        if first {
            self.turns.push_back(conversation);
        }
        first
    }

    fn next(&mut self) -> Option<(ConversationId, MessageId)> {
        let conversation = self.turns.pop_front()?;
        let waiting = self.conversations.get_mut(&conversation)?;
        let (message, _) = waiting.messages.pop_front()?;
        waiting.under_way = Some(message);
        self.waiting -= 1;
        Some((conversation, message))
    }

    fn done(&mut self, conversation: ConversationId) -> bool {
        let Some(waiting) = self.conversations.get_mut(&conversation) else { return false };
        waiting.under_way = None;
        if waiting.messages.is_empty() {
            self.conversations.remove(&conversation);
            return false;
        }
        self.turns.push_back(conversation);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ConversationId = ConversationId(1);
    const B: ConversationId = ConversationId(2);

    #[test]
    fn conversations_take_turns_and_keep_their_order() {
        let mut ready = Ready::default();
        for message in 1..=3 {
            ready.offer(A, MessageId(message), 10);
        }
        ready.offer(B, MessageId(9), 10);
        assert_eq!(ready.next(), Some((A, MessageId(1))));
        assert_eq!(ready.next(), Some((B, MessageId(9))));
        assert_eq!(ready.next(), None, "one under way per conversation");
        assert!(ready.done(A));
        assert!(!ready.done(B));
        assert_eq!(ready.next(), Some((A, MessageId(2))));
    }

    #[test]
    fn repeated_offers_change_nothing_and_the_queue_is_bounded() {
        let mut ready = Ready::default();
        assert!(ready.offer(A, MessageId(1), 1));
        assert!(!ready.offer(A, MessageId(1), 1));
        assert!(!ready.offer(B, MessageId(2), 1), "full");
        assert_eq!(ready.next(), Some((A, MessageId(1))));
        assert!(!ready.offer(A, MessageId(1), 1), "under way");
        assert!(!ready.done(A));
        assert!(ready.offer(A, MessageId(1), 1), "offered again after it came back");
    }
}
