//! Who the contact is: names that appear and change, blocking and leaving.

use protocol::command::{Action, Refusal};
use protocol::entry::{Happening, Identity, IdentityChange, ProviderStatus};
use protocol::fact::{Fact, MessageStatus};
use protocol::id::{Bsuid, ProviderId};
use protocol::outbound::Outcome;
use protocol::phone::ContactKey;

use super::world::{World, names, notified, phone, queued_id, refusal, statuses, text};

#[test]
fn f6_a_contact_without_a_number_is_merged_when_the_number_appears() {
    let bsuid = Bsuid::new("IT.123");
    let mut world = World::with(ContactKey::Bsuid(bsuid.clone()));
    assert_eq!(
        world.says("hello").aliases,
        [Identity { bsuid: Some(bsuid.clone()), ..Identity::default() }],
        "the user id leads here whatever name comes with it"
    );
    let mut message = world.message(text("hello"));
    message.identity.phone = Some(phone("+393331234567"));
    let effects = world.happens(Happening::Received(message));
    assert_eq!(
        effects.aliases,
        [Identity { phone: Some(phone("+393331234567")), ..Identity::default() }],
        "the number leads here from now on"
    );
    assert_eq!(names(&effects)[0], "contact.identified");
    assert_eq!(world.state.identity.bsuid, Some(bsuid));
    assert!(world.says("again").aliases.is_empty());
}

#[test]
fn a_changed_number_keeps_the_conversation_and_is_dialled_from_then_on() {
    let mut world = World::direct();
    let now = Identity { phone: Some(phone("+393339999999")), ..Identity::default() };
    let change = IdentityChange { provider_id: ProviderId::new("wamid.9"), at: world.now, now, text: None };
    let effects = world.happens(Happening::IdentityChanged(change.clone()));
    assert_eq!(effects.aliases.len(), 1);
    assert!(names(&world.happens(Happening::IdentityChanged(change))).is_empty());
    let id = queued_id(&world.send("hello"));
    assert_eq!(world.claim(id).posts[0].to.phone, Some(phone("+393339999999")));
}

#[test]
fn another_way_of_writing_the_number_is_an_alias_once_and_is_not_dialled() {
    let mut world = World::with(ContactKey::Phone(phone("+5511987654321")));
    world.says("/chat");
    world.deliver_all();
    let id = queued_id(&world.send("hello"));
    world.claim(id);
    let provider_id = ProviderId::new("wamid.1");
    let short = phone("+551187654321");
    let effects = world.outcome(id, Outcome::Accepted { provider_id, recipient: Some(short) });
    assert_eq!(effects.aliases, [Identity { phone: Some(short), ..Identity::default() }]);
    let mut status = world.status_update("wamid.1", Some(id), ProviderStatus::Delivered);
    status.identity.phone = Some(short);
    assert!(world.happens(Happening::Status(status)).aliases.is_empty(), "it is known by now");
    assert_eq!(world.state.identity.phone, Some(phone("+5511987654321")));
}

#[test]
fn e1_who_writes_by_the_other_writing_of_the_number_is_no_other_contact() {
    for (known, given) in [("+5511987654321", "+551187654321"), ("+551187654321", "+5511987654321")] {
        let mut world = World::with(ContactKey::Phone(phone(known)));
        let says = |world: &mut World, body: &str| {
            let mut message = world.message(text(body));
            message.identity.phone = Some(phone(given));
            let effects = world.happens(Happening::Received(message));
            effects.aliases.iter().filter_map(|names| names.phone).collect::<Vec<_>>()
        };
        assert_eq!(says(&mut world, "/chat"), [phone(given)], "it leads here");
        assert_eq!(says(&mut world, "hello"), [], "that is known by now");
        assert_eq!(world.state.identity.phone, Some(phone(known)), "what the record says stays");
    }
}

#[test]
fn b2_a_blocked_contact_is_kept_apart() {
    let mut world = World::direct();
    let waiting = queued_id(&world.send("hello"));
    let effects = world.command(Action::SetBlocked(true));
    assert_eq!(statuses(&effects), [MessageStatus::Refused]);
    assert_eq!(effects.siblings.len(), 1);
    assert!(world.claim(waiting).posts.is_empty());
    let effects = world.later(protocol::time::SpanMs::hours(1)).says("are you there?");
    assert!(notified(&effects).is_empty());
    let Fact::MessageReceived { blocked: true, for_inbox: false, .. } = effects.facts[0] else {
        panic!("not apart")
    };
    assert!(
        world.state.window_open(world.now + protocol::time::SpanMs::hours(23)),
        "the window is still tracked"
    );
    assert_eq!(world.state.unread, 0);
    assert_eq!(refusal(&world.send("hello")), Refusal::Blocked);
    assert_eq!(refusal(&world.send_template("hello", "en", &[])), Refusal::Blocked);
    assert_eq!(names(&world.command(Action::SetBlocked(false))), ["contact.block_changed"]);
    queued_id(&world.send("hello"));
}

#[test]
fn b2_blocking_reaches_the_other_numbers_and_marks_the_chats_there() {
    let mut world = World::direct();
    let effects = world.command(Action::SetBlocked(true));
    let (_, change) = effects.siblings.into_iter().next().unwrap();
    let mut sibling = World::direct();
    let effects = sibling.happens(Happening::ContactChanged(change.clone()));
    assert_eq!((names(&effects), effects.siblings.len()), (vec!["contact.block_changed"], 0));
    assert!(names(&sibling.happens(Happening::ContactChanged(change.clone()))).is_empty());
    let mut stranger = World::new();
    assert!(
        names(&stranger.happens(Happening::ContactChanged(change))).is_empty(),
        "there is no chat to mark"
    );
    assert_eq!(refusal(&stranger.send_template("hello", "en", &[])), Refusal::Blocked);
}

#[test]
fn b2_a_blocked_contact_can_still_opt_out_and_is_not_answered() {
    let mut world = World::direct();
    world.command(Action::SetBlocked(true));
    assert!(names(&world.says("stop")).contains(&"contact.consent_changed"));
    assert!(world.queued().is_empty());
}

#[test]
fn b2_leaving_a_chat_silences_it_until_it_is_undone() {
    let mut world = World::direct();
    world.send("hello");
    assert_eq!(statuses(&world.command(Action::SetLeft(true))), [MessageStatus::Refused]);
    assert!(notified(&world.says("hello?")).is_empty());
    assert!(world.queued().is_empty());
    assert_eq!(refusal(&world.send("hello")), Refusal::Left);
    world.command(Action::SetLeft(false));
    queued_id(&world.send("hello"));
}
