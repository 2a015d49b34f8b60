//! Reviews of templates, and what their owners are told.

use serde_json::{Value, json};

use super::World;
use super::schedule::{Change, Update};
use crate::simulator::error::GraphError;

impl World {
    pub(super) fn schedule_review(&mut self, now_ms: i64, account: usize, id: u64) {
        let review = self.behaviour.review.clone();
        let Some(verdict) = review.verdict else { return };
        let reason = if verdict == "REJECTED" { review.reason.as_str() } else { "NONE" };
        let due_ms = now_ms + review.after_ms;
        self.announce(due_ms, account, id, (&verdict, reason));
        self.reviews.insert((due_ms, id), verdict);
    }

    /// Gives every language of a template another status, as the provider does when people complain: the owner is
    /// told. Answers with how many there were.
    pub(crate) fn judge_template(&mut self, now_ms: i64, name: &str, status: &str) -> usize {
        let meant = self.judge_template_at(now_ms, name, status);
        self.settle_reviews(now_ms);
        meant
    }

    /// The same, later.
    pub(super) fn judge_template_at(&mut self, due_ms: i64, name: &str, status: &str) -> usize {
        let named = self.templates.iter().filter(|stored| stored.template.name == name);
        let meant: Vec<_> = named.map(|stored| (stored.account, stored.id)).collect();
        for (account, id) in &meant {
            self.announce(due_ms, *account, *id, (status, "NONE"));
            self.reviews.insert((due_ms, *id), status.to_owned());
        }
        meant.len()
    }

    fn announce(&mut self, due_ms: i64, account: usize, id: u64, (event, reason): (&str, &str)) {
        let Some(stored) = self.templates.iter().find(|stored| stored.id == id) else { return };
        let value = json!({
            "event": event,
            "message_template_id": id,
            "message_template_name": stored.template.name,
            // The provider writes the language with a hyphen here and with an underscore elsewhere.
            "message_template_language": stored.template.language.replace('_', "-"),
            "message_template_category": stored.template.category,
            "reason": reason,
        });
        let change = Change::Field { field: "message_template_status_update".into(), value };
        self.schedule.push(due_ms, Update { account, change });
    }

    /// Applies the verdicts that are due.
    pub(crate) fn settle_reviews(&mut self, now_ms: i64) {
        while let Some(entry) = self.reviews.first_entry().filter(|entry| entry.key().0 <= now_ms) {
            let ((_, id), verdict) = entry.remove_entry();
            if let Some(stored) = self.templates.iter_mut().find(|stored| stored.id == id) {
                stored.template.status = verdict;
            }
        }
    }

    /// Lets a paused template go on.
    pub(crate) fn unpause_template(&mut self, now_ms: i64, id: u64) -> Result<Value, GraphError> {
        let unknown = || GraphError::unknown_object(&id.to_string());
        let stored = self.templates.iter().find(|stored| stored.id == id).ok_or_else(unknown)?;
        if stored.template.status != "PAUSED" {
            return Err(GraphError::new(100, "Only paused templates can be unpaused"));
        }
        let account = stored.account;
        self.announce(now_ms, account, id, ("APPROVED", "NONE"));
        self.reviews.insert((now_ms, id), "APPROVED".to_owned());
        Ok(json!({ "success": true }))
    }

    /// Tells the owners of an account, or of all, about anything at all.
    pub(crate) fn tell_accounts(&mut self, now_ms: i64, waba: Option<&str>, field: &str, value: &Value) {
        for account in 0..self.accounts.len() {
            if waba.is_none_or(|waba| waba == self.accounts[account].waba_id) {
                let change = Change::Field { field: field.to_owned(), value: value.clone() };
                self.schedule.push(now_ms, Update { account, change });
            }
        }
    }
}
