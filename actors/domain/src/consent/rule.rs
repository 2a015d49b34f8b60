//! Who may be messaged: one rule for single messages, one for many at once.

use compact_str::CompactString;
use protocol::command::{Consent, Party};
use protocol::directory::TenantSettings;

use super::words;
use crate::words::fold;

/// How a message reaches people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// One person is written to, by a person or a service.
    Single,
    /// Many are, by a rule or a campaign.
    Bulk,
}

impl Reach {
    /// How this party writes.
    #[must_use]
    pub const fn of(by: Party) -> Self {
        match by {
            Party::Automation => Self::Bulk,
            Party::Contact | Party::User(_) | Party::Service(_) | Party::Bot | Party::Gateway => Self::Single,
        }
    }
}

/// Why a contact may not be messaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The contact refused.
    OptedOut,
    /// Bulk needs an explicit opt-in.
    OptInRequired,
    /// The tenant opts contacts in by its policy, and this message does not say how to opt out.
    NoticeMissing,
}

/// Whether a contact with this consent may get this text.
///
/// # Errors
/// Says what stands against it.
pub fn allows(consent: Consent, reach: Reach, text: &str, settings: &TenantSettings) -> Result<(), Denied> {
    match (consent, reach) {
        (Consent::OptedOut, _) => Err(Denied::OptedOut),
        (Consent::OptedIn, _) | (Consent::Undefined, Reach::Single) => Ok(()),
        (Consent::Undefined, Reach::Bulk) if !settings.bulk_without_opt_in => Err(Denied::OptInRequired),
        (Consent::Undefined, Reach::Bulk) if carries_notice(text, &settings.opt_out_keywords) => Ok(()),
        (Consent::Undefined, Reach::Bulk) => Err(Denied::NoticeMissing),
    }
}

/// Whether a text names a word with which its reader can opt out, such as `STOP` or `#OPTOUT`.
#[must_use]
pub fn carries_notice(text: &str, own: &[CompactString]) -> bool {
    let folded = fold(text);
    let own = own.iter().map(|word| fold(word));
    let mut known = words::opt_out().map(str::to_owned).chain(own);
    known.any(|word| contains_word(&folded, &word))
}

/// Whether a word stands in a text by itself: the letters before and after it, if any, belong to no other word. Writing
/// without spaces has no such borders.
fn contains_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() && word.is_ascii();
    text.match_indices(word).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e2_single_while_undefined_bulk_only_when_opted_in() {
        let (plain, policy) = (
            TenantSettings::default(),
            TenantSettings { bulk_without_opt_in: true, ..TenantSettings::default() },
        );
        let notice = "New jobs near you. Reply STOP to opt out.";
        for (consent, reach, text, settings, expected) in [
            (Consent::Undefined, Reach::Single, "hello", &plain, Ok(())),
            (Consent::OptedIn, Reach::Single, "hello", &plain, Ok(())),
            (Consent::OptedOut, Reach::Single, notice, &policy, Err(Denied::OptedOut)),
            (Consent::Undefined, Reach::Bulk, notice, &plain, Err(Denied::OptInRequired)),
            (Consent::OptedIn, Reach::Bulk, "hello", &plain, Ok(())),
            (Consent::OptedOut, Reach::Bulk, notice, &policy, Err(Denied::OptedOut)),
            (Consent::Undefined, Reach::Bulk, "hello", &policy, Err(Denied::NoticeMissing)),
            (Consent::Undefined, Reach::Bulk, notice, &policy, Ok(())),
        ] {
            assert_eq!(allows(consent, reach, text, settings), expected, "{consent:?} {reach:?} {text}");
        }
        assert_eq!(Reach::of(Party::Automation), Reach::Bulk);
        assert_eq!(Reach::of(Party::Bot), Reach::Single);
    }

    #[test]
    fn e2_a_notice_names_a_word_of_its_own() {
        for text in [
            "Responda PARAR para sair",
            "(#OPTOUT)",
            "Ответьте СТОП",
            "配信停止は「停止」と返信",
            "Antworte STOPP.",
        ] {
            assert!(carries_notice(text, &[]), "{text}");
        }
        for text in ["Our non-stoppable offers", "weekend shifts", ""] {
            assert!(!carries_notice(text, &[]), "{text}");
        }
        assert!(carries_notice("Scrivi BASTA COSÌ", &["basta così".into()]));
    }
}
