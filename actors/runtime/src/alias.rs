//! Other names of a contact, as keys of the store's alias table; and the two writings of one phone number.

use std::collections::{BTreeMap, HashSet};

use domain::directory::Directory;
use domain::market::dial;
use protocol::entry::Identity;
use protocol::id::{ConversationId, NumberId, derive};
use protocol::phone::{ContactKey, E164};
use protocol::shard::{ShardId, conversation_id};
use protocol::whatsapp::webhook::Names;
use smallvec::SmallVec;
use store::engine::{AliasKey, Engine, EngineResult, LoadRequest};

/// The keys of every name under which a number knows a contact: phone number first, then user id.
pub fn alias_keys(number: NumberId, identity: &Identity) -> impl Iterator<Item = AliasKey> {
    let key = |kind: &[u8], name: &[u8]| AliasKey(derive("alias1", &[&number.0.to_le_bytes(), kind, name]));
    let phone = identity.phone.map(|phone| key(b"phone", &phone.digits().to_le_bytes()));
    let bsuid = identity.bsuid.as_ref().map(|bsuid| key(b"bsuid", bsuid.as_str().as_bytes()));
    phone.into_iter().chain(bsuid)
}

/// The keys of the names of a webhook or command: the phone number in both writings, as it is given last, then the user
/// id.
pub(crate) fn name_keys(number: NumberId, names: &Names) -> impl Iterator<Item = AliasKey> + use<> {
    let other = Identity { phone: names.phone.and_then(dial::other_writing), ..Identity::default() };
    let given = Identity { phone: names.phone, bsuid: names.bsuid.clone(), ..Identity::default() };
    let keys = alias_keys(number, &other).chain(alias_keys(number, &given));
    keys.collect::<SmallVec<[AliasKey; 3]>>().into_iter()
}

/// What a contact is known by on another number of its tenant; the store is asked anew.
pub(crate) async fn key_on(
    engine: &dyn Engine,
    directory: &Directory,
    number: NumberId,
    contact: &ContactKey,
) -> EngineResult<ContactKey> {
    let names = match contact {
        ContactKey::Phone(phone) => Names { phone: Some(*phone), bsuid: None },
        ContactKey::Bsuid(bsuid) => Names { phone: None, bsuid: Some(bsuid.clone()) },
    };
    let keys: SmallVec<[AliasKey; 3]> = name_keys(number, &names).collect();
    let mut found = engine.aliases(&keys).await?.into_iter().flatten();
    // Who was erased there has no name there.
    if let Some(canonical) = found.rfind(ContactKey::names_somebody) {
        return Ok(canonical);
    }
    let phone = names.phone.filter(|phone| dial::other_writing(*phone).is_some());
    let Some(phone) = phone else { return Ok(contact.clone()) };
    let mut known = keys_of_writings(engine, directory, &[(number, phone)]).await?;
    Ok(known.pop().unwrap_or_else(|| contact.clone()))
}

/// The key of each contact by a phone number that may be written in two ways, when no alias leads from either: the
/// number as [`dial::canonical`] writes it. Where a conversation of the tenant began by the other writing, before both
/// were the same contact, that one stays the key, with all numbers of the tenant.
pub(crate) async fn keys_of_writings(
    engine: &dyn Engine,
    directory: &Directory,
    contacts: &[(NumberId, E164)],
) -> EngineResult<Vec<ContactKey>> {
    let other = |phone| dial::other_writing(dial::canonical(phone)).map(ContactKey::Phone);
    let by_other = |&(number, phone): &(NumberId, E164)| {
        let conversation = |number| Some(conversation_id(number, &other(phone)?));
        numbers_beside(directory, number).into_iter().filter_map(conversation).collect::<Vec<_>>()
    };
    let older: Vec<_> = contacts.iter().map(by_other).collect();
    let begun = begun(engine, older.iter().flatten()).await?;
    let key = |(&(_, phone), older): (&(NumberId, E164), Vec<ConversationId>)| {
        let older = other(phone).filter(|_| older.iter().any(|id| begun.contains(id)));
        older.unwrap_or_else(|| ContactKey::Phone(dial::canonical(phone)))
    };
    Ok(contacts.iter().zip(older).map(key).collect())
}

/// All numbers of the tenant that has this one.
fn numbers_beside(directory: &Directory, number: NumberId) -> Vec<NumberId> {
    let tenant = directory.tenants.values().find(|tenant| tenant.numbers.contains_key(&number));
    tenant.map_or_else(|| vec![number], |tenant| tenant.numbers.keys().copied().collect())
}

/// Those of the conversations that the store has.
async fn begun(
    engine: &dyn Engine,
    conversations: impl Iterator<Item = &ConversationId>,
) -> EngineResult<HashSet<ConversationId>> {
    let shards = engine.identity().shards;
    let mut requests: BTreeMap<ShardId, LoadRequest> = BTreeMap::new();
    for &id in conversations {
        requests.entry(shards.shard_of(id)).or_default().conversations.push(id);
    }
    let requests: Vec<_> = requests.into_iter().collect();
    let loaded = engine.load_all(&requests).await?;
    let pairs = requests
        .iter()
        .zip(loaded)
        .flat_map(|((_, asked), loaded)| asked.conversations.iter().copied().zip(loaded.conversations));
    Ok(pairs.filter_map(|(id, stored)| stored.map(|_| id)).collect())
}

#[cfg(test)]
mod tests {
    use protocol::id::Bsuid;

    use super::*;

    #[test]
    fn each_name_has_its_key_on_each_number() {
        let identity = Identity {
            phone: E164::parse("+393331234567").ok(),
            bsuid: Some(Bsuid::new("IT.1")),
            ..Identity::default()
        };
        let one: Vec<_> = alias_keys(NumberId(1), &identity).collect();
        let two: Vec<_> = alias_keys(NumberId(2), &identity).collect();
        assert_eq!(one.len(), 2);
        assert!(one.iter().chain(&two).collect::<std::collections::BTreeSet<_>>().len() == 4);
        assert_eq!(alias_keys(NumberId(1), &Identity::default()).count(), 0);
    }
}
