//! What becomes of an accepted message, told as status webhooks.

use serde_json::{Value, json};

use super::World;
use super::people::{Person, Shown};
use super::pricing::{Circumstances, policy_at, pricing};
use super::schedule::{Change, Update};
use crate::simulator::behaviour::{PricingOn, PricingPolicy};
use crate::simulator::error::GraphError;

/// A message that the provider accepted.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    pub(crate) account: usize,
    pub(crate) number: String,
    pub(crate) person: Person,
    /// Sent to the user id, not to a phone number.
    pub(crate) by_user_id: bool,
    pub(crate) wamid: String,
    pub(crate) opaque_id: Option<String>,
    /// `service`, or the category of its template.
    pub(crate) category: String,
    /// It will fail with this.
    pub(crate) failure: Option<GraphError>,
}

/// The free entry point lasts this long after the answer that opened it.
const FREE_ENTRY_MS: i64 = 72 * 3_600_000;

/// The price and the conversation that statuses of one message carry.
struct Billing {
    pricing: Value,
    conversation: Option<Value>,
}

impl World {
    /// Schedules the statuses of a message.
    pub(crate) fn follow(&mut self, now_ms: i64, message: Accepted) {
        let manners = self.behaviour.statuses.clone();
        if !manners.enabled {
            return;
        }
        if message.failure.is_some() {
            return self.tell(&message, "failed", now_ms + manners.sent_after_ms, None);
        }
        let read = self.chance(manners.read_probability);
        let skip_delivered = read && self.chance(manners.skip_delivered_probability);
        let mut steps = vec![("sent", manners.sent_after_ms)];
        if !skip_delivered {
            steps.push(("delivered", manners.delivered_after_ms));
        }
        if read {
            steps.push(("read", manners.read_after_ms));
        }
        let billing = self.billing(now_ms, &message);
        let mut due: Vec<i64> = steps.iter().map(|(_, after_ms)| now_ms + after_ms).collect();
        if self.chance(manners.reorder_probability) {
            due.reverse();
        }
        for (index, (status, _)) in steps.iter().enumerate() {
            let carries = match self.behaviour.pricing.on {
                PricingOn::Both => index < 2,
                PricingOn::Sent => index == 0,
                PricingOn::Delivered => index == 1,
            };
            let billing = carries.then_some(&billing);
            self.tell(&message, status, due[index], billing);
            if self.chance(manners.double_probability) {
                self.tell(&message, status, due[index] + manners.sent_after_ms, billing);
            }
        }
    }

    fn tell(&mut self, message: &Accepted, status: &str, due_ms: i64, billing: Option<&Billing>) {
        let person = &message.person;
        let hidden = self.hides(person);
        let mut body = json!({
            "id": message.wamid,
            "status": status,
            "timestamp": (due_ms / 1_000).to_string(),
        });
        if !(hidden && message.by_user_id) {
            body["recipient_id"] = json!(person.wa_id);
        }
        let failed = status == "failed";
        if self.behaviour.user_ids && (message.by_user_id || !failed) {
            body["recipient_user_id"] = json!(person.user_id);
        }
        if let Some(opaque_id) = &message.opaque_id {
            body["biz_opaque_callback_data"] = json!(opaque_id);
        }
        if let Some(failure) = &message.failure {
            body["errors"] = json!([failure.in_webhook()]);
        }
        if let Some(billing) = billing {
            body["pricing"] = billing.pricing.clone();
            if let Some(conversation) = &billing.conversation {
                body["conversation"] = conversation.clone();
                if status != "sent"
                    && let Some(conversation) = body["conversation"].as_object_mut()
                {
                    conversation.remove("expiration_timestamp");
                }
            }
        }
        // Since 2026 statuses name the contact, except failed ones; usernames only once it was delivered.
        let contact = (self.behaviour.user_ids && !failed)
            .then(|| person.card(Shown { phone: !hidden, user_id: true, username: status != "sent" }));
        let change = Change::Status { number: message.number.clone(), contact, status: body };
        self.schedule.push(due_ms, Update { account: message.account, change });
    }

    /// Whether a contact is shown without its phone number.
    pub(crate) fn hides(&self, person: &Person) -> bool {
        self.behaviour.hide_phones && self.behaviour.user_ids && person.username.is_some()
    }

    fn billing(&mut self, now_ms: i64, message: &Accepted) -> Billing {
        let policy = self.behaviour.pricing.policy.unwrap_or_else(|| policy_at(now_ms));
        let free_entry = self.free_entry(now_ms, message);
        let window_open = self.pair(&message.number, &message.person.wa_id).window_open(now_ms);
        let free_service_left = message.category == "service" && self.count_service(now_ms, &message.number);
        let pricing = pricing(
            &message.category,
            Circumstances { policy, window_open, free_entry_point: free_entry.is_some(), free_service_left },
        );
        let conversation = match free_entry {
            Some((id, ends_ms)) => Some(conversation(&id, ends_ms, "referral_conversion")),
            // Until v23.0 every status has one; it stands for a single message since 2025-07-01.
            None if self.accounts[message.account].webhook_version < 24
                || policy == PricingPolicy::Conversation =>
            {
                Some(conversation(
                    &message.wamid[6..26],
                    now_ms + super::people::WINDOW_MS,
                    &message.category,
                ))
            }
            None => None,
        };
        Billing { pricing, conversation }
    }

    /// The free entry point that this message falls into or opens.
    fn free_entry(&mut self, now_ms: i64, message: &Accepted) -> Option<(String, i64)> {
        let pair = self.pair(&message.number, &message.person.wa_id);
        if pair.free_entry.as_ref().is_some_and(|(_, ends_ms)| now_ms < *ends_ms) {
            return pair.free_entry.clone();
        }
        let referred_ms = pair.referred_ms.take()?;
        if now_ms >= referred_ms + super::people::WINDOW_MS {
            return None;
        }
        let id: String = message.wamid.chars().skip(6).take(20).collect();
        pair.free_entry = Some((id, now_ms + FREE_ENTRY_MS));
        pair.free_entry.clone()
    }

    /// Counts one service message of the month; `true` while the free ones last.
    fn count_service(&mut self, now_ms: i64, number: &str) -> bool {
        let free = self.behaviour.pricing.free_service_messages;
        let at =
            jiff::Timestamp::from_millisecond(now_ms).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC);
        let month = (at.year(), at.month());
        let Some(state) = self.numbers.get_mut(number) else { return false };
        if state.service_messages.0 != month {
            state.service_messages = (month, 0);
        }
        state.service_messages.1 += 1;
        state.service_messages.1 <= free
    }
}

fn conversation(id: &str, ends_ms: i64, origin: &str) -> Value {
    json!({
        "id": id,
        "expiration_timestamp": (ends_ms / 1_000).to_string(),
        "origin": { "type": origin },
    })
}
