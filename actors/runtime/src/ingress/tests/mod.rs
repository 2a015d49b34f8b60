//! Routing against the memory engine: scope, names, opaque ids, conservation, determinism.

mod laws;
mod world;
mod writings;

use protocol::id::{Bsuid, ConversationId, MessageId, PhoneNumberId};
use protocol::outbound::{OpaqueId, OpaqueKey};
use protocol::phone::E164;
use protocol::time::SpanMs;
use protocol::whatsapp::webhook::{Part, Payload};

use self::world::*;
use super::*;

#[actix_rt::test]
async fn p10_a_webhook_reaches_only_numbers_of_those_who_signed_it() {
    let engine = engine();
    let ingress = ingress(&engine);
    let anna = names(Some(393_331_234_567), None);
    let foreign = Part { phone_number_id: Some(PhoneNumberId::new("pnbb")), ..message(&anna) };
    let unknown = Part { phone_number_id: Some(PhoneNumberId::new("pncc")), ..message(&anna) };
    let nowhere = Part { phone_number_id: None, waba: WabaId::new("wabab"), ..message(&anna) };
    let parts = vec![message(&anna), foreign.clone(), unknown, nowhere];
    let accepted = accept(&ingress, parts, &[TENANT_A]).await;
    assert_eq!((accepted.messages, accepted.unknown), (1, 3));
    let notices = notices(&log(&engine).await);
    let reasons: std::collections::BTreeMap<_, _> = notices
        .iter()
        .map(|notice| match &notice.notice {
            Notice::Unknown { reason, raw, .. } => {
                assert!(raw.0.contains("TEST0001"), "kept as it came");
                (reason.as_str(), notice.tenant)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let expected =
        [("foreign_number", Some(TENANT_A)), ("no_number", None), ("unknown_number", Some(TENANT_A))];
    assert_eq!(reasons, expected.into(), "another tenant's account is not named");
    let both = accept(&ingress, vec![foreign], &[TENANT_A, TENANT_B]).await;
    assert_eq!(both.messages, 1, "a shared app secret reaches the numbers of both");
}

#[actix_rt::test]
async fn f6_a_conversation_goes_on_when_the_phone_number_appears() {
    let engine = engine();
    let ingress = ingress(&engine);
    let (by_id, both, by_phone) = (
        names(None, Some("IT.1")),
        names(Some(393_331_234_567), Some("IT.1")),
        names(Some(393_331_234_567), None),
    );
    let parts = vec![message(&by_id), message(&both), message(&by_phone)];
    let went = conversations(&ingress, &engine, parts).await;
    let expected = conversation_id(NUMBER_A, &ContactKey::Bsuid(Bsuid::new("IT.1")));
    assert_eq!(went, [expected; 3]);
}

#[actix_rt::test]
async fn f6_a_conversation_goes_on_when_the_phone_number_stays_away() {
    let engine = engine();
    let ingress = ingress(&engine);
    let both = names(Some(393_331_234_567), Some("IT.1"));
    let parts = vec![message(&both), message(&names(None, Some("IT.1")))];
    let went = conversations(&ingress, &engine, parts).await;
    assert_eq!(went, [conversation_id(NUMBER_A, &ContactKey::Phone(both.phone.unwrap())); 2]);
}

#[actix_rt::test]
async fn f6_parts_of_one_webhook_stay_together() {
    let engine = engine();
    let ingress = ingress(&engine);
    let (old, new) = (names(Some(393_331_234_567), None), names(Some(393_339_999_999), Some("IT.2")));
    let parts = vec![
        message(&old),
        renamed(&old, &new),
        message(&names(Some(393_339_999_999), None)),
        message(&names(None, Some("IT.2"))),
    ];
    accept(&ingress, parts, &[TENANT_A]).await;
    let entries = log(&engine).await;
    let expected = conversation_id(NUMBER_A, &ContactKey::Phone(old.phone.unwrap()));
    assert_eq!(entries.len(), 4);
    assert!(entries.iter().all(
        |entry| matches!(&entry.body, EntryBody::Conversation { address, .. } if address.conversation == expected)
    ));
}

#[actix_rt::test]
async fn committed_aliases_lead_on_every_node() {
    let engine = engine();
    let (first, contact) = (names(None, Some("IT.1")), ContactKey::Bsuid(Bsuid::new("IT.1")));
    let both = names(Some(393_331_234_567), Some("IT.1"));
    commit(&engine, aliases(&both, &contact)).await;
    let other_node = ingress(&engine);
    let went = conversations(&other_node, &engine, vec![message(&both), message(&first)]).await;
    assert_eq!(went, [conversation_id(NUMBER_A, &contact); 2]);
    let address =
        other_node.address((TENANT_A, NUMBER_A), &names(both.phone.map(E164::digits), None), NOW).await;
    assert_eq!(
        address.unwrap().unwrap().contact,
        contact,
        "commands find the conversation by its newer name"
    );
}

#[actix_rt::test]
async fn what_is_not_known_is_asked_again_after_a_while() {
    let engine = engine();
    let ingress = ingress(&engine);
    let phone = names(Some(393_331_234_567), None);
    let at = |now| ingress.address((TENANT_A, NUMBER_A), &phone, now);
    let own = ContactKey::Phone(phone.phone.unwrap());
    assert_eq!(at(NOW).await.unwrap().unwrap().contact, own);
    let contact = ContactKey::Bsuid(Bsuid::new("IT.1"));
    commit(&engine, aliases(&phone, &contact)).await;
    assert_eq!(at(NOW).await.unwrap().unwrap().contact, own, "another node's commit is not heard of");
    let later = NOW + crate::limits::ALIAS_ABSENT_FOR;
    assert_eq!(at(later).await.unwrap().unwrap().contact, contact);
    ingress.learn(&aliases(&phone, &own), later);
    assert_eq!(at(later).await.unwrap().unwrap().contact, own, "this node's commit is known at once");
    let much_later = later + crate::limits::ALIAS_KNOWN_FOR;
    assert_eq!(at(much_later).await.unwrap().unwrap().contact, contact);
}

#[actix_rt::test]
async fn d14_every_node_asks_again_once_a_contact_was_erased() {
    let engine = engine();
    let current = Arc::new(ArcSwap::from_pointee(directory()));
    let metrics = Arc::new(Metrics::new(&prometheus::Registry::new()).unwrap());
    let another_node = Ingress::new(engine.clone(), current.clone(), metrics);
    let (phone, contact) = (names(Some(393_331_234_567), None), ContactKey::Bsuid(Bsuid::new("IT.1")));
    let at = async |now| another_node.address((TENANT_A, NUMBER_A), &phone, now).await.unwrap().unwrap();
    commit(&engine, aliases(&phone, &contact)).await;
    assert_eq!(at(NOW).await.contact, contact);
    commit(&engine, aliases(&phone, &ContactKey::nobody(Some("IT")))).await;
    let erased = NOW + SpanMs::seconds(1);
    let numbers = [(NUMBER_A, erased)].into();
    current.store(Arc::new(Directory { erased: numbers, ..directory() }));
    let own = ContactKey::Phone(phone.phone.unwrap());
    assert_eq!(at(erased).await.contact, own, "what it remembered is not believed");
    // As somebody who comes back is met anew.
    another_node.learn(&aliases(&phone, &contact), erased + crate::limits::ERASURE_HEARD);
    assert_eq!(at(erased + SpanMs::seconds(6)).await.contact, own, "may be from before");
    let later = erased + crate::limits::ERASURE_HEARD + SpanMs(1);
    another_node.learn(&aliases(&phone, &contact), later);
    assert_eq!(at(later).await.contact, contact);
}

#[actix_rt::test]
async fn p5_the_opaque_id_decides_where_a_status_goes() {
    let engine = engine();
    let ingress = ingress(&engine);
    let id = OpaqueId { conversation: ConversationId(42), message: MessageId(43) };
    let brazil = names(Some(551_187_654_321), None);
    let forged = id.seal(NUMBER_A, &OpaqueKey([8; 32]));
    let parts = vec![
        status(&brazil, Some(id.seal(NUMBER_A, &opaque_key()))),
        status(&Names::default(), Some(id.seal(NUMBER_A, &opaque_key()))),
        status(&brazil, Some(forged.clone())),
        status(&Names::default(), Some(forged)),
    ];
    let accepted = accept(&ingress, parts, &[TENANT_A]).await;
    assert_eq!((accepted.statuses, accepted.unknown), (3, 1));
    let with_ninth_digit = E164::parse("5511987654321").unwrap();
    let by_phone = conversation_id(NUMBER_A, &ContactKey::Phone(with_ninth_digit));
    let mut went: Vec<_> = log(&engine)
        .await
        .into_iter()
        .filter_map(|entry| match entry.body {
            EntryBody::Conversation { address, input } => match *input {
                Happening::Status(update) => Some((address.conversation, update.message)),
                other => panic!("{other:?}"),
            },
            EntryBody::Account(_) => None,
        })
        .collect();
    went.sort_unstable();
    let mut expected =
        [(by_phone, None), (id.conversation, Some(id.message)), (id.conversation, Some(id.message))];
    expected.sort_unstable();
    assert_eq!(went, expected);
}

#[actix_rt::test]
async fn notices_find_tenant_and_number() {
    let engine = engine();
    let ingress = ingress(&engine);
    let notice = |waba: &str, phone: Option<&str>| Part {
        waba: WabaId::new(waba),
        phone_number_id: None,
        display_phone: phone.and_then(|phone| E164::parse(phone).ok()),
        payload: Payload::Notice(
            Notice::Other {
                field: "phone_number_quality_update".into(),
                raw: protocol::content::RawJson("{}".into()),
            },
            Some(NOW),
        ),
    };
    let parts = vec![
        notice("wabaa", Some("390612345678")),
        notice("wabaa", None),
        notice("wabab", Some("4930123456")),
    ];
    let accepted = accept(&ingress, parts, &[TENANT_A]).await;
    assert_eq!((accepted.notices, accepted.total()), (3, 3));
    let mut found: Vec<_> =
        notices(&log(&engine).await).into_iter().map(|notice| (notice.tenant, notice.number)).collect();
    found.sort_unstable();
    assert_eq!(found, [(None, None), (Some(TENANT_A), None), (Some(TENANT_A), Some(NUMBER_A))]);
}

#[actix_rt::test]
async fn an_empty_webhook_is_accepted() {
    let engine = engine();
    let ingress = ingress(&engine);
    assert_eq!(accept(&ingress, vec![], &[TENANT_A]).await.total(), 0);
}
