//! Comparing what people type: case, accents, spaces and closing punctuation do not matter.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The text in lower case without accents, surrounding spaces and closing punctuation: `" Sì! "` becomes `si`.
#[must_use]
pub fn fold(text: &str) -> String {
    let plain = text.trim().trim_end_matches(['.', '!', '。', '！']).trim_end();
    if plain.is_ascii() {
        return plain.to_ascii_lowercase();
    }
    // Compatibility forms, so that full-width letters (Japanese keyboards) are the same as others.
    plain.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

/// Whether two texts are the same word.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    fold(one) == fold(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_case_and_punctuation_do_not_matter() {
        for (one, other) in
            [("Sì", "si"), (" STOP. ", "stop"), ("Ещё", "еще"), ("ＳＴＯＰ", "stop"), ("停止。", "停止")]
        {
            assert!(same(one, other), "{one} {other}");
        }
        assert!(!same("stop it", "stop"));
    }
}
