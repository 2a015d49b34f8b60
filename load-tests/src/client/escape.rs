//! JSON with every character above U+007F written as a lowercase `\uXXXX` escape.

use std::fmt::Write as _;

use serde_json::Value;

/// Serialises a value the way the provider signs it: pure ASCII, astral characters as surrogate pairs.
///
/// Such characters only occur inside strings, so that replacing them in the finished text is safe.
#[must_use]
pub fn escaped_json(value: &Value) -> Vec<u8> {
    let text = value.to_string();
    if text.is_ascii() {
        return text.into_bytes();
    }
    let mut escaped = String::with_capacity(text.len() * 2);
    let mut units = [0u16; 2];
    for character in text.chars() {
        if character.is_ascii() {
            escaped.push(character);
        } else {
            for unit in character.encode_utf16(&mut units) {
                // Writing into a String cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    escaped.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn everything_above_ascii_is_escaped_in_lowercase() {
        let body = escaped_json(&json!({ "body": "äöå 🎉 \"ok\"\n" }));
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"body":"\u00e4\u00f6\u00e5 \ud83c\udf89 \"ok\"\n"}"#
        );
    }

    #[test]
    fn escaping_keeps_the_meaning() {
        let value = json!({ "ключ": ["Sì", "日本", "𝒳", { "plain": 1.5 }] });
        assert_eq!(serde_json::from_slice::<Value>(&escaped_json(&value)).unwrap(), value);
    }
}
