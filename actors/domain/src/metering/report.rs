//! The provider's own word on what it charges, and whether it agrees with our estimate.

use protocol::content::Category;
use protocol::pricing::ProviderPricing;

use super::charge::Rule;

/// Charged or not, by the provider's word; `None` when it says nothing of the kind.
pub(super) fn is_charged(report: &ProviderPricing) -> Option<bool> {
    match report.kind.as_deref() {
        Some("regular") => Some(true),
        Some(kind) if kind.starts_with("free_") => Some(false),
        _ => report.billable,
    }
}

/// Whether the provider says that the message is within a free entry point.
pub(super) fn is_free_entry(report: &ProviderPricing) -> bool {
    report.kind.as_deref() == Some("free_entry_point")
        || report.category == "referral_conversion"
        || report.conversation_origin.as_deref() == Some("referral_conversion")
}

/// Our category for the provider's name of one; `None` for names that have no column in a rate card.
pub(super) fn category(report: &ProviderPricing) -> Option<Category> {
    Some(match report.category.as_str() {
        "marketing" | "marketing_lite" | "group_marketing" => Category::Marketing,
        "utility" | "group_utility" => Category::Utility,
        "authentication" | "authentication-international" | "authentication_international" => {
            Category::Authentication
        }
        "service" | "group_service" => Category::Service,
        _ => return None,
    })
}

/// Whether the provider's word says something else than our estimate. By conversation the provider reports
/// every message of a charged conversation as billable, so there only "free" can contradict us.
pub(super) fn differs(report: &ProviderPricing, estimate: Rule, sent_as: Category) -> bool {
    let by_conversation = report.model.eq_ignore_ascii_case("CBP");
    let amount_differs = match is_charged(report) {
        None => false,
        Some(true) if by_conversation => !estimate.is_charged() && estimate != Rule::WithinConversation,
        Some(charged) => charged != estimate.is_charged(),
    };
    amount_differs || category(report).is_some_and(|reported| estimate.is_charged() && reported != sent_as)
}
