//! Phone numbers as people write them: without a country code where the record says the country, and in Brazil with or
//! without the ninth digit.

use phonenumber::country::Id;
use phonenumber::{Mode, PhoneNumber};
use protocol::phone::{E164, InvalidPhone};

/// Calling code of Brazil.
const BRAZIL: u64 = 55;
/// Digits of a Brazilian number after the country code: the area has two, a landline eight, a mobile nine.
const LANDLINE: u32 = 10;
const MOBILE: u32 = 11;
/// Place value of the digit that mobile numbers got in front of the eight that they had before.
const NINTH: u64 = 100_000_000;

/// Text that is not a phone number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongPhone {
    /// With a country code.
    #[error("{0}; begin with + and the country code, or give the `country`")]
    International(#[from] InvalidPhone),
    /// Without one.
    #[error(
        "is not a phone number of {0}; write it as it is dialled there, or begin with + and the country code"
    )]
    National(String),
    /// Of Brazil.
    #[error(
        "a Brazilian number has 55, two digits of the area, and eight digits (landline) or nine that begin with 9"
    )]
    Brazilian,
}

/// Reads a phone number. Without `+` or `00` in front it is one of the country (ISO 3166), if that is known.
///
/// # Errors
/// Says what is wrong and how to cure it.
pub fn read(text: &str, country: Option<&str>) -> Result<E164, WrongPhone> {
    let text = text.trim();
    let phone = match (text.strip_prefix("00"), country) {
        _ if text.starts_with('+') => E164::parse(text)?,
        (Some(international), _) => E164::parse(international)?,
        (None, Some(country)) => national(text, country)?,
        (None, None) => E164::parse(text)?,
    };
    match brazilian(phone) {
        None => Ok(phone),
        Some((MOBILE, 9)) => Ok(phone),
        Some((LANDLINE, 2..=5)) => Ok(phone),
        Some((LANDLINE, 6..=9)) => other_writing(phone).ok_or(WrongPhone::Brazilian),
        Some(_) => Err(WrongPhone::Brazilian),
    }
}

/// The other way in which the same number may be written: a Brazilian mobile number with, or without, its ninth digit.
/// Providers know old accounts by the number without it.
#[must_use]
pub fn other_writing(phone: E164) -> Option<E164> {
    let (length, first) = brazilian(phone)?;
    let digits = phone.digits();
    let subscriber = digits % NINTH;
    let other = match (length, first) {
        (MOBILE, 9) if subscriber >= 6 * NINTH / 10 => digits / (10 * NINTH) * NINTH + subscriber,
        (LANDLINE, 6..=9) => digits / NINTH * (10 * NINTH) + 9 * NINTH + subscriber,
        _ => return None,
    };
    E164::parse(&other.to_string()).ok()
}

/// The writing by which a person is known: a Brazilian mobile number has its ninth digit.
#[must_use]
pub fn canonical(phone: E164) -> E164 {
    match brazilian(phone) {
        Some((LANDLINE, 6..=9)) => other_writing(phone).unwrap_or(phone),
        _ => phone,
    }
}

/// Of a Brazilian number the count of digits after the country code, and the first one after the area.
fn brazilian(phone: E164) -> Option<(u32, u64)> {
    let digits = phone.digits();
    let length = digits.checked_ilog10()? - 1;
    let country = digits / 10u64.checked_pow(length)?;
    (country == BRAZIL && length >= 3).then(|| (length, digits / 10u64.pow(length - 3) % 10))
}

fn national(text: &str, country: &str) -> Result<E164, WrongPhone> {
    let wrong = || WrongPhone::National(country.to_owned());
    // Letters would be dialled as digits.
    if text.chars().any(char::is_alphabetic) {
        return Err(wrong());
    }
    let id: Id = country.parse().map_err(|_| wrong())?;
    let number: PhoneNumber = phonenumber::parse(Some(id), text).map_err(|_| wrong())?;
    let possible = phonenumber::is_valid(&number) || id == Id::BR;
    let phone = number.format().mode(Mode::E164).to_string();
    if possible { E164::parse(&phone).map_err(|_| wrong()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialled(text: &str, country: Option<&str>) -> String {
        read(text, country).map_or_else(|error| error.to_string(), |phone| phone.to_string())
    }

    #[test]
    fn d7_a_number_without_country_code_is_one_of_the_records_country() {
        for (text, country, expected) in [
            ("333 123 4567", Some("IT"), "+393331234567"),
            ("06 6982 1234", Some("IT"), "+390669821234"),
            ("+39 333 123 4567", Some("DE"), "+393331234567"),
            ("0039 333 123 4567", None, "+393331234567"),
            ("393331234567", None, "+393331234567"),
            ("030 901820", Some("DE"), "+4930901820"),
            ("8 (916) 123-45-67", Some("RU"), "+79161234567"),
            ("(202) 456-1414", Some("US"), "+12024561414"),
            ("06 12 34 56 78", Some("FR"), "+33612345678"),
            ("07400 123456", Some("GB"), "+447400123456"),
            ("090-1234-5678", Some("JP"), "+819012345678"),
        ] {
            assert_eq!(dialled(text, country), expected, "{text}");
        }
    }

    #[test]
    fn d7_an_invalid_number_is_named_with_its_cure() {
        for (text, country) in [
            ("12", Some("IT")),
            ("333 CALL ME", Some("US")),
            ("999", Some("XX")),
            ("333 800", None),
            ("", None),
        ] {
            let error = read(text, country).unwrap_err().to_string();
            assert!(error.contains("country code"), "{text}: {error}");
        }
    }

    #[test]
    fn e1_brazilian_mobile_numbers_have_nine_digits() {
        for (text, country, expected) in [
            ("+55 11 98765-4321", None, "+5511987654321"),
            ("+55 11 8765-4321", None, "+5511987654321"),
            ("11 98765-4321", Some("BR"), "+5511987654321"),
            ("(11) 3456-7890", Some("BR"), "+551134567890"),
            ("+55 11 3456-7890", None, "+551134567890"),
        ] {
            assert_eq!(dialled(text, country), expected, "{text}");
        }
        for text in ["+55 11 1234", "+55 11 88765-4321", "+55 11 1234-5678", "+55 11 987654 3210"] {
            assert_eq!(read(text, None), Err(WrongPhone::Brazilian), "{text}");
        }
    }

    #[test]
    fn e1_the_ninth_digit_is_added_and_dropped() {
        let phone = |text: &str| E164::parse(text).unwrap();
        let (with, without) = (phone("+5511987654321"), phone("+551187654321"));
        assert_eq!(other_writing(with), Some(without));
        assert_eq!(other_writing(without), Some(with));
        assert_eq!([canonical(with), canonical(without)], [with; 2]);
        for only in ["+551134567890", "+393331234567", "+15550783881", "+5511912345678"] {
            assert_eq!((other_writing(phone(only)), canonical(phone(only))), (None, phone(only)), "{only}");
        }
    }
}
