//! Forgetting a contact: nothing of the person stays, and what must not happen again does not.

use domain::conversation::Conversation;
use protocol::command::{Action, CommandResult, Consent, Party, Refusal, SendBody};
use protocol::entry::{Happening, Identity, ProviderStatus};
use protocol::fact::{Fact, MessageStatus};
use protocol::id::{Bsuid, ContactId};
use protocol::phone::ContactKey;
use protocol::time::SpanMs;

use super::world::{ANNA, World, names, phone, queued_id, refusal, statuses, text};

fn contact(world: &World) -> ContactId {
    world.state.address.contact.contact_id(world.state.address.tenant)
}

fn erase(world: &mut World) -> Vec<Fact> {
    let (contact, former) =
        (contact(world), Identity { phone: Some(phone("+393330000000")), ..Identity::default() });
    let effects = world.command(Action::Erase { contact, names: vec![former] });
    let conversation = world.state.address.conversation;
    assert_eq!(effects.result, Some(CommandResult::Done { conversation }));
    assert_eq!(effects.aliases.len(), 4, "the former name, the key, the present name, the other writing");
    effects.facts
}

fn holds(state: &Conversation, words: &str) -> bool {
    let stored = state.encode().unwrap();
    stored.windows(words.len()).any(|window| window == words.as_bytes())
}

#[test]
fn d14_an_erased_conversation_holds_nothing_of_the_contact() {
    let mut world = World::direct();
    let mut message = world.message(text("sono Anna Rossi"));
    message.identity.bsuid = Some(Bsuid::new("IT.1349"));
    message.identity.username = Some("@anna".into());
    world.happens(Happening::Received(message));
    let waiting = queued_id(&world.send("cara Anna"));
    assert!(holds(&world.state, "Anna") && holds(&world.state, "IT.1349"));
    let facts = erase(&mut world);
    for words in ["Anna", "anna", "IT.1349"] {
        assert!(!holds(&world.state, words), "{words}");
    }
    assert_eq!(world.state.identity, Identity::default());
    assert_eq!(world.state.address.contact, ContactKey::nobody(Some("IT")));
    assert_eq!(facts.last().map(Fact::name), Some("contact.erased"));
    assert!(world.claim(waiting).posts.is_empty(), "what waited is not sent");
    assert_eq!(world.state.next_deadline(), None);
    assert_eq!(refusal(&world.send("ancora?")), Refusal::NotFound);
    assert_eq!(refusal(&world.send_template("hello", "en", &[])), Refusal::NotFound);
}

#[test]
fn d14_what_is_under_way_loses_its_words_and_keeps_its_bill() {
    let mut world = World::direct();
    let message = queued_id(&world.send("cara Anna"));
    assert_eq!(world.claim(message).posts.len(), 1);
    erase(&mut world);
    assert!(!holds(&world.state, "Anna"));
    assert_eq!(statuses(&world.accepted(message, "wamid.late")), [MessageStatus::Sent]);
    assert_eq!(
        statuses(&world.status("wamid.late", None, ProviderStatus::Delivered)),
        [MessageStatus::Delivered]
    );
    let mut world = World::direct();
    let message = queued_id(&world.send("cara Anna"));
    world.claim(message);
    erase(&mut world);
    assert!(
        statuses(&world.rejected(message, 130_429)).contains(&MessageStatus::Refused),
        "never tried again"
    );
    assert!(world.state.queue.is_empty());
}

#[test]
fn d14_a_refusal_survives_the_erasure() {
    let mut world = World::direct();
    world.says("STOP");
    world.deliver_all();
    let since = world.now;
    let facts = erase(&mut world);
    let Some(Fact::ContactErased { consent: Some(kept), .. }) = facts.last() else { panic!("{facts:?}") };
    assert_eq!((kept.consent, kept.text.as_deref()), (Consent::OptedOut, None));
    let key = ContactKey::Phone(phone("+393331234567"));
    world.later(SpanMs::hours(1)).state.meet(&key);
    for by in [Party::User(ANNA), Party::Automation] {
        let body = SendBody::Text { body: "ciao".into(), reply_to: None };
        assert_eq!(refusal(&world.command_by(by, Action::Send(body))), Refusal::OptedOut { since });
    }
}

#[test]
fn d14_who_comes_back_is_met_anew_and_repetitions_are_not() {
    let mut world = World::direct();
    let old = world.message(text("una volta"));
    world.happens(Happening::Received(old.clone()));
    let before = contact(&world);
    erase(&mut world);
    assert_eq!(
        names(&world.happens(Happening::Received(old))),
        [] as [&str; 0],
        "the provider repeats itself"
    );
    assert!(!world.state.address.contact.names_somebody());
    let mut again = world.message(text("di nuovo io"));
    again.identity.phone = Some(phone("+393331234567"));
    let effects = world.happens(Happening::Received(again));
    assert_eq!(names(&effects)[..2], ["conversation.started", "contact.identified"]);
    assert_eq!(contact(&world), before);
    assert_eq!(world.state.identity.phone, Some(phone("+393331234567")));
}
