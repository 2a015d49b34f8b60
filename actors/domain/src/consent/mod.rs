//! Words with which people refuse messages, or welcome them again, and what follows for whoever wants to write.

mod rule;
mod words;

use compact_str::CompactString;

pub use self::rule::{Denied, Reach, allows, carries_notice};

use crate::words::{fold, same};

/// What a contact declares with a single word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyword {
    /// No more messages.
    OptOut,
    /// Messages are welcome again.
    OptIn,
}

/// The longest keyword has fewer bytes; longer messages are not compared at all.
const KEYWORD_BYTES: usize = 80;

/// The keyword that the whole message is, ignoring case, accents and closing punctuation. `Please stop` is no
/// keyword: a person reads it. `own` are the tenant's own words for opting out.
#[must_use]
pub fn keyword(text: &str, own: &[CompactString]) -> Option<Keyword> {
    if text.trim().len() > KEYWORD_BYTES {
        return own.iter().any(|word| same(word, text)).then_some(Keyword::OptOut);
    }
    let folded = fold(text);
    let word = folded.strip_prefix(['#', '/']).unwrap_or(&folded);
    if words::opt_out().any(|known| known == word) || own.iter().any(|own| same(own, text)) {
        Some(Keyword::OptOut)
    } else {
        words::opt_in().any(|known| known == word).then_some(Keyword::OptIn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e3_opt_out_words_are_recognised_whole() {
        for text in [
            "#OPTOUT",
            "stop",
            " STOP. ",
            "Stop!",
            "Unsubscribe",
            "СТОП",
            "Отписаться",
            "arrêt",
            "停止",
            "ＳＴＯＰ",
            "descadastrar",
            "Baja",
            "Abmelden",
            "disiscrivimi",
            "opt out",
            "/stop",
        ] {
            assert_eq!(keyword(text, &[]), Some(Keyword::OptOut), "{text}");
        }
        for text in ["please stop", "non-stop", "stop it", "", "I want to cancel my interview", "TEST0001"] {
            assert_eq!(keyword(text, &[]), None, "{text}");
        }
        assert_eq!(keyword("basta così", &["Basta cosi".into()]), Some(Keyword::OptOut));
    }

    #[test]
    fn e3_opting_in_again_has_words_of_its_own() {
        for text in ["START", "unstop", "#optin", "старт", "再開"] {
            assert_eq!(keyword(text, &[]), Some(Keyword::OptIn), "{text}");
        }
        assert_eq!(keyword("yes", &[]), None);
    }

    #[test]
    fn words_are_stored_as_they_are_compared() {
        for word in words::opt_out().chain(words::opt_in()) {
            assert_eq!(fold(word), word);
        }
    }
}
