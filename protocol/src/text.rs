//! Texts that callers give: the rule of each kind, and beside it the same rule in the words of the contract.
//!
//! The types here are never made: a field is a `String` whose schema is `#[schema(value_type = Line<{ NAME_CHARS }>)]`.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use crate::limits::{AMOUNT_DIGITS, BSUID_CHARS, EMAIL_CHARS, WORD_CHARS};
use crate::whatsapp::limits::MAX_LINK;

/// A line has no control character, and something to see. Patterns are ECMAScript's, as JSON Schema wants them.
const LINE: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";
const EMAIL: &str = r"^[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+[.][^@\s\x00-\x1f\x7f-\x9f]+$";

/// One line of 1 to `MAX` characters.
pub struct Line<const MAX: usize>;

/// Whether text is one line of 1 to `max` characters.
#[must_use]
pub fn is_line(text: &str, max: usize) -> bool {
    !text.chars().all(is_space) && text.chars().count() <= max && !text.chars().any(char::is_control)
}

/// What ECMAScript's `\s` is: white space, and the mark that some editors begin files with.
fn is_space(char: char) -> bool {
    char.is_whitespace() || char == '\u{feff}'
}

impl<const MAX: usize> utoipa::PartialSchema for Line<MAX> {
    fn schema() -> RefOr<Schema> {
        text(Some(LINE), "Rossi").min_length(Some(1)).max_length(Some(MAX)).into()
    }
}

impl<const MAX: usize> utoipa::ToSchema for Line<MAX> {
    fn name() -> Cow<'static, str> {
        format!("Line{MAX}").into()
    }
}

/// Text of at most `MAX` characters.
pub struct Text<const MAX: usize>;

/// Whether text has at most `max` characters.
#[must_use]
pub fn fits(text: &str, max: usize) -> bool {
    text.chars().count() <= max
}

impl<const MAX: usize> utoipa::PartialSchema for Text<MAX> {
    fn schema() -> RefOr<Schema> {
        text(None, "Ciao").max_length(Some(MAX)).into()
    }
}

impl<const MAX: usize> utoipa::ToSchema for Text<MAX> {
    fn name() -> Cow<'static, str> {
        format!("Text{MAX}").into()
    }
}

/// An e-mail address, as far as anybody but its server can tell.
pub struct Email;

/// Whether text may be an e-mail address.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let odd = |char: char| is_space(char) || char.is_control();
    // A point within the host, with something on both sides.
    let within = |host: &str| {
        let length = host.chars().count();
        host.chars().take(length.saturating_sub(1)).skip(1).any(|char| char == '.')
    };
    fits(text, EMAIL_CHARS)
        && !text.chars().any(odd)
        && text
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.contains('@') && within(host))
}

impl utoipa::PartialSchema for Email {
    fn schema() -> RefOr<Schema> {
        text(Some(EMAIL), "anna@agency.example").max_length(Some(EMAIL_CHARS)).into()
    }
}

impl utoipa::ToSchema for Email {}

/// Decimal text that is not negative, such as `250.00`.
pub struct Decimal;

/// Whether text is a decimal with up to nine digits on each side of the point.
#[must_use]
pub fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| {
        (1..=AMOUNT_DIGITS as usize).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    };
    match text.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part),
        None => digits(text),
    }
}

impl utoipa::PartialSchema for Decimal {
    fn schema() -> RefOr<Schema> {
        let digits = format!("[0-9]{{1,{AMOUNT_DIGITS}}}");
        text(Some(&format!("^{digits}([.]{digits})?$")), "250.00").into()
    }
}

impl utoipa::ToSchema for Decimal {}

/// Capital letters, such as the three of an ISO 4217 currency.
pub struct Capitals<const COUNT: usize>;

/// Whether text is so many capital letters.
#[must_use]
pub fn is_capitals(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

impl<const COUNT: usize> utoipa::PartialSchema for Capitals<COUNT> {
    fn schema() -> RefOr<Schema> {
        let example = if COUNT == 2 { "IT" } else { "EUR" };
        text(Some(&format!("^[A-Z]{{{COUNT}}}$")), example).into()
    }
}

impl<const COUNT: usize> utoipa::ToSchema for Capitals<COUNT> {
    fn name() -> Cow<'static, str> {
        format!("Capitals{COUNT}").into()
    }
}

/// An address on the web.
pub struct Link;

/// Whether text begins as an address and is not too long for servers.
#[must_use]
pub fn is_link(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme)) && fits(text, MAX_LINK)
}

impl utoipa::PartialSchema for Link {
    fn schema() -> RefOr<Schema> {
        text(Some("^https?://"), "https://hooks.agency.example/events").max_length(Some(MAX_LINK)).into()
    }
}

impl utoipa::ToSchema for Link {}

/// WhatsApp's id of a person whose number is not known.
pub struct BsuidText;

/// Whether text is a country and, after points, letters and digits.
#[must_use]
pub fn is_bsuid(text: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.len() <= BSUID_CHARS
        && text
            .split_once('.')
            .is_some_and(|(country, id)| is_capitals(country, 2) && id.split('.').all(word))
}

impl utoipa::PartialSchema for BsuidText {
    fn schema() -> RefOr<Schema> {
        let pattern = "^[A-Z]{2}([.][A-Za-z0-9]+)+$";
        text(Some(pattern), "IT.13491208655302741918").max_length(Some(BSUID_CHARS)).into()
    }
}

impl utoipa::ToSchema for BsuidText {}

/// Name of a value for merge fields: `city`, or `interview.date`.
pub struct FieldName;

/// Whether text is the name of a field.
#[must_use]
pub fn is_field_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.len() <= WORD_CHARS && text.split('.').all(|part| !part.is_empty() && part.bytes().all(fits))
}

impl utoipa::PartialSchema for FieldName {
    fn schema() -> RefOr<Schema> {
        let pattern = "^[a-z0-9_]+([.][a-z0-9_]+)*$";
        text(Some(pattern), "interview.date").max_length(Some(WORD_CHARS)).into()
    }
}

impl utoipa::ToSchema for FieldName {}

fn text(pattern: Option<&str>, example: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(pattern).examples([example])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_something_to_see_and_no_breaks() {
        for good in ["x", " x ", "Anna Rossi", "Łódź", &"è".repeat(9)] {
            assert!(is_line(good, 10), "{good:?}");
        }
        for bad in ["", " ", "\u{a0}", "\u{feff}", "a\nb", "a\u{7f}", "a\u{85}", &"è".repeat(11)] {
            assert!(!is_line(bad, 10), "{bad:?}");
        }
    }

    #[test]
    fn addresses_have_two_sides_and_a_point() {
        for good in ["a@b.c", "anna.rossi+x@mail.agency.example", "è@è.è", "a@b..c"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "a", "@b.c", "a@b", "a@.c", "a@b.", "a@", "a@b@c.d", "a b@c.d", "a@b.c\n", "a@b.c "] {
            assert!(!is_email(bad), "{bad:?}");
        }
        assert!(!is_email(&format!("{}@b.c", "a".repeat(EMAIL_CHARS))));
    }

    #[test]
    fn amounts_and_names_are_plain() {
        for good in ["0", "5", "250.00", "999999999.999999999", "007"] {
            assert!(is_decimal(good), "{good}");
        }
        for bad in
            ["", ".", "5.", ".5", "+5", "-5", "1e3", "1_000", "1,5", "1.5.0", "1234567890", "0.1234567890"]
        {
            assert!(!is_decimal(bad), "{bad}");
        }
        assert!(is_bsuid("IT.1") && is_bsuid("US.ENT.118") && is_field_name("a.b_1"));
        for bad in ["IT", "IT.", "it.1", "ITA.1", "IT..1", "IT.1.", "IT.-"] {
            assert!(!is_bsuid(bad), "{bad}");
        }
        for bad in ["", ".", "a.", ".a", "A", "a-b", "a b"] {
            assert!(!is_field_name(bad), "{bad}");
        }
        assert!(is_capitals("EUR", 3) && !is_capitals("eur", 3) && !is_capitals("EURO", 3));
    }
}
