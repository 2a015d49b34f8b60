//! Billing policies with their dates, as data. The provider's rules: facts on Cloud API pricing, 2023 to 2026.

use jiff::civil::{Date, date};
use protocol::time::SpanMs;
use serde::{Deserialize, Serialize};

/// A set of billing rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Our contract by conversation.
    Conversation,
    /// The provider's rules by conversation, with a free tier per account.
    Cbp2023,
    /// The same without charge for service conversations.
    #[serde(rename = "cbp_2024_11")]
    Cbp2024_11,
    /// The provider's rules by message: templates only.
    #[serde(rename = "pmp_2025_07")]
    Pmp2025_07,
    /// The same with service messages charged beyond a free tier per number.
    #[serde(rename = "pmp_2026_10")]
    Pmp2026_10,
}

impl Policy {
    /// Name in the API and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Cbp2023 => "cbp2023",
            Self::Cbp2024_11 => "cbp_2024_11",
            Self::Pmp2025_07 => "pmp_2025_07",
            Self::Pmp2026_10 => "pmp_2026_10",
        }
    }
}

/// The rules behind a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Its name.
    pub policy: Policy,
    /// The first day, in the tenant's time zone (the provider: in the account's).
    pub from: Date,
    /// What is counted and charged.
    pub unit: Unit,
    /// What answers to contacts cost.
    pub service: Service,
    /// Utility templates are free while the contact's window is open.
    pub utility_free_in_window: bool,
}

/// What is counted and charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A conversation of 24 hours and one category, opened by a delivered message.
    Conversation,
    /// A delivered message.
    Message,
}

/// What answers to contacts cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Nothing.
    Free,
    /// Their price, after so many free ones in a calendar month.
    Charged {
        /// Free units a month.
        free_a_month: i64,
        /// Who shares them.
        shared_by: Scope,
    },
}

/// Who shares a free tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All numbers of a tenant.
    Tenant,
    /// All numbers of a provider account.
    Account,
    /// One number.
    Number,
}

/// A conversation lasts 24 hours from its opening; it does not slide.
pub const CONVERSATION: SpanMs = SpanMs::hours(24);
/// A free entry point lasts 72 hours from the answer that opened it, unless the provider says otherwise.
pub const FREE_ENTRY: SpanMs = SpanMs::hours(72);
/// An advertisement must be answered within 24 hours to open a free entry point.
pub const FREE_ENTRY_ANSWER: SpanMs = SpanMs::hours(24);

/// The tenant's contract by conversation: business-initiated ones are charged per 24 hours and category,
/// user-initiated ones after 1,000 a month.
pub const CONTRACT: Terms = Terms {
    policy: Policy::Conversation,
    from: Date::MIN,
    unit: Unit::Conversation,
    service: Service::Charged { free_a_month: 1_000, shared_by: Scope::Tenant },
    utility_free_in_window: false,
};

/// The provider's rules, oldest first; the last one that has begun applies.
pub const PROVIDER: &[Terms] = &[
    Terms {
        policy: Policy::Cbp2023,
        from: Date::MIN, // in force since 2023-06-01, and the gateway knows nothing older
        unit: Unit::Conversation,
        service: Service::Charged { free_a_month: 1_000, shared_by: Scope::Account },
        utility_free_in_window: false,
    },
    Terms {
        policy: Policy::Cbp2024_11,
        from: date(2024, 11, 1),
        unit: Unit::Conversation,
        service: Service::Free,
        utility_free_in_window: false,
    },
    Terms {
        policy: Policy::Pmp2025_07,
        from: date(2025, 7, 1),
        unit: Unit::Message,
        service: Service::Free,
        utility_free_in_window: true,
    },
    Terms {
        policy: Policy::Pmp2026_10,
        from: date(2026, 10, 1),
        unit: Unit::Message,
        service: Service::Charged { free_a_month: 1_000, shared_by: Scope::Number },
        utility_free_in_window: false,
    },
];

/// The provider's rules of a day.
#[must_use]
pub fn provider_on(day: Date) -> &'static Terms {
    PROVIDER.iter().rev().find(|terms| terms.from <= day).unwrap_or(&PROVIDER[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_day_has_its_policy() {
        let table = [
            (date(2022, 1, 1), Policy::Cbp2023),
            (date(2024, 10, 31), Policy::Cbp2023),
            (date(2024, 11, 1), Policy::Cbp2024_11),
            (date(2025, 6, 30), Policy::Cbp2024_11),
            (date(2025, 7, 1), Policy::Pmp2025_07),
            (date(2026, 9, 30), Policy::Pmp2025_07),
            (date(2026, 10, 1), Policy::Pmp2026_10),
            (date(2030, 1, 1), Policy::Pmp2026_10),
        ];
        for (day, policy) in table {
            assert_eq!(provider_on(day).policy, policy, "{day}");
        }
        assert!(PROVIDER.is_sorted_by_key(|terms| terms.from));
    }
}
