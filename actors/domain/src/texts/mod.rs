//! What the gateway says by itself, in the languages of its tenants.

mod de;
mod en;
mod es;
mod fr;
mod it;
mod ja;
mod pt;
mod ru;

/// Every automatic text in one language. A struct, so that no language can lack one.
#[derive(Debug)]
pub struct Texts {
    /// In bot mode, to anything that starts no application. Says how to reach a person.
    pub error_reply: &'static str,
    /// After `/chat`.
    pub chat_opened: &'static str,
    /// After `/endchat`.
    pub chat_closed: &'static str,
    /// After an application: people read from now on.
    pub completed: &'static str,
    /// The application was changed so much that it cannot go on.
    pub flow_gone: &'static str,
    /// The person did not agree to what the application needs.
    pub declined: &'static str,
    /// Confirms an opt-out, once, and says how to undo it.
    pub opted_out: &'static str,
    /// Confirms that messages are welcome again.
    pub opted_in: &'static str,
    /// Before the question is repeated to somebody who stopped answering.
    pub reminder: &'static str,
    /// With optional questions.
    pub skip_hint: &'static str,
    /// With answers that did not fit.
    pub back_hint: &'static str,
    /// To `/skip` where an answer is needed.
    pub cannot_skip: &'static str,
    /// A number or date outside its limits, which follow in brackets.
    pub out_of_range: &'static str,
    /// A text was expected.
    pub retry_text: &'static str,
    /// One of the options was expected.
    pub retry_choice: &'static str,
    /// A number was expected.
    pub retry_number: &'static str,
    /// A date was expected.
    pub retry_date: &'static str,
    /// An e-mail address was expected.
    pub retry_email: &'static str,
    /// A phone number was expected.
    pub retry_phone: &'static str,
    /// A file was expected.
    pub retry_file: &'static str,
    /// A location was expected.
    pub retry_location: &'static str,
    /// A yes or no was expected.
    pub retry_consent: &'static str,
    /// Opens a list; at most 20 characters.
    pub list_button: &'static str,
    /// Agreement; at most 20 characters.
    pub yes: &'static str,
    /// Refusal; at most 20 characters.
    pub no: &'static str,
}

/// The texts of a language such as `it`, `pt-BR` or `de_AT`; English where there are none.
#[must_use]
pub fn of(language: &str) -> &'static Texts {
    let primary = language.split(['-', '_']).next().unwrap_or_default();
    ALL.iter().find(|(code, _)| code.eq_ignore_ascii_case(primary)).map_or(&en::TEXTS, |(_, texts)| texts)
}

/// Every language with its texts.
pub const ALL: [(&str, &Texts); 8] = [
    ("en", &en::TEXTS),
    ("it", &it::TEXTS),
    ("ru", &ru::TEXTS),
    ("fr", &fr::TEXTS),
    ("ja", &ja::TEXTS),
    ("pt", &pt::TEXTS),
    ("es", &es::TEXTS),
    ("de", &de::TEXTS),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a3_every_language_says_how_to_open_the_chat() {
        for (code, texts) in ALL {
            assert!(texts.error_reply.contains("/chat"), "{code}");
            assert!(texts.chat_opened.contains("/endchat"), "{code}");
            assert!(texts.skip_hint.contains("/skip"), "{code}");
            assert!(texts.back_hint.contains("back"), "{code}");
            assert!(texts.opted_out.contains("START"), "{code}");
            for button in [texts.list_button, texts.yes, texts.no] {
                assert!(button.chars().count() <= crate::limits::BUTTON_CHARS, "{code} {button}");
            }
        }
    }

    #[test]
    fn languages_are_found_by_their_first_part() {
        assert_eq!(of("pt-BR").yes, "Sim");
        assert_eq!(of("de_AT").yes, "Ja");
        assert_eq!(of("IT").yes, "Sì");
        assert_eq!(of("xx").yes, "Yes");
        assert_eq!(of("").yes, "Yes");
    }
}
