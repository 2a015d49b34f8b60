//! Other names of a contact, as keys of the store's alias table.

use protocol::entry::Identity;
use protocol::id::{NumberId, derive};
use store::engine::AliasKey;

/// The keys of every name under which a number knows a contact: phone number first, then user id.
pub fn alias_keys(number: NumberId, identity: &Identity) -> impl Iterator<Item = AliasKey> {
    let key = |kind: &[u8], name: &[u8]| AliasKey(derive("alias1", &[&number.0.to_le_bytes(), kind, name]));
    let phone = identity.phone.map(|phone| key(b"phone", &phone.digits().to_le_bytes()));
    let bsuid = identity.bsuid.as_ref().map(|bsuid| key(b"bsuid", bsuid.as_str().as_bytes()));
    phone.into_iter().chain(bsuid)
}

#[cfg(test)]
mod tests {
    use protocol::id::Bsuid;
    use protocol::phone::E164;

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
