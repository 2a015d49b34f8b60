//! The contact's names: they appear, change, and lead to this conversation from then on.

use protocol::entry::Identity;
use protocol::fact::Fact;
use protocol::phone::{ContactKey, E164};

use super::turn::Turn;
use crate::market::dial;

/// The contact's own message or profile: what it says holds from now on, absent names did not change. The number in
/// another writing is no other number.
pub(super) fn learn(turn: &mut Turn<'_>, names: &Identity) {
    if says_nothing_new(&turn.state.identity, names) {
        return;
    }
    let mut now = turn.state.identity.clone();
    match names.phone {
        Some(given) if now.phone.is_some() && now.phone == dial::other_writing(given) => {
            alias_for_phone(turn, given);
        }
        _ => replace(&mut now.phone, &names.phone),
    }
    replace(&mut now.bsuid, &names.bsuid);
    replace(&mut now.username, &names.username);
    replace(&mut now.profile_name, &names.profile_name);
    changed_to(turn, now);
}

/// A status names its recipient: only what is not known yet is taken, since the provider may write numbers in
/// another way than they have to be dialled. The other way of writing becomes an alias.
pub(super) fn fill_in(turn: &mut Turn<'_>, names: &Identity) {
    if !turn.state.started {
        return;
    }
    if let (Some(_), Some(given)) = (turn.state.identity.phone, names.phone) {
        alias_for_phone(turn, given);
    }
    if *names == Identity::default() {
        return;
    }
    let mut now = turn.state.identity.clone();
    fill(&mut now.phone, &names.phone);
    fill(&mut now.bsuid, &names.bsuid);
    fill(&mut now.username, &names.username);
    fill(&mut now.profile_name, &names.profile_name);
    changed_to(turn, now);
}

/// Another way of writing the contact's number leads here too. The newest such way is remembered, since every
/// status repeats it.
pub(super) fn alias_for_phone(turn: &mut Turn<'_>, phone: E164) {
    if !turn.state.address.contact.names_somebody() {
        return; // erased while the message was under way
    }
    let known = [turn.state.address.contact.phone(), turn.state.identity.phone, turn.state.other_phone];
    if !known.contains(&Some(phone)) {
        turn.state.other_phone = Some(phone);
        turn.effects.aliases.push(Identity { phone: Some(phone), ..Identity::default() });
    }
}

fn changed_to(turn: &mut Turn<'_>, now: Identity) {
    let before = &turn.state.identity;
    if *before == now {
        return;
    }
    let key = &turn.state.address.contact;
    let new_phone = now.phone.filter(|phone| before.phone != Some(*phone) && key.phone() != Some(*phone));
    let new_bsuid = now
        .bsuid
        .clone()
        .filter(|bsuid| before.bsuid.as_ref() != Some(bsuid) && *key != ContactKey::Bsuid(bsuid.clone()));
    if new_phone.is_some() || new_bsuid.is_some() {
        turn.effects.aliases.push(Identity { phone: new_phone, bsuid: new_bsuid, ..Identity::default() });
    }
    turn.state.identity = now.clone();
    if turn.state.started {
        turn.fact(Fact::ContactIdentified(now));
    }
}

/// Nearly every message: found out without a copy.
fn says_nothing_new(known: &Identity, given: &Identity) -> bool {
    fn same<T: PartialEq>(known: &Option<T>, given: &Option<T>) -> bool {
        given.is_none() || known == given
    }
    same(&known.phone, &given.phone)
        && same(&known.bsuid, &given.bsuid)
        && same(&known.username, &given.username)
        && same(&known.profile_name, &given.profile_name)
}

fn replace<T: Clone>(name: &mut Option<T>, given: &Option<T>) {
    if given.is_some() {
        name.clone_from(given);
    }
}

fn fill<T: Clone>(name: &mut Option<T>, given: &Option<T>) {
    if name.is_none() {
        name.clone_from(given);
    }
}
