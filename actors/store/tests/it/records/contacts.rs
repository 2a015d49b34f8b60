use std::collections::BTreeSet;

use protocol::command::{Consent, ConsentRecord, ConsentSource, Party};
use protocol::content::Channel;
use protocol::entry::Identity;
use protocol::fact::Fact;
use protocol::id::{Bsuid, ContactId};
use protocol::phone::{ContactKey, E164};
use store::records::*;

use super::facts::{ACME, ANNA, Chat, OTHER, minute, project, user};
use super::{Backend, fresh};

async fn found(records: &impl Records, text: &str) -> Vec<ContactId> {
    let page = records.contacts(ACME, Some(text.into()), PageRequest::first(50)).await.unwrap();
    let by_chat =
        records.conversations(ACME, Filter::Search(text.into()), PageRequest::first(50)).await.unwrap();
    let ids: Vec<_> = page.data.iter().map(|contact| contact.id).collect();
    let mut chats: Vec<_> = by_chat.data.iter().map(|row| row.contact.id).collect();
    let mut sorted = ids.clone();
    chats.sort_unstable();
    sorted.sort_unstable();
    assert_eq!(sorted, chats, "both searches agree on {text}");
    ids
}

pub(super) async fn b3_search_finds_words_in_any_order<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let names = ["Фёдоров Пётр Ильич", "José Ángel Núñez", "Federica Rossi", "Sinéad O'Neil"];
    let mut ids = Vec::new();
    for (person, name) in (1..).zip(names) {
        let chat = Chat::with(ACME, person);
        project(&records, vec![chat.started(minute(0)), chat.named(minute(0), name)]).await;
        ids.push(chat.key().contact_id(ACME));
    }
    for (text, expected) in [
        ("петр федоров", vec![ids[0]]),
        ("Пётр", vec![ids[0]]),
        ("ИЛЬ ФЕД", vec![ids[0]]),
        ("nunez jose", vec![ids[1]]),
        ("ANGÉL", vec![ids[1]]),
        ("ross fede", vec![ids[2]]),
        ("oneil", vec![ids[3]]),
        ("o’neil sin", vec![ids[3]]),
        ("neil", vec![ids[3]]),
        ("rossi anna", vec![]),
        ("ossi", vec![]),
        ("…", vec![]),
    ] {
        assert_eq!(found(&records, text).await, expected, "{text}");
    }
    assert_eq!(found(&records, "  ").await.len(), 4, "nothing asked, nothing left out");
}

pub(super) async fn b3_search_finds_phones<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chat = Chat::with(ACME, 1_234_567);
    project(&records, vec![chat.started(minute(0))]).await;
    for text in ["+39 333 123", "3331234567", "0039 333 1234567", "333-123"] {
        assert_eq!(found(&records, text).await, [chat.key().contact_id(ACME)], "{text}");
    }
    assert_eq!(found(&records, "444").await, []);
    let brazilian = Chat { phone: E164::parse("+5511987654321").unwrap(), ..Chat::with(ACME, 0) };
    project(&records, vec![brazilian.started(minute(0))]).await;
    for text in ["+55 11 98765", "11 8765-4321", "551187654321"] {
        assert_eq!(found(&records, text).await, [brazilian.key().contact_id(ACME)], "{text}");
    }
    let contact = records.contact_by_phone(ACME, chat.phone).await.unwrap().unwrap();
    assert_eq!(contact.id, chat.key().contact_id(ACME));
}

pub(super) async fn f6_identities_are_merged<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chat = Chat::with(ACME, 1);
    let id = chat.key().contact_id(ACME);
    project(&records, vec![chat.started(minute(0)), chat.named(minute(0), "Anna")]).await;
    let phone = E164::parse("+491701234567").unwrap();
    let identity = Identity {
        phone: Some(phone),
        bsuid: Some(Bsuid::new("US.1")),
        username: Some("@anna".into()),
        profile_name: None,
    };
    project(&records, vec![chat.event(minute(1), Fact::ContactIdentified(identity))]).await;
    let contact = records.contact(ACME, id).await.unwrap().unwrap();
    assert_eq!((contact.key.clone(), contact.phone), (chat.key(), Some(phone)));
    assert_eq!(contact.name(), Some("Anna"), "absent names did not change");
    assert_eq!(found(&records, "@ANN").await, [id]);
    assert_eq!(found(&records, "+49170").await, [id]);
    assert_eq!(found(&records, &chat.phone.to_string()).await, [], "the old number is gone");
}

pub(super) async fn e2_consents_are_kept_per_channel<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chat = Chat::with(ACME, 1);
    let id = chat.key().contact_id(ACME);
    project(&records, vec![chat.started(minute(0))]).await;
    let change = |at, consent| {
        let record = ConsentRecord {
            consent,
            source: ConsentSource::Keyword,
            text: Some("STOP".into()),
            by: Party::Contact,
            at,
        };
        chat.event(at, Fact::ConsentChanged { channel: Channel::Whatsapp, record })
    };
    project(&records, vec![change(minute(2), Consent::OptedOut)]).await;
    project(&records, vec![change(minute(1), Consent::OptedIn)]).await;
    let contact = records.contact(ACME, id).await.unwrap().unwrap();
    assert_eq!(contact.consent(Channel::Whatsapp), Consent::OptedOut, "the latest word counts");
    assert_eq!(contact.consent(Channel::Sms), Consent::Undefined);
    let row = records.conversation(ACME, chat.id()).await.unwrap().unwrap();
    assert_eq!(row.contact, contact);
}

pub(super) async fn cards_are_shown_and_survive_a_rebuild<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chat = Chat::with(ACME, 1);
    let (phone, key) = (chat.phone, chat.key());
    let id = key.contact_id(ACME);
    let change = Change { by: user(ANNA), at: minute(1) };
    let card = ContactCard {
        key: Some(key),
        stage: Some("invited".into()),
        first_name: Some("Bruno".into()),
        last_name: Some("Verdi".into()),
        ..ContactCard::default()
    };
    let saved = records.save_contact(change, ACME, (id, card.clone()), Expect::Absent).await.unwrap();
    project(&records, vec![chat.started(minute(2))]).await;
    let again = records.save_contact(change, ACME, (id, card.clone()), Expect::Absent).await;
    assert!(matches!(again, Err(RecordsError::Conflict { .. })));
    for round in ["written", "rebuilt"] {
        let contact = records.contact_by_phone(ACME, phone).await.unwrap().unwrap();
        assert_eq!(contact.name(), Some("Bruno Verdi"), "{round}");
        let page = records.contacts(ACME, Some("verdi".into()), PageRequest::first(9)).await.unwrap();
        assert_eq!(page.data, [contact], "{round}");
        let staged = Filter::Stage("invited".into());
        let page = records.conversations(ACME, staged, PageRequest::first(9)).await.unwrap();
        assert_eq!(page.data.iter().map(|row| row.id).collect::<Vec<_>>(), [chat.id()], "{round}");
        records.rebuild().await.unwrap();
    }
    assert_eq!(records.contact_card(ACME, id).await.unwrap(), Some((saved.version, card.clone())));
    let renamed = ContactCard { last_name: Some("Neri".into()), ..card };
    records.save_contact(change, ACME, (id, renamed), Expect::Version(saved.version)).await.unwrap();
    let page = records.contacts(ACME, Some("verdi".into()), PageRequest::first(9)).await.unwrap();
    assert_eq!(page.data, [], "the old name is gone");
}

pub(super) async fn f6_a_card_finds_its_person<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let (chat, other) = (Chat::with(ACME, 1), Chat::with(ACME, 2));
    // Pushed under a name that nobody has written by.
    let pushed = Chat::with(ACME, 3);
    let [to, busy, from] = [&chat, &other, &pushed].map(|chat| chat.key().contact_id(ACME));
    let change = Change { by: user(ANNA), at: minute(1) };
    let card = |key: ContactKey, stage: Option<&str>, first: &str| ContactCard {
        key: Some(key),
        stage: stage.map(Into::into),
        first_name: Some(first.into()),
        ..ContactCard::default()
    };
    let all =
        [(from, card(pushed.key(), Some("invited"), "Bruna")), (busy, card(other.key(), None, "Carla"))];
    for (id, card) in all {
        records.save_contact(change, ACME, (id, card), Expect::Absent).await.unwrap();
    }
    project(&records, vec![chat.started(minute(2)), other.started(minute(2))]).await;
    let found = records.cards(vec![from, to, busy]).await.unwrap();
    assert_eq!(found.iter().map(|(_, id, _)| *id).collect::<BTreeSet<_>>(), BTreeSet::from([from, busy]));
    let move_card = async |from, to| records.move_card(change, ACME, (from, to)).await.unwrap();
    assert_eq!(move_card(busy, to).await, None, "somebody talks with that one");
    assert_eq!(records.move_card(change, OTHER, (from, to)).await.unwrap(), None, "another tenant's");
    let expected = card(chat.key(), Some("invited"), "Bruna");
    assert_eq!(move_card(from, to).await, Some(expected.clone()));
    assert_eq!(move_card(from, to).await, None, "it is there already");
    for round in ["moved", "rebuilt"] {
        let contact = records.contact(ACME, to).await.unwrap().unwrap();
        assert_eq!((contact.name(), contact.stage.as_deref()), (Some("Bruna"), Some("invited")), "{round}");
        assert_eq!(records.contact(ACME, from).await.unwrap(), None, "{round}");
        let words = records.contacts(ACME, Some("bruna".into()), PageRequest::first(9)).await.unwrap();
        assert_eq!(words.data.len(), 1, "{round}");
        records.rebuild().await.unwrap();
    }
    // A second one of the same person only fills in what is missing.
    let late = ContactCard { email: Some("b@x.example".into()), ..card(pushed.key(), None, "Bruna Maria") };
    records.save_contact(change, ACME, (from, late), Expect::Absent).await.unwrap();
    let whole = ContactCard { email: Some("b@x.example".into()), ..expected };
    assert_eq!(move_card(from, to).await, Some(whole));
}

pub(super) async fn contacts_are_listed<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    for person in 0..5 {
        let chat = Chat::with(ACME, person);
        project(&records, vec![chat.started(minute(person as i64 / 2))]).await;
    }
    let first = records.contacts(ACME, None, PageRequest::first(3)).await.unwrap();
    let rest = records.contacts(ACME, None, PageRequest { limit: 3, cursor: first.next }).await.unwrap();
    assert_eq!((first.data.len(), rest.data.len(), rest.next), (3, 2, None));
    assert!(first.data[2].created_at >= rest.data[0].created_at);
}

pub(super) async fn p7_contacts_that_may_not_be_messaged_are_listed<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chats: Vec<_> = (0..4).map(|person| Chat::with(ACME, person)).collect();
    let out = |at, consent| ConsentRecord {
        consent,
        source: ConsentSource::Recorded,
        text: None,
        by: Party::Contact,
        at,
    };
    let changed = |chat: &Chat, at, consent| {
        chat.event(at, Fact::ConsentChanged { channel: Channel::Whatsapp, record: out(at, consent) })
    };
    for (chat, at) in chats.iter().zip(0..3) {
        project(&records, vec![chat.started(minute(at))]).await;
    }
    let blocked = Fact::BlockChanged { blocked: true, by: Party::Contact };
    let facts = vec![
        changed(&chats[0], minute(4), Consent::OptedOut),
        chats[1].event(minute(4), blocked),
        changed(&chats[2], minute(4), Consent::OptedOut),
        changed(&chats[2], minute(5), Consent::OptedIn),
        // Nobody has talked with the last one: only the refusal was recorded.
        chats[3].event(
            minute(6),
            Fact::ConsentRecorded {
                channel: Channel::Whatsapp,
                contact: chats[3].key(),
                contact_id: chats[3].key().contact_id(ACME),
                record: out(minute(6), Consent::OptedOut),
            },
        ),
    ];
    project(&records, facts).await;
    for round in ["projected", "rebuilt"] {
        let page = PageRequest::first(2);
        let first = records.silenced_contacts(ACME, Channel::Whatsapp, page).await.unwrap();
        let page = PageRequest { limit: 2, cursor: first.next.clone() };
        let rest = records.silenced_contacts(ACME, Channel::Whatsapp, page).await.unwrap();
        assert_eq!(rest.next, None, "{round}");
        let found: Vec<_> =
            first.data.iter().chain(&rest.data).map(|one| (one.contact.key.clone(), one.blocked)).collect();
        assert_eq!(
            found,
            [(chats[3].key(), false), (chats[1].key(), true), (chats[0].key(), false)],
            "{round}"
        );
        assert_eq!(first.data[0].contact.consent(Channel::Whatsapp), Consent::OptedOut);
        let sms = records.silenced_contacts(ACME, Channel::Sms, PageRequest::first(9)).await.unwrap();
        assert_eq!(sms.data, [], "{round}");
        records.rebuild().await.unwrap();
    }
}
