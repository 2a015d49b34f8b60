//! Webhook updates that wait for their time.

use std::collections::BTreeMap;

use serde_json::Value;

/// One part of a future webhook.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Update {
    /// Index of the account that is told.
    pub(crate) account: usize,
    /// What it is told.
    pub(crate) change: Change,
}

/// What happened, without the envelope.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// Somebody wrote to a number.
    Message { number: String, contact: Option<Value>, message: Value },
    /// A message that was sent got further.
    Status { number: String, contact: Option<Value>, status: Value },
    /// An error about a number without a message (`value.errors`).
    Errors { number: String, error: Value },
    /// A field of the account, such as `message_template_status_update`.
    Field { field: String, value: Value },
}

/// Updates by the time they are due; those of one instant keep the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    due: BTreeMap<(i64, u64), Update>,
    made: u64,
}

impl Schedule {
    pub(crate) fn push(&mut self, due_ms: i64, update: Update) {
        self.made += 1;
        self.due.insert((due_ms, self.made), update);
    }

    pub(crate) fn len(&self) -> usize {
        self.due.len()
    }

    pub(crate) fn next_due_ms(&self) -> Option<i64> {
        self.due.keys().next().map(|(due_ms, _)| *due_ms)
    }

    /// Takes the earliest updates of the account that is first in line, at most `limit`, all due by `until_ms`.
    pub(crate) fn take_batch(&mut self, until_ms: i64, limit: usize) -> Vec<Update> {
        let Some(account) = self.due.values().next().map(|update| update.account) else { return Vec::new() };
        let keys: Vec<_> = self
            .due
            .range(..=(until_ms, u64::MAX))
            .filter(|(_, update)| update.account == account)
            .map(|(key, _)| *key)
            .take(limit)
            .collect();
        keys.iter().filter_map(|key| self.due.remove(key)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(account: usize, field: &str) -> Update {
        Update { account, change: Change::Field { field: field.into(), value: Value::Null } }
    }

    #[test]
    fn a_batch_holds_what_is_due_for_one_account_in_order() {
        let mut schedule = Schedule::default();
        schedule.push(20, update(0, "later"));
        schedule.push(10, update(0, "first"));
        schedule.push(10, update(1, "other account"));
        schedule.push(10, update(0, "second"));
        schedule.push(10, update(0, "third"));
        assert_eq!(schedule.next_due_ms(), Some(10));
        assert_eq!(schedule.take_batch(15, 2), [update(0, "first"), update(0, "second")]);
        assert_eq!(schedule.take_batch(15, 9), [update(1, "other account")]);
        assert_eq!(schedule.take_batch(15, 9), [update(0, "third")]);
        assert_eq!(schedule.take_batch(15, 9), []);
        assert_eq!(schedule.len(), 1);
    }
}
