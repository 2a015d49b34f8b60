//! How names are compared: without case and accents, word by word, by prefix, in any order.

use unicode_normalization::UnicodeNormalization;

use super::limits::{MAX_SEARCH_WORD_CHARS, MAX_SEARCH_WORDS};

/// Leading digits that people leave out of a phone number: country codes have one to three.
const COUNTRY_CODE_DIGITS: usize = 3;

/// The words of a text, folded: lower case, without accents (`ё` = `е`, `é` = `e`, `ß` = `ss`), at most
/// [`MAX_SEARCH_WORDS`], each cut to [`MAX_SEARCH_WORD_CHARS`]. Without repetitions.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let folded: String = text.nfkd().flat_map(char::to_lowercase).collect();
    let mut words: Vec<String> = Vec::new();
    for raw in folded.split(|c: char| !(c.is_alphanumeric() || is_mark(c) || is_apostrophe(c))) {
        let parts: Vec<String> =
            raw.split(is_apostrophe).map(plain).filter(|part| !part.is_empty()).collect();
        // `O'Neil` is found as `neil`, and as `oneil`.
        let whole = (parts.len() > 1).then(|| parts.concat());
        for word in parts.into_iter().chain(whole) {
            let word: String = word.chars().take(MAX_SEARCH_WORD_CHARS).collect();
            if words.len() < MAX_SEARCH_WORDS && !words.contains(&word) {
                words.push(word);
            }
        }
    }
    words
}

fn plain(raw: &str) -> String {
    raw.chars().filter(|c| !is_mark(*c)).flat_map(fold).collect()
}

/// As people type it, and as word processors and Ukrainian names have it.
fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | 'ʼ' | '`')
}

/// What a query looks for: each one is the prefix of a word of the contact.
#[must_use]
pub fn query(text: &str) -> Vec<String> {
    phone_query(text).map_or_else(|| words(text), |digits| vec![digits])
}

/// Behind every word that begins with this one.
#[must_use]
pub fn end(word: &str) -> String {
    format!("{word}{}", char::MAX)
}

/// The forms under which a phone number is found: whole, and without one to three leading digits.
#[must_use]
pub fn phone_words(digits: u64) -> Vec<String> {
    let digits = digits.to_string();
    (0..=COUNTRY_CODE_DIGITS).filter_map(|cut| digits.get(cut..)).map(str::to_owned).collect()
}

/// The digits of a query that is a phone number: a trunk or international prefix of zeros is dropped.
fn phone_query(text: &str) -> Option<String> {
    let phone_like = text.chars().all(|c| c.is_ascii_digit() || "+-./() \u{a0}".contains(c));
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    (phone_like && !digits.is_empty()).then(|| digits.to_owned())
}

fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// Letters that Unicode does not decompose although people type them without their stroke.
fn fold(c: char) -> impl Iterator<Item = char> {
    let folded = match c {
        'ß' => "ss",
        'ł' => "l",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ı' => "i",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        _ => "",
    };
    folded.chars().chain(folded.is_empty().then_some(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b3_names_are_folded() {
        for (text, expected) in [
            ("Фёдоров  ПЁТР Ильич", vec!["федоров", "петр", "ильич"]),
            ("D'Àngelo, José-María", vec!["d", "angelo", "dangelo", "jose", "maria"]),
            ("O’Neil", vec!["o", "neil", "oneil"]),
            ("'Anna'", vec!["anna"]),
            ("Groß Łukasz Søren", vec!["gross", "lukasz", "soren"]),
            ("İnci Işık", vec!["inci", "isik"]),
            ("Anna anna", vec!["anna"]),
            (" .,- ", vec![]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn b3_phones_are_found_as_people_type_them() {
        let stored = phone_words(393_331_234_567);
        for typed in ["+39 333 123", "0039333", "333 1234567", "(333) 123-45", "0333"] {
            let query = query(typed);
            assert!(stored.iter().any(|word| word.starts_with(&query[0])), "{typed}");
        }
        assert_eq!(query("Anna 333"), vec!["anna", "333"]);
    }
}
