//! What to do about the provider's error codes. Codes decide, never HTTP status or title
//! (facts: Cloud API error codes, 2026; the retry column is the provider's advice or follows from the meaning).

use std::ops::RangeInclusive;

use self::RetryPolicy::{Backoff, Later, Never, OtherChannel, PairBackoff, UntilFixed};
use crate::time::SpanMs;

/// Whether and when a refused message may be sent again, unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryPolicy {
    /// Passing trouble: soon, with growing pauses.
    Backoff,
    /// Too many messages to one person: after 1, 4, 16 … seconds, as the provider asks.
    PairBackoff,
    /// A limit that lifts by itself after about this long.
    Later(SpanMs),
    /// Not before a person has fixed something (token, payment, registration); the same message then works.
    UntilFixed,
    /// The person cannot be reached on WhatsApp: another channel may.
    OtherChannel,
    /// Never: the same message fails again.
    Never,
}

/// Attempts after which a message is given up, whatever the policy. With doubling pauses that is half an hour: an
/// outage of the provider should not lose what people wrote.
pub const MAX_ATTEMPTS: u32 = 12;

/// First pause of [`RetryPolicy::Backoff`].
const BACKOFF_START: SpanMs = SpanMs::seconds(1);
/// Longest pause of any growing policy.
const BACKOFF_END: SpanMs = SpanMs::minutes(10);

impl RetryPolicy {
    /// The pause before the next attempt, after `failed` failed ones (1 or more). `None`: do not try again by
    /// yourself. The provider's own `Retry-After` wins when it is longer.
    #[must_use]
    pub fn pause(self, failed: u32) -> Option<SpanMs> {
        if failed >= MAX_ATTEMPTS {
            return None;
        }
        let grow = |factor: i64| {
            let pause = BACKOFF_START.0.saturating_mul(factor.saturating_pow(failed.saturating_sub(1)));
            Some(SpanMs(pause.min(BACKOFF_END.0)))
        };
        match self {
            Self::Backoff => grow(2),
            Self::PairBackoff => grow(4),
            Self::Later(pause) => Some(pause),
            Self::UntilFixed | Self::OtherChannel | Self::Never => None,
        }
    }
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Codes that it holds for.
    pub codes: RangeInclusive<i64>,
    /// What to do.
    pub policy: RetryPolicy,
    /// What happened, for people.
    pub meaning: &'static str,
}

const fn one(code: i64, policy: RetryPolicy, meaning: &'static str) -> Rule {
    many(code, code, policy, meaning)
}

const fn many(first: i64, last: i64, policy: RetryPolicy, meaning: &'static str) -> Rule {
    Rule { codes: first..=last, policy, meaning }
}

const fn hours(hours: i64) -> RetryPolicy {
    Later(SpanMs::hours(hours))
}

const fn minutes(minutes: i64) -> RetryPolicy {
    Later(SpanMs::minutes(minutes))
}

/// Every code that the provider documents, ascending, without overlap.
/// Codes 401 to 499 may also stand for an HTTP status that came without a code, see [`super::answer`].
pub const RULES: &[Rule] = &[
    one(0, UntilFixed, "cannot authenticate: check the access token"),
    one(1, Backoff, "unknown API error"),
    one(2, Backoff, "provider temporarily down or overloaded"),
    one(3, UntilFixed, "the app lacks a capability or permission"),
    one(4, minutes(15), "call limit of the app reached"),
    one(10, UntilFixed, "permission missing"),
    one(17, minutes(15), "call limit of the account reached"),
    one(33, UntilFixed, "the business number was deleted"),
    one(100, Never, "invalid or misspelt parameter"),
    one(102, UntilFixed, "session of the access token ended"),
    one(104, UntilFixed, "signature of the access token missing or wrong"),
    one(190, UntilFixed, "access token expired or revoked"),
    many(200, 299, UntilFixed, "permission missing"),
    one(368, UntilFixed, "account restricted for breaking a policy"),
    one(401, UntilFixed, "not authenticated"),
    one(403, UntilFixed, "not allowed"),
    one(429, Backoff, "too many requests"),
    one(613, minutes(15), "call limit reached"),
    one(803, UntilFixed, "the object does not exist or is not visible with this token"),
    one(80_007, minutes(15), "call limit of the business account reached"),
    one(130_403, Never, "the business has blocked this user"),
    one(130_429, Backoff, "throughput of the number reached"),
    one(130_472, Never, "the recipient is part of an experiment without marketing messages"),
    one(130_497, UntilFixed, "the business may not message users of this country"),
    one(131_000, Backoff, "something went wrong at the provider"),
    one(131_005, UntilFixed, "permission missing"),
    one(131_008, Never, "a required parameter is missing"),
    one(131_009, Never, "the value of a parameter is not valid"),
    one(131_016, Backoff, "service temporarily unavailable"),
    one(131_020, Never, "group message refused"),
    one(131_021, Never, "sender and recipient are the same"),
    one(131_026, OtherChannel, "undeliverable: no WhatsApp, old client or terms not accepted"),
    one(131_030, UntilFixed, "the recipient is not on the list of the test number"),
    one(131_031, UntilFixed, "the account is locked"),
    one(131_037, UntilFixed, "the display name of the number is not approved"),
    one(131_041, Never, "group message refused"),
    one(131_042, UntilFixed, "problem with the payment method"),
    one(131_044, UntilFixed, "no valid payment method"),
    one(131_045, UntilFixed, "the number is not registered correctly"),
    one(131_047, Never, "the window is closed: send an approved template"),
    one(131_048, hours(6), "the number is restricted because of its quality"),
    one(131_049, hours(24), "held back to keep the person's inbox healthy (marketing limit)"),
    one(131_050, Never, "the person stopped marketing messages of this business"),
    one(131_051, Never, "type of message not supported"),
    one(131_052, Never, "media of the user could not be downloaded"),
    one(131_053, Never, "media could not be uploaded: check type and size"),
    one(131_055, Never, "method not allowed for this message"),
    one(131_056, PairBackoff, "too many messages to this person in a short time"),
    one(131_057, minutes(1), "the number is being upgraded or maintained"),
    one(131_059, Never, "group message refused"),
    one(131_060, Never, "message currently unavailable"),
    one(131_062, OtherChannel, "not possible to a user id: the phone number is needed"),
    one(131_063, UntilFixed, "marketing templates are switched off on this API"),
    one(131_064, hours(24), "limited because templates are classified wrongly"),
    many(131_201, 131_215, Never, "group message refused"),
    one(132_000, Never, "count of parameters does not fit the template"),
    one(132_001, Never, "template does not exist in this language or is not approved"),
    one(132_005, Never, "the text with its parameters is too long"),
    one(132_007, Never, "the template breaks a policy"),
    one(132_008, Never, "format of a parameter does not fit the template"),
    one(132_012, Never, "format of a parameter does not fit the template"),
    one(132_015, hours(3), "the template is paused because of its quality"),
    one(132_016, Never, "the template was switched off for good"),
    one(132_018, Never, "the template is not valid"),
    one(132_068, UntilFixed, "the flow is blocked"),
    one(132_069, hours(1), "the flow is throttled"),
    one(133_000, minutes(15), "an earlier deregistration is not finished"),
    one(133_004, Backoff, "server temporarily unavailable"),
    many(133_005, 133_006, UntilFixed, "the number must be verified again"),
    many(133_008, 133_009, hours(1), "PIN guessed too often"),
    one(133_010, UntilFixed, "the number is not registered"),
    one(133_015, minutes(5), "the number was deleted a moment ago"),
    one(133_016, hours(72), "registered too often"),
    one(134_011, UntilFixed, "terms of payments not accepted"),
    one(134_100, Never, "not a marketing template"),
    one(134_101, minutes(10), "the template is being synchronised"),
    one(134_102, Never, "the template is not available here"),
    one(135_000, hours(1), "generic error: check the parameters"),
    one(137_000, Never, "the person's identity key changed"),
    many(138_000, 138_018, Never, "call refused"),
    one(2_388_019, Never, "too many templates"),
    one(2_388_024, Never, "a template of this name and language exists"),
    many(2_388_039, 2_388_299, Never, "the template was not accepted"),
];

/// The rule for a code; `None` when the provider does not document it.
#[must_use]
pub fn rule(code: i64) -> Option<&'static Rule> {
    let index = RULES.partition_point(|rule| *rule.codes.end() < code);
    RULES.get(index).filter(|rule| rule.codes.contains(&code))
}

/// What to do about a code. Total: an unknown code is not tried again by itself, because nobody knows whether it
/// would do harm; a person sees it.
#[must_use]
pub fn policy(code: i64) -> RetryPolicy {
    rule(code).map_or(Never, |rule| rule.policy)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rules_ascend_without_overlap() {
        for pair in RULES.windows(2) {
            assert!(pair[0].codes.end() < pair[1].codes.start(), "{:?}", pair[1]);
        }
        assert!(RULES.iter().all(|rule| rule.codes.start() <= rule.codes.end() && !rule.meaning.is_empty()));
    }

    #[test]
    fn the_codes_that_decide_most() {
        for (code, expected) in [
            (190, UntilFixed),
            (250, UntilFixed),
            (130_429, Backoff),
            (131_000, Backoff),
            (131_026, OtherChannel),
            (131_047, Never),
            (131_049, hours(24)),
            (131_056, PairBackoff),
            (132_001, Never),
            (429, Backoff),
            (404, Never),
            (-1, Never),
            (999_999, Never),
        ] {
            assert_eq!(policy(code), expected, "{code}");
        }
    }

    #[test]
    fn pauses_grow_as_the_provider_asks_and_end() {
        let seconds = |policy: RetryPolicy, failed| policy.pause(failed).map(|pause| pause.0 / 1_000);
        assert_eq!([1, 2, 3].map(|failed| seconds(PairBackoff, failed)), [Some(1), Some(4), Some(16)]);
        assert_eq!([1, 2, 3].map(|failed| seconds(Backoff, failed)), [Some(1), Some(2), Some(4)]);
        assert_eq!(seconds(hours(24), 1), Some(86_400));
        for policy in [Backoff, PairBackoff, hours(1), Never, UntilFixed, OtherChannel] {
            assert_eq!(policy.pause(MAX_ATTEMPTS), None);
        }
    }

    proptest! {
        #[test]
        fn every_code_has_a_policy_and_every_pause_is_bounded(code: i64, failed: u32) {
            let pause = policy(code).pause(failed);
            prop_assert!(pause.is_none_or(|pause| pause.0 > 0 && pause <= SpanMs::hours(72)));
        }
    }
}
