//! The `pricing` object of a status, by the rules of its date.

use serde_json::{Value, json};

use crate::simulator::behaviour::PricingPolicy;

/// 2025-07-01 and 2026-10-01, 00:00 UTC: the provider counts from midnight in the account's zone, here that is UTC.
const TEMPLATE_POLICY_FROM_MS: i64 = 1_751_328_000_000;
const MESSAGE_POLICY_FROM_MS: i64 = 1_790_812_800_000;

/// What a price depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    pub(crate) policy: PricingPolicy,
    pub(crate) window_open: bool,
    pub(crate) free_entry_point: bool,
    pub(crate) free_service_left: bool,
}

/// The rules in force at a time.
pub(crate) fn policy_at(now_ms: i64) -> PricingPolicy {
    if now_ms >= MESSAGE_POLICY_FROM_MS {
        PricingPolicy::Message
    } else if now_ms >= TEMPLATE_POLICY_FROM_MS {
        PricingPolicy::Template
    } else {
        PricingPolicy::Conversation
    }
}

/// The price of one message; `category` is `service` for anything but a template.
pub(crate) fn pricing(category: &str, at: Circumstances) -> Value {
    let free_customer_service = match (at.policy, category) {
        (PricingPolicy::Message, "service") => at.free_service_left,
        (PricingPolicy::Template, "service") => true,
        (PricingPolicy::Template, "utility") => at.window_open,
        _ => false,
    };
    let (billable, kind) = if at.free_entry_point {
        (false, "free_entry_point")
    } else if free_customer_service {
        (false, "free_customer_service")
    } else {
        // Service conversations have been free since 2024-11-01, utility and the others never were.
        (at.policy != PricingPolicy::Conversation || category != "service", "regular")
    };
    let model = if at.policy == PricingPolicy::Conversation { "CBP" } else { "PMP" };
    let category = if at.free_entry_point { "referral_conversion" } else { category };
    json!({ "billable": billable, "pricing_model": model, "type": kind, "category": category })
}

#[cfg(test)]
mod tests {
    use super::*;
    use PricingPolicy::{Conversation, Message, Template};

    #[test]
    fn policies_follow_the_calendar() {
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        assert_eq!(policy_at(at("2025-06-30T23:59:59Z")), Conversation);
        assert_eq!(policy_at(at("2025-07-01T00:00:00Z")), Template);
        assert_eq!(policy_at(at("2026-09-30T23:59:59Z")), Template);
        assert_eq!(policy_at(at("2026-10-01T00:00:00Z")), Message);
    }

    #[test]
    fn each_policy_has_its_own_idea_of_free() {
        let price = |policy, category: &str, window_open, free_service_left| {
            let at = Circumstances { policy, window_open, free_entry_point: false, free_service_left };
            let price = pricing(category, at);
            (price["billable"] == true, price["type"].as_str().unwrap().to_owned())
        };
        assert_eq!(price(Template, "service", true, true), (false, "free_customer_service".into()));
        assert_eq!(price(Template, "utility", true, true), (false, "free_customer_service".into()));
        assert_eq!(price(Template, "utility", false, true), (true, "regular".into()));
        assert_eq!(price(Message, "utility", true, true), (true, "regular".into()));
        assert_eq!(price(Message, "service", true, true), (false, "free_customer_service".into()));
        assert_eq!(price(Message, "service", true, false), (true, "regular".into()));
        assert_eq!(price(Conversation, "service", true, true), (false, "regular".into()));
        assert_eq!(price(Conversation, "marketing", true, true), (true, "regular".into()));
    }
}
