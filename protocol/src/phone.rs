//! Phone numbers in E.164 form, and the key of a contact that may not have one.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::id::{Bsuid, ContactId, TenantId};

/// An international phone number: country code and subscriber digits, without the `+`. At most 15 digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct E164(NonZeroU64);

/// Text that is not an international phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPhone {
    /// A character that does not belong to a phone number.
    #[error("contains a character that is not a digit, space, `+`, `-`, `.` or bracket")]
    Character,
    /// Too few or too many digits.
    #[error("must have 7 to 15 digits with the country code, like +393331234567")]
    Length,
    /// Country codes never begin with zero.
    #[error("must begin with a country code, not with 0")]
    LeadingZero,
}

impl E164 {
    /// Reads a number that already has its country code; `+`, spaces, dashes, dots and brackets are ignored.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidPhone> {
        let (mut value, mut digits) = (0u64, 0u8);
        for byte in text.bytes() {
            match byte {
                b'0' if digits == 0 => return Err(InvalidPhone::LeadingZero),
                b'0'..=b'9' if digits == 15 => return Err(InvalidPhone::Length),
                b'0'..=b'9' => {
                    value = value * 10 + u64::from(byte - b'0');
                    digits += 1;
                }
                b'+' | b' ' | b'-' | b'(' | b')' | b'.' => {}
                _ => return Err(InvalidPhone::Character),
            }
        }
        let long_enough = digits >= 7;
        NonZeroU64::new(value).filter(|_| long_enough).map(Self).ok_or(InvalidPhone::Length)
    }

    /// The digits as one number: 393331234567 for +39 333 123 4567.
    #[must_use]
    pub const fn digits(self) -> u64 {
        self.0.get()
    }

    /// The number with all but the country code's first digits and the last two hidden, for logs.
    #[must_use]
    pub fn masked(self) -> String {
        let digits = self.0.to_string();
        format!("+{}…{}", &digits[..2], &digits[digits.len() - 2..])
    }
}

impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

/// Debug output reaches logs, so it is masked.
impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl FromStr for E164 {
    type Err = InvalidPhone;

    fn from_str(text: &str) -> Result<Self, InvalidPhone> {
        Self::parse(text)
    }
}

impl Serialize for E164 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for E164 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
        } else {
            NonZeroU64::deserialize(deserializer).map(Self)
        }
    }
}

/// What a contact is known by. A phone number when there is one, else the provider's business-scoped user id
/// (WhatsApp may leave the phone number out since 2026).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ContactKey {
    /// Reachable by phone number.
    Phone(E164),
    /// Known to WhatsApp only.
    Bsuid(Bsuid),
}

impl ContactKey {
    /// The phone number, if that is what the contact is known by.
    #[must_use]
    pub const fn phone(&self) -> Option<E164> {
        match self {
            Self::Phone(phone) => Some(*phone),
            Self::Bsuid(_) => None,
        }
    }

    /// A key that names nobody: what is left of a contact that was erased. The country stays, since prices follow it.
    #[must_use]
    pub fn nobody(country: Option<&str>) -> Self {
        Self::Bsuid(Bsuid::new(country.map_or_else(String::new, |country| format!("{country}."))))
    }

    /// Whether there is a person behind it.
    #[must_use]
    pub fn names_somebody(&self) -> bool {
        match self {
            Self::Phone(_) => true,
            Self::Bsuid(bsuid) => !bsuid.as_str().is_empty() && !bsuid.as_str().ends_with('.'),
        }
    }

    /// Calls `hash` with the canonical bytes of this key; ids derive from them.
    pub(crate) fn with_bytes<T>(&self, hash: impl FnOnce(&[u8]) -> T) -> T {
        match self {
            Self::Phone(phone) => hash(&phone.digits().to_le_bytes()),
            Self::Bsuid(bsuid) => hash(bsuid.as_str().as_bytes()),
        }
    }

    /// The contact's id within a tenant.
    #[must_use]
    pub fn contact_id(&self, tenant: TenantId) -> ContactId {
        self.with_bytes(|key| ContactId::derive(&[&tenant.0.to_le_bytes(), key]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for text in ["+39 333 123-4567", "393331234567", "+39 (333) 123.45.67"] {
            assert_eq!(E164::parse(text).unwrap().to_string(), "+393331234567");
        }
        assert_eq!(E164::parse("0333 1234567"), Err(InvalidPhone::LeadingZero));
        assert_eq!(E164::parse("12345"), Err(InvalidPhone::Length));
        assert_eq!(E164::parse("1234567890123456"), Err(InvalidPhone::Length));
        assert_eq!(E164::parse("+39 tre"), Err(InvalidPhone::Character));
    }

    #[test]
    fn debug_output_hides_the_number() {
        assert_eq!(format!("{:?}", E164::parse("+393331234567").unwrap()), "+39…67");
    }
}
