//! The contacts of the simulated world and what it remembers about each pair of number and contact.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::buckets::PairDebt;
use super::check::Recipient;
use crate::simulator::options::Contact;

/// Between a business number and a contact.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pair {
    pub(crate) debt: PairDebt,
    /// The last message or call of the contact.
    pub(crate) last_inbound_ms: Option<i64>,
    /// When the contact last came by an advertisement.
    pub(crate) referred_ms: Option<i64>,
    /// The free entry point, by its id and end.
    pub(crate) free_entry: Option<(String, i64)>,
}

/// Free-form is allowed for this long after the contact's last message.
pub(crate) const WINDOW_MS: i64 = 24 * 3_600_000;

impl Pair {
    pub(crate) fn window_open(&self, now_ms: i64) -> bool {
        self.last_inbound_ms.is_some_and(|at_ms| now_ms < at_ms + WINDOW_MS)
    }
}

/// A contact as webhooks show it.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// Digits as the provider writes them; the key of the contact here.
    pub(crate) wa_id: String,
    pub(crate) user_id: String,
    pub(crate) name: String,
    pub(crate) username: Option<String>,
}

/// Everybody who was ever met, by phone number and by user id.
#[derive(Debug, Default)]
pub(crate) struct People {
    by_wa_id: BTreeMap<String, Person>,
    aliases: HashMap<String, String>,
    by_user_id: HashMap<String, String>,
}

impl People {
    pub(crate) fn add(&mut self, contact: &Contact) {
        let phone = digits(&contact.phone);
        let wa_id = contact.wa_id.as_deref().map_or_else(|| phone.clone(), digits);
        let person = Person {
            user_id: contact.user_id.clone().unwrap_or_else(|| user_id_of(&wa_id)),
            name: contact.name.clone().unwrap_or_else(|| format!("Contact {}", last_four(&wa_id))),
            username: contact.username.clone(),
            wa_id: wa_id.clone(),
        };
        self.by_user_id.insert(person.user_id.clone(), wa_id.clone());
        self.aliases.insert(phone, wa_id.clone());
        self.by_wa_id.insert(wa_id, person);
    }

    /// The person behind some digits; a new one when nobody is.
    pub(crate) fn by_phone(&mut self, phone: &str, drops_ninth_digit: bool) -> Person {
        let written = || without_ninth_digit(phone).filter(|_| drops_ninth_digit);
        let wa_id = self.aliases.get(phone).cloned().or_else(written).unwrap_or_else(|| phone.to_owned());
        if !self.by_wa_id.contains_key(&wa_id) {
            self.add(&Contact { phone: wa_id.clone(), ..Contact::default() });
        }
        self.by_wa_id[&wa_id].clone()
    }

    pub(crate) fn find(&mut self, recipient: &Recipient, drops_ninth_digit: bool) -> Option<Person> {
        match recipient {
            Recipient::Phone(phone) => Some(self.by_phone(phone, drops_ninth_digit)),
            Recipient::UserId(id) => self.by_user_id.get(id).map(|wa_id| self.by_wa_id[wa_id].clone()),
        }
    }

    pub(crate) fn rename(&mut self, wa_id: &str, name: &str) {
        if let Some(person) = self.by_wa_id.get_mut(wa_id) {
            name.clone_into(&mut person.name);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_wa_id.len()
    }
}

/// How much of a contact is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    pub(crate) phone: bool,
    pub(crate) user_id: bool,
    pub(crate) username: bool,
}

impl Person {
    /// The element of `contacts[]`.
    pub(crate) fn card(&self, shown: Shown) -> Value {
        let mut card = json!({ "profile": { "name": self.name } });
        if let Some(username) = self.username.as_deref().filter(|_| shown.username) {
            card["profile"]["username"] = json!(format!("@{}", username.trim_start_matches('@')));
        }
        if shown.phone {
            card["wa_id"] = json!(self.wa_id);
        }
        if shown.user_id {
            card["user_id"] = json!(self.user_id);
        }
        card
    }
}

/// The digits of a phone number in any spelling.
pub(crate) fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}

/// A Brazilian mobile number (55, two digits of the area, nine that begin with 9) as old accounts are known.
fn without_ninth_digit(phone: &str) -> Option<String> {
    let is_mobile = phone.len() == 13 && phone.starts_with("55") && phone.as_bytes()[4] == b'9';
    is_mobile.then(|| [&phone[..4], &phone[5..]].concat())
}

fn last_four(wa_id: &str) -> &str {
    &wa_id[wa_id.len().saturating_sub(4)..]
}

/// Two letters of a country, a dot, digits: here always the same for the same number.
fn user_id_of(wa_id: &str) -> String {
    let country = match wa_id {
        wa_id if wa_id.starts_with("39") => "IT",
        wa_id if wa_id.starts_with("55") => "BR",
        wa_id if wa_id.starts_with('1') => "US",
        _ => "ZZ",
    };
    let hash = Sha256::digest(wa_id.as_bytes());
    let number = hash.iter().take(8).fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("{country}.{number:020}")
}
