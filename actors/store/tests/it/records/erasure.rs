//! Erasing a contact: what facts brought, what they did not, and what comes again.

use protocol::command::{Consent, ConsentRecord, ConsentSource, Party};
use protocol::content::Channel;
use protocol::fact::{Event, Fact, MessageStatus};
use protocol::id::ContactId;
use protocol::outbound::Attempt;
use store::records::*;

use super::facts::{ACME, ANNA, Chat, minute, project, user};
use super::{Backend, fresh};

fn id(chat: &Chat) -> ContactId {
    chat.key().contact_id(ACME)
}

fn refused(text: Option<&str>) -> ConsentRecord {
    ConsentRecord {
        consent: Consent::OptedOut,
        source: ConsentSource::Keyword,
        text: text.map(Into::into),
        by: Party::Contact,
        at: minute(3),
    }
}

fn life(chat: &Chat, name: &str) -> Vec<Event> {
    let attempt = Attempt { at: minute(2), code: None, detail: format!("to {name}") };
    let record = refused(Some(&format!("basta, {name}")));
    vec![
        chat.started(minute(0)),
        chat.named(minute(0), name),
        chat.received(minute(1), 1, &format!("sono {name}")),
        chat.queued(minute(2), 2, user(ANNA), &format!("cara {name}")),
        chat.event(minute(2), Fact::AttemptFailed { message: chat.message(2), attempt, retry_at: None }),
        chat.status(minute(2), 2, MessageStatus::Delivered),
        chat.event(minute(3), Fact::ConsentChanged { channel: Channel::Whatsapp, record }),
    ]
}

fn erased(chat: &Chat) -> Event {
    let consent = Some(refused(None));
    let (channel, contact_id, by) = (Channel::Whatsapp, id(chat), user(ANNA));
    chat.event(minute(5), Fact::ContactErased { channel, contact_id, consent, by })
}

fn card(chat: &Chat) -> ContactCard {
    ContactCard { key: Some(chat.key()), first_name: Some("Giulia".into()), ..ContactCard::default() }
}

async fn save(records: &impl Records, chat: &Chat) {
    let change = Change { by: user(ANNA), at: minute(1) };
    records.save_contact(change, ACME, (id(chat), card(chat)), Expect::Any).await.unwrap();
}

async fn traces(records: &impl Records, chat: &Chat) -> Vec<Trace> {
    records.traces(ACME, id(chat), vec![chat.id()], minute(6)).await.unwrap()
}

/// Nothing that anybody can ask tells who it was.
async fn assert_forgotten(records: &impl Records, chat: &Chat) {
    assert_eq!(records.contact(ACME, id(chat)).await.unwrap(), None);
    assert_eq!(records.conversation(ACME, chat.id()).await.unwrap(), None);
    assert_eq!(records.message(ACME, chat.message(1)).await.unwrap(), None);
    let found = records.contacts(ACME, Some("giulia".into()), PageRequest::first(9)).await.unwrap();
    assert_eq!(found.data, []);
    let mut told = format!("{:?}", records.history(ACME, chat.id(), None, 100).await.unwrap());
    told +=
        &format!("{:?}", records.audit(ACME, AuditQuery::default(), PageRequest::first(99)).await.unwrap());
    assert!(!told.contains("Giulia") && !told.contains(&chat.phone.digits().to_string()), "{told}");
}

pub(super) async fn d14_an_erased_contact_leaves_no_trace<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let (chat, other) = (Chat::with(ACME, 1), Chat::with(ACME, 2));
    project(&records, life(&chat, "Giulia")).await;
    project(&records, life(&other, "Marta")).await;
    save(&records, &chat).await;
    let places: Vec<_> = traces(&records, &chat).await.iter().map(|trace| trace.place).collect();
    assert_eq!(places, ["contacts", "conversations", "cards", "consents", "events", "audit"]);

    let change = Change { by: user(ANNA), at: minute(5) };
    records.erase_contact(change, ACME, id(&chat), vec![chat.id()]).await.unwrap();
    assert_eq!(records.contact_card(ACME, id(&chat)).await.unwrap(), None);
    assert!(records.contact(ACME, id(&chat)).await.unwrap().is_some(), "until its conversation is erased");
    project(&records, vec![erased(&chat)]).await;
    assert_forgotten(&records, &chat).await;
    assert_eq!(traces(&records, &chat).await, []);
    let subject = Some(format!("contact/{}", id(&chat)).into());
    let query = AuditQuery { action: Some("contact.erased".into()), subject, ..AuditQuery::default() };
    let line = records.audit(ACME, query, PageRequest::first(9)).await.unwrap().data.remove(0);
    assert_eq!(
        (line.by, line.detail["conversations"][0].as_str()),
        (user(ANNA), Some(&*chat.id().to_string()))
    );
    // Others are as they were, and what was derived is derived the same again.
    assert!(records.message(ACME, other.message(1)).await.unwrap().is_some());
    records.rebuild().await.unwrap();
    assert_forgotten(&records, &chat).await;
    assert_eq!(traces(&records, &chat).await, []);
    assert!(records.message(ACME, other.message(1)).await.unwrap().is_some());
}

pub(super) async fn d14_who_comes_back_begins_anew<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chat = Chat::with(ACME, 1);
    // All in one batch: what comes behind the erasure stays.
    let mut events = life(&chat, "Giulia");
    events.push(erased(&chat));
    events.extend([chat.started(minute(7)), chat.received(minute(8), 3, "eccomi")]);
    assert_eq!(project(&records, events).await, 10);
    let check = async || {
        let row = records.conversation(ACME, chat.id()).await.unwrap().unwrap();
        assert_eq!((row.created_at, row.unread, row.contact.name()), (minute(7), 1, None));
        assert_eq!(row.contact.consent(Channel::Whatsapp), Consent::OptedOut, "a refusal outlives the name");
        let page = PageRequest::first(9);
        let (tenant, conversation, order) = (ACME, chat.id(), Order::OldestFirst);
        let query = MessageQuery { tenant, conversation, attachments_only: false, order, page };
        let messages = records.messages(query).await.unwrap().data;
        assert_eq!(messages.iter().map(|row| row.id).collect::<Vec<_>>(), [chat.message(3)]);
        assert_eq!(traces(&records, &chat).await, []);
    };
    check().await;
    records.rebuild().await.unwrap();
    check().await;
}

pub(super) async fn d14_a_contact_without_a_conversation_is_erased_at_once<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chat = Chat::with(ACME, 1);
    save(&records, &chat).await;
    let change = Change { by: user(ANNA), at: minute(5) };
    records.erase_contact(change, ACME, id(&chat), vec![]).await.unwrap();
    assert_eq!(records.contact(ACME, id(&chat)).await.unwrap(), None);
    assert_eq!(records.traces(ACME, id(&chat), vec![], minute(6)).await.unwrap(), []);
    records.rebuild().await.unwrap();
    assert_eq!(records.contact(ACME, id(&chat)).await.unwrap(), None);
}

pub(super) async fn d14_a_card_that_moved_leaves_nothing_but_a_refusal<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let (chat, other) = (Chat::with(ACME, 1), Chat::with(ACME, 2));
    project(&records, life(&chat, "Giulia").into_iter().chain([erased(&chat)]).collect()).await;
    project(&records, vec![other.started(minute(6))]).await;
    save(&records, &chat).await;
    let refused = records.contact(ACME, id(&chat)).await.unwrap().unwrap().consents;
    assert_eq!(refused[0].record.consent, Consent::OptedOut);
    let change = Change { by: Party::Gateway, at: minute(7) };
    assert!(records.move_card(change, ACME, (id(&chat), id(&other))).await.unwrap().is_some());
    assert_eq!(records.contact(ACME, id(&chat)).await.unwrap(), None, "nor the phone number");
    save(&records, &chat).await;
    assert_eq!(records.contact(ACME, id(&chat)).await.unwrap().unwrap().consents, refused);
}
