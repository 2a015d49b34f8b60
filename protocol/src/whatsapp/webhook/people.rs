//! `contacts[]`: who the people of a value are. May be missing, and may know a person by phone number only, by
//! user id only, or by both.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::envelope::Place;
use super::text::{Text, part};
use super::value::Around;
use crate::entry::Identity;
use crate::id::Bsuid;

#[derive(Deserialize)]
struct Contact<'a> {
    #[serde(borrow, default)]
    wa_id: Text<'a>,
    #[serde(borrow, default)]
    user_id: Text<'a>,
    #[serde(borrow, default)]
    profile: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Profile<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    username: Text<'a>,
}

/// Everybody whom a value names.
pub(super) struct People<'a>(Vec<Contact<'a>>);

impl<'a> People<'a> {
    pub(super) fn read(contacts: &[&'a RawValue], place: &mut Place<'_>) -> Self {
        let mut people = Vec::with_capacity(contacts.len());
        for &raw in contacts {
            match serde_json::from_str(raw.get()) {
                Ok(contact) => people.push(contact),
                Err(_) => place.unknown("contacts", "malformed", raw),
            }
        }
        Self(people)
    }
}

impl<'a> Around<'_, 'a> {
    /// Everything known about the person with these names.
    pub(super) fn identity(&self, phone: &Text<'a>, user_id: &Text<'a>) -> Identity {
        let mut identity = Identity {
            phone: phone.phone(),
            bsuid: user_id.compact().map(Bsuid),
            username: None,
            profile_name: None,
        };
        if let Some(contact) = self.contact(phone, user_id) {
            identity.phone = identity.phone.or_else(|| contact.wa_id.phone());
            identity.bsuid = identity.bsuid.or_else(|| contact.user_id.compact().map(Bsuid));
            let profile: Profile<'_> = part(contact.profile).unwrap_or_default();
            identity.username = profile.username.compact();
            identity.profile_name = profile.name.owned();
        }
        identity
    }

    fn contact(&self, phone: &Text<'a>, user_id: &Text<'a>) -> Option<&Contact<'a>> {
        let contacts = &self.people.0;
        let same = |left: &Text<'_>, right: &Text<'_>| !left.is_empty() && left == right;
        let fits = |contact: &&Contact<'a>| same(&contact.wa_id, phone) || same(&contact.user_id, user_id);
        // Lists mostly stand in the same order: look there before looking everywhere.
        contacts.get(self.index).filter(fits).or_else(|| contacts.iter().find(fits)).or_else(|| {
            // One contact beside one element without a common name is the same person unless a name differs.
            // With more elements it could be anybody: a wrong guess would join two people for ever.
            let [only] = contacts.as_slice() else { return None };
            let differs = |left: &Text<'_>, right: &Text<'_>| !left.is_empty() && !right.is_empty();
            let fits = self.of == 1 && !differs(&only.wa_id, phone) && !differs(&only.user_id, user_id);
            fits.then_some(only)
        })
    }
}
