//! Which conversation a name of a contact leads to: a bounded memory in front of the store's alias table.
//!
//! The rule: an alias of the user id wins, then an alias of the phone number, then the phone number itself, then
//! the user id itself. Since a conversation writes an alias for every name it has (its own user id included):
//!
//! * known by user id only, later also by phone number: the user id has an alias, the conversation goes on;
//! * known by phone number, later by user id only: the user id was an alias since it came along once;
//! * a changed number or user id: the new name got its alias when the change was announced;
//! * two names of two conversations: the user id decides, since numbers change hands.
//!
//! A phone number that may be written in two ways (Brazil) is one name: an alias of either writing counts, and without
//! one, [`keys_of_writings`] knows the key.

use std::collections::BTreeMap;

use domain::directory::Directory;
use domain::market::dial;
use protocol::id::NumberId;
use protocol::phone::ContactKey;
use protocol::time::TimestampMs;
use protocol::whatsapp::webhook::Names;
use quick_cache::sync::Cache;
use store::engine::{AliasKey, Engine, EngineResult};

use crate::alias::{keys_of_writings, name_keys};
use crate::limits::{ALIAS_ABSENT_FOR, ALIAS_KNOWN_FOR, ERASURE_HEARD};

/// Names and where they lead, as far as this node knows.
pub(super) struct Aliases {
    cache: Cache<AliasKey, Remembered>,
}

#[derive(Clone)]
struct Remembered {
    /// `None`: the store has no such alias.
    leads_to: Option<ContactKey>,
    as_of: TimestampMs,
}

impl Remembered {
    /// `erased`: since then a name may lead nowhere.
    fn is_fresh(&self, now: TimestampMs, erased: Option<TimestampMs>) -> bool {
        if self.leads_to.is_none() {
            return now - self.as_of < ALIAS_ABSENT_FOR;
        }
        now - self.as_of < ALIAS_KNOWN_FOR && erased.is_none_or(|at| self.as_of - at > ERASURE_HEARD)
    }
}

/// The aliases that one webhook needs.
#[derive(Default)]
pub(super) struct Found(BTreeMap<AliasKey, ContactKey>);

impl Aliases {
    pub(super) fn new(capacity: usize) -> Self {
        Self { cache: Cache::new(capacity) }
    }

    pub(super) fn learn(&self, name: AliasKey, contact: ContactKey, now: TimestampMs) {
        let leads_to = Some(contact).filter(ContactKey::names_somebody);
        self.cache.insert(name, Remembered { leads_to, as_of: now });
    }

    /// Finds all names, asking the store at most once; once more where phone numbers may be written in two ways.
    pub(super) async fn look_up<'a>(
        &self,
        (engine, directory): (&dyn Engine, &Directory),
        names: impl Iterator<Item = (NumberId, &'a Names)> + Clone,
        now: TimestampMs,
    ) -> EngineResult<Found> {
        let (mut found, mut missing) = (Found::default(), BTreeMap::new());
        for (number, names) in names.clone() {
            let erased = directory.erased.get(&number).copied();
            for key in name_keys(number, names) {
                match self.cache.get(&key).filter(|remembered| remembered.is_fresh(now, erased)) {
                    Some(remembered) => found.insert(key, remembered.leads_to),
                    None => drop(missing.insert(key, erased)),
                }
            }
        }
        if !missing.is_empty() {
            let keys: Vec<_> = missing.keys().copied().collect();
            let answers = engine.aliases(&keys).await?;
            for ((key, erased), answer) in missing.into_iter().zip(answers) {
                // Names of contacts that were erased lead nowhere.
                let answer = answer.filter(ContactKey::names_somebody);
                found.insert(key, self.remember(key, answer, (now, erased)));
            }
        }
        let unknown = |(number, names): (NumberId, &Names)| {
            let phone = names.phone.filter(|phone| dial::other_writing(*phone).is_some())?;
            found.canonical(number, names).is_none().then_some((number, phone))
        };
        let unknown: Vec<_> = names.filter_map(unknown).collect();
        if !unknown.is_empty() {
            let contacts = keys_of_writings(engine, directory, &unknown).await?;
            for ((number, phone), contact) in unknown.into_iter().zip(contacts) {
                let names = Names { phone: Some(phone), bsuid: None };
                found.0.extend(name_keys(number, &names).map(|key| (key, contact.clone())));
            }
        }
        Ok(found)
    }

    /// Remembers an answer of the store, unless a commit taught something newer while the store was asked.
    fn remember(
        &self,
        key: AliasKey,
        answer: Option<ContactKey>,
        (now, erased): (TimestampMs, Option<TimestampMs>),
    ) -> Option<ContactKey> {
        if answer.is_none() {
            let known = self.cache.peek(&key).filter(|remembered| remembered.is_fresh(now, erased));
            if let Some(Remembered { leads_to: Some(contact), .. }) = known {
                return Some(contact);
            }
        }
        self.cache.insert(key, Remembered { leads_to: answer.clone(), as_of: now });
        answer
    }
}

impl Found {
    fn insert(&mut self, key: AliasKey, contact: Option<ContactKey>) {
        if let Some(contact) = contact {
            self.0.insert(key, contact);
        }
    }

    /// Where the names lead by an alias.
    pub(super) fn canonical(&self, number: NumberId, names: &Names) -> Option<&ContactKey> {
        // The user id stands last in `name_keys` and decides first.
        name_keys(number, names).filter_map(|key| self.0.get(&key)).last()
    }

    /// Lets all names lead to a contact from the next part on; answers which of them did not before.
    pub(super) fn learn(
        &mut self,
        number: NumberId,
        names: &Names,
        contact: &ContactKey,
    ) -> Vec<(AliasKey, ContactKey)> {
        let new = name_keys(number, names).filter(|key| self.0.get(key) != Some(contact));
        let new: Vec<_> = new.map(|key| (key, contact.clone())).collect();
        self.0.extend(new.iter().cloned());
        new
    }
}
