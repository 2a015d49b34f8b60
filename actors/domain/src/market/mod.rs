//! Which country a phone number belongs to, by its calling code: what messages cost and where they may go.
//!
//! Providers price by calling code, not by where a person is. More digits than the country code are needed where
//! several countries share one (+1, +7).

pub mod dial;
mod table;

use compact_str::CompactString;
use protocol::phone::{ContactKey, E164};

use table::{BY_AREA, BY_CODE, CRIMEA, OCCUPIED_PREFIXES};

/// The ISO 3166 country of a number; `None` for codes that belong to no country (satellite, toll free).
#[must_use]
pub fn country(phone: E164) -> Option<&'static str> {
    longest(phone, BY_AREA, 4).or_else(|| longest(phone, BY_CODE, 3))
}

/// The ISO 3166 country of a contact, as far as its name tells.
#[must_use]
pub fn of_contact(contact: &ContactKey) -> Option<CompactString> {
    match contact {
        ContactKey::Phone(phone) => country(*phone).map(CompactString::const_new),
        // Business-scoped user ids begin with the ISO country of the user.
        ContactKey::Bsuid(bsuid) => {
            let country = bsuid.as_str().split('.').next().unwrap_or_default();
            (country.len() == 2).then(|| country.into())
        }
    }
}

/// Whether this is the ISO 3166 code of a country that has phone numbers, in upper case.
#[must_use]
pub fn is_country(code: &str) -> bool {
    BY_CODE.iter().chain(BY_AREA).any(|(_, country)| *country == code)
}

/// The name under which a number's destination stands in a list of unsupported ones, if it does.
/// Lists hold ISO countries, and `UA-43` for Crimea, whose numbers share Russia's code.
#[must_use]
pub fn unsupported(phone: E164, list: &[CompactString]) -> Option<&'static str> {
    let listed = |name: &&str| list.iter().any(|entry| entry.eq_ignore_ascii_case(name));
    let region = longest(phone, OCCUPIED_PREFIXES, 4).map(|()| CRIMEA);
    region.filter(listed).or_else(|| country(phone).filter(listed))
}

/// The value of the longest prefix of at most `digits` digits that a sorted table knows.
fn longest<T: Copy>(phone: E164, table: &[(u32, T)], digits: u32) -> Option<T> {
    let all = phone.digits();
    let length = all.checked_ilog10()? + 1;
    (1..=digits.min(length)).rev().find_map(|kept| {
        let prefix = u32::try_from(all / 10u64.pow(length - kept)).ok()?;
        let index = table.binary_search_by_key(&prefix, |(known, _)| *known).ok()?;
        Some(table[index].1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::directory::TenantSettings;
    use std::collections::BTreeSet;

    fn phone(text: &str) -> E164 {
        E164::parse(text).unwrap()
    }

    #[test]
    fn d7_codes_of_countries_are_known() {
        for code in ["IT", "BR", "CA", "KZ", "US"] {
            assert!(is_country(code), "{code}");
        }
        for code in ["it", "Italy", "XX", ""] {
            assert!(!is_country(code), "{code}");
        }
    }

    #[test]
    fn countries_are_golden() {
        let table = [
            ("+393331234567", Some("IT")),
            ("+15550783881", Some("US")),
            ("+14165550100", Some("CA")),
            ("+18095550100", Some("DO")),
            ("+18295550100", Some("DO")),
            ("+18495550100", Some("DO")),
            ("+18765550100", Some("JM")),
            ("+16585550100", Some("JM")),
            ("+17875550100", Some("PR")),
            ("+19395550100", Some("PR")),
            ("+79161234567", Some("RU")),
            ("+77011234567", Some("KZ")),
            ("+76001234567", Some("KZ")),
            ("+5511912345678", Some("BR")),
            ("+447700900123", Some("GB")),
            ("+8613912345678", Some("CN")),
            ("+85291234567", Some("HK")),
            ("+5351234567", Some("CU")),
            ("+989121234567", Some("IR")),
            ("+8501921234567", Some("KP")),
            ("+963931234567", Some("SY")),
            ("+919876543210", Some("IN")),
            ("+2348012345678", Some("NG")),
            ("+211912345678", Some("SS")),
            ("+38349123456", Some("XK")),
            ("+881612345678", None),
            ("+80012345678", None),
        ];
        for (number, expected) in table {
            assert_eq!(country(phone(number)), expected, "{number}");
        }
    }

    #[test]
    fn c5_unsupported_destinations_are_found_by_their_prefix() {
        let list = TenantSettings::default().unsupported_countries;
        let refused = ["+5351234567", "+989121234567", "+8501921234567", "+963931234567", "+8613912345678"];
        for (number, name) in refused.into_iter().zip(["CU", "IR", "KP", "SY", "CN"]) {
            assert_eq!(unsupported(phone(number), &list), Some(name));
        }
        assert_eq!(unsupported(phone("+79781234567"), &list), Some("UA-43"));
        for allowed in ["+393331234567", "+79161234567", "+380441234567", "+85291234567"] {
            assert_eq!(unsupported(phone(allowed), &list), None, "{allowed}");
        }
        assert_eq!(unsupported(phone("+79161234567"), &["ru".into()]), Some("RU"));
    }

    #[test]
    fn tables_are_sorted_and_name_each_prefix_once() {
        for table in [BY_AREA, BY_CODE] {
            assert!(table.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
        assert!(OCCUPIED_PREFIXES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let countries: BTreeSet<_> = BY_AREA.iter().chain(BY_CODE).map(|(_, iso)| iso).collect();
        assert!(countries.len() > 220, "{}", countries.len());
    }
}
