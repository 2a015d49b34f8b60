//! A phone number that may be written in two ways is one name.

use protocol::id::Bsuid;
use protocol::phone::E164;
use store::engine::MemoryEngine;

use super::super::*;
use super::world::*;
use crate::alias::key_on;

const WITH_NINTH: u64 = 5_511_987_654_321;
const WITHOUT: u64 = 551_187_654_321;

fn key(digits: u64) -> ContactKey {
    ContactKey::Phone(E164::parse(&digits.to_string()).unwrap())
}

/// What somebody is known by who is called so, on a node that knows nothing yet.
async fn known(engine: &Arc<MemoryEngine>, place: (TenantId, NumberId), digits: u64) -> ContactKey {
    let address = ingress(engine).address(place, &names(Some(digits), None), NOW).await;
    address.unwrap().unwrap().contact
}

#[actix_rt::test]
async fn e1_both_writings_of_a_brazilian_number_are_one_contact() {
    for (first, then) in [(WITH_NINTH, WITHOUT), (WITHOUT, WITH_NINTH)] {
        let engine = engine();
        let parts = [first, then].map(|digits| message(&names(Some(digits), None)));
        let went = conversations(&ingress(&engine), &engine, parts.into()).await;
        assert_eq!(went, [conversation_id(NUMBER_A, &key(WITH_NINTH)); 2]);
        assert_eq!(known(&engine, (TENANT_A, NUMBER_A), then).await, key(WITH_NINTH));
    }
}

#[actix_rt::test]
async fn e1_who_was_met_without_the_ninth_digit_stays_so_on_all_numbers_of_the_tenant() {
    let engine = engine();
    let older = conversation_id(NUMBER_A, &key(WITHOUT));
    begin(&engine, older).await;
    for digits in [WITHOUT, WITH_NINTH] {
        for number in [NUMBER_A, SECOND_A] {
            assert_eq!(known(&engine, (TENANT_A, number), digits).await, key(WITHOUT));
            let told = key_on(&*engine, &directory(), number, &key(digits)).await.unwrap();
            assert_eq!(told, key(WITHOUT), "p7: a refusal goes to the same contact");
        }
        let part = message(&names(Some(digits), None));
        assert_eq!(conversations(&ingress(&engine), &engine, vec![part]).await, [older]);
        assert_eq!(known(&engine, (TENANT_B, NUMBER_B), digits).await, key(WITH_NINTH));
    }
}

#[actix_rt::test]
async fn e1_an_alias_of_either_writing_leads_on() {
    for aliased in [WITHOUT, WITH_NINTH] {
        let engine = engine();
        let contact = ContactKey::Bsuid(Bsuid::new("BR.1"));
        commit(&engine, aliases(&names(Some(aliased), None), &contact)).await;
        for digits in [WITHOUT, WITH_NINTH] {
            assert_eq!(known(&engine, (TENANT_A, NUMBER_A), digits).await, contact);
            let told = key_on(&*engine, &directory(), NUMBER_A, &key(digits)).await.unwrap();
            assert_eq!(told, contact);
        }
    }
}

#[actix_rt::test]
async fn p7_a_refusal_of_who_was_erased_elsewhere_reaches_the_conversation_that_would_begin_there() {
    let engine = engine();
    let back = 393_331_234_567;
    commit(&engine, aliases(&names(Some(back), None), &ContactKey::nobody(Some("IT")))).await;
    assert_eq!(key_on(&*engine, &directory(), NUMBER_A, &key(back)).await.unwrap(), key(back));
}
