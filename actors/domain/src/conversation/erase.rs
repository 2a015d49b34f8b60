//! Forgetting who the contact is. What stays says nothing about anybody: hashes, the country that prices follow, and
//! that the person wants no messages.

use protocol::command::{Consent, Party};
use protocol::entry::{Address, Identity};
use protocol::fact::Fact;
use protocol::id::ContactId;
use protocol::phone::ContactKey;
use protocol::shard::conversation_id;

use super::turn::Turn;
use super::{Conversation, flow, outbound};
use crate::market::{self, dial};

/// Forgets the contact. `names` are those that the contact had besides the ones known here: none of them leads here
/// any more.
pub(super) fn erase(turn: &mut Turn<'_>, contact: ContactId, names: Vec<Identity>, by: Party) {
    flow::abandon(turn);
    outbound::forget(turn);
    turn.effects.aliases.extend(names);
    turn.effects.aliases.extend(known_names(turn.state));
    let state = &mut *turn.state;
    let country = market::of_contact(&state.address.contact);
    let nobody = ContactKey::nobody(country.as_deref());
    let mut refused = state.consent.take().filter(|record| record.consent == Consent::OptedOut);
    if let Some(record) = &mut refused {
        record.text = None;
    }
    *state = Conversation {
        identity: Identity::default(),
        consent: refused.clone(),
        blocked: state.blocked,
        // Providers repeat webhooks for days: what was erased must not come back with one.
        seen: std::mem::take(&mut state.seen),
        // Their statuses still come, and are billed.
        queue: std::mem::take(&mut state.queue),
        recent: std::mem::take(&mut state.recent),
        pair: std::mem::take(&mut state.pair),
        ..Conversation::new(Address { contact: nobody, ..state.address.clone() })
    };
    let channel = turn.context.number.channel;
    turn.fact(Fact::ContactErased {
        channel,
        contact_id: contact,
        consent: refused.map(|record| *record),
        by,
    });
}

/// Somebody who was erased comes back: the conversation has a name again.
pub(super) fn meet(turn: &mut Turn<'_>, names: &Identity) {
    if turn.state.address.contact.names_somebody() {
        return;
    }
    let phone = names.phone.map(dial::canonical);
    let phones = [phone, phone.and_then(dial::other_writing)].map(|phone| phone.map(ContactKey::Phone));
    let mut keys = phones.into_iter().chain([names.bsuid.clone().map(ContactKey::Bsuid)]).flatten();
    let Address { number, conversation, .. } = turn.state.address;
    // The name that this conversation was begun with, if it is among them.
    let own = keys.clone().find(|key| conversation_id(number, key) == conversation);
    if let Some(key) = own.or_else(|| keys.next()) {
        turn.state.meet(&key);
    }
}

fn known_names(state: &Conversation) -> impl Iterator<Item = Identity> + use<> {
    let of = |phone, bsuid| Identity { phone, bsuid, ..Identity::default() };
    let key = match &state.address.contact {
        ContactKey::Phone(phone) => of(Some(*phone), None),
        ContactKey::Bsuid(bsuid) => of(None, Some(bsuid.clone())),
    };
    let known = of(state.identity.phone, state.identity.bsuid.clone());
    [key, known, of(state.other_phone, None)].into_iter()
}
