//! Several log entries or facts in one entry of a stream: a version byte, then each with its length before it.

use bytes::Bytes;

/// First byte of every pack; `library.lua` writes it as well.
const VERSION: u8 = 1;
const LENGTH_BYTES: usize = 4;

pub(super) fn encode<'a>(items: impl Iterator<Item = &'a Bytes> + Clone) -> Vec<u8> {
    let mut pack = Vec::with_capacity(1 + size(items.clone()));
    pack.push(VERSION);
    fill(&mut pack, items);
    pack
}

/// What follows the version: two of these, one behind the other, are the items of both.
pub(super) fn items<'a>(items: impl Iterator<Item = &'a Bytes> + Clone) -> Vec<u8> {
    let mut pack = Vec::with_capacity(size(items.clone()));
    fill(&mut pack, items);
    pack
}

fn size<'a>(items: impl Iterator<Item = &'a Bytes>) -> usize {
    items.map(|item| LENGTH_BYTES + item.len()).sum()
}

fn fill<'a>(pack: &mut Vec<u8>, items: impl Iterator<Item = &'a Bytes>) {
    for item in items {
        pack.extend_from_slice(&(item.len() as u32).to_le_bytes());
        pack.extend_from_slice(item);
    }
}

/// `None` if it is damaged. The items share the memory of the pack.
pub(super) fn decode(pack: Vec<u8>) -> Option<Vec<Bytes>> {
    let mut rest = Bytes::from(pack);
    if rest.is_empty() || rest.split_to(1)[0] != VERSION {
        return None;
    }
    let mut items = Vec::new();
    while !rest.is_empty() {
        let length = rest.get(..LENGTH_BYTES)?.try_into().ok().map(u32::from_le_bytes)? as usize;
        let end = LENGTH_BYTES.checked_add(length).filter(|&end| end <= rest.len())?;
        items.push(rest.split_to(end).slice(LENGTH_BYTES..));
    }
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packs_round_trip_and_damage_never_panics(items: Vec<Vec<u8>>, noise: Vec<u8>) {
            let items: Vec<Bytes> = items.into_iter().map(Bytes::from).collect();
            let pack = encode(items.iter());
            prop_assert_eq!(decode(pack.clone()), Some(items));
            decode(noise);
            decode(pack[..pack.len() - 1].to_vec());
        }
    }
}
