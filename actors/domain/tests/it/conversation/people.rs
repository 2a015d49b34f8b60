//! Who a conversation belongs to, who is told, and what people do with it.

use protocol::command::{Action, CommandResult, Owner, Party, Refusal, Vacancy};
use protocol::entry::Happening;
use protocol::fact::{Fact, NotificationKind};
use protocol::id::{KeyId, UserId};
use protocol::time::SpanMs;

use super::world::{ANNA, World, names, notified, queued_id, refusal};

#[test]
fn d2_the_first_message_of_an_unknown_sender_is_assigned_as_configured() {
    let mut world = World::new();
    let effects = world.says("hello");
    assert_eq!(world.state.owner, Some(Owner::User(ANNA)));
    assert!(notified(&effects).contains(&NotificationKind::Assigned));
    world.command(Action::Assign(None));
    world.says("again");
    assert_eq!(world.state.owner, None, "only the first message assigns");
}

#[test]
fn d2_who_writes_first_gets_the_answers() {
    let mut world = World::new();
    let ivo = UserId(12);
    let body = protocol::command::SendBody::Template {
        name: "hello".into(),
        language: "en".into(),
        parameters: Vec::new(),
    };
    let effects = world.command_by(Party::User(ivo), Action::Send(body));
    assert!(notified(&effects).is_empty(), "nobody is told of what they did themselves");
    world.says("thanks");
    assert_eq!(world.state.owner, Some(Owner::User(ivo)));
}

#[test]
fn d12_the_owner_is_told_of_what_waits_for_a_person() {
    let mut world = World::direct();
    let effects = world.says("hello");
    let Some(Fact::Notify { owner, about: NotificationKind::NewMessage, message: Some(_) }) =
        effects.facts.last()
    else {
        panic!("nobody was told")
    };
    assert_eq!(*owner, Some(Owner::User(ANNA)));
    let mut with_bot = World::new();
    with_bot.says("TEST0001");
    assert!(notified(&with_bot.says("Anna")).is_empty(), "the bot took it");
}

#[test]
fn d12_a_new_owner_is_told_unless_they_took_it_themselves() {
    let mut world = World::direct();
    let give = |owner: u128| Action::Assign(Some(Owner::User(UserId(owner))));
    assert_eq!(notified(&world.command(give(12))), [NotificationKind::Assigned]);
    assert!(notified(&world.command_by(Party::User(UserId(13)), give(13))).is_empty());
    assert!(names(&world.command(give(13))).is_empty(), "it is so already");
}

#[test]
fn unread_messages_are_read_by_hand_or_by_an_answer() {
    let mut world = World::direct();
    world.says("one");
    world.says("two");
    assert_eq!(world.state.unread, 2);
    assert_eq!(names(&world.command(Action::MarkRead)), ["conversation.read"]);
    assert!(names(&world.command(Action::MarkRead)).is_empty());
    world.says("three");
    assert!(names(&world.send("answer")).contains(&"conversation.read"));
    assert_eq!(world.state.unread, 0);
}

#[test]
fn b1_a_chat_without_a_vacancy_can_get_one_later() {
    let mut world = World::direct();
    assert!(world.state.vacancy.is_none());
    let vacancy = Vacancy { id: "vac-2".into(), title: "Autista".into() };
    assert_eq!(names(&world.command(Action::SetVacancy(Some(vacancy)))), ["conversation.vacancy_changed"]);
    assert!(world.state.vacancy.is_some());
}

#[test]
fn a_command_after_its_expiry_is_refused() {
    let mut world = World::direct();
    let key = protocol::command::CommandKey(77);
    let by = Party::Service(KeyId(1));
    let command = protocol::command::Command {
        key,
        fingerprint: 1,
        by,
        expires_at: world.now - SpanMs(1),
        action: Action::MarkRead,
    };
    let effects = world.happens(Happening::Command(command));
    assert_eq!(refusal(&effects), Refusal::Expired);
    assert_eq!(
        effects.facts,
        [Fact::CommandRefused { by, action: "mark_read".into(), refusal: Refusal::Expired }]
    );
}

#[test]
fn commands_on_what_never_began_are_not_found_but_consent_is_kept() {
    let mut world = World::new();
    assert_eq!(refusal(&world.command(Action::MarkRead)), Refusal::NotFound);
    let effects = world.command(Action::SetBlocked(true));
    assert!(matches!(effects.result, Some(CommandResult::Done { .. })));
    assert_eq!(refusal(&world.send_template("hello", "en", &[])), Refusal::Blocked);
}

#[test]
fn b6_typing_is_shown_on_the_newest_message_while_the_window_is_open() {
    let mut world = World::direct();
    world.says("hello");
    let newest = world.state.last_received.clone();
    assert_eq!(world.command(Action::ShowTyping).typing, newest);
    assert_eq!(world.later(SpanMs::hours(25)).command(Action::ShowTyping).typing, None);
}

#[test]
fn a_failed_send_is_told_to_the_owner() {
    let mut world = World::direct();
    let id = queued_id(&world.send("hello"));
    world.claim(id);
    let effects = world.rejected(id, 131_026);
    let Some(Fact::Notify { message, .. }) = effects.facts.last() else { panic!("nobody was told") };
    assert_eq!(*message, Some(id));
}

#[test]
fn d16_a_chat_of_a_group_is_picked_up_by_one() {
    let mut world = World::direct();
    world.command(Action::Assign(Some(Owner::Role("recruiter".into()))));
    let (ivo, eva) = (UserId(12), UserId(13));
    let picked = world.command_by(Party::User(ivo), Action::PickUp(ivo));
    assert_eq!((names(&picked), notified(&picked)), (vec!["conversation.owner_changed"], vec![]));
    let late = world.command_by(Party::User(eva), Action::PickUp(eva));
    assert_eq!(refusal(&late), Refusal::AlreadyOwned { owner: ivo });
    assert!(names(&world.command_by(Party::User(ivo), Action::PickUp(ivo))).is_empty(), "it is so already");
    let given = world.command_by(Party::User(eva), Action::Assign(Some(Owner::User(eva))));
    assert_eq!(world.state.owner, Some(Owner::User(eva)), "reassigned on purpose: {given:?}");
}

#[test]
fn d16_followers_are_told_what_the_owner_is_told() {
    let mut world = World::direct();
    let ivo = UserId(12);
    let follow = |following| Action::SetFollowing { user: ivo, following };
    assert_eq!(names(&world.command(follow(true))), ["conversation.follow_changed"]);
    assert!(names(&world.command(follow(true))).is_empty());
    let told = |world: &mut World| -> Vec<Option<Owner>> {
        let owner = |fact: Fact| if let Fact::Notify { owner, .. } = fact { Some(owner) } else { None };
        world.says("hello").facts.into_iter().filter_map(owner).collect()
    };
    assert_eq!(told(&mut world), [Some(Owner::User(ANNA)), Some(Owner::User(ivo))]);
    world.command(Action::Assign(Some(Owner::User(ivo))));
    assert_eq!(told(&mut world), [Some(Owner::User(ivo))], "once, as the owner");
    world.command(Action::Assign(None));
    world.command(follow(false));
    assert_eq!(told(&mut world), [None]);
    for user in 100..150 {
        world.command(Action::SetFollowing { user: UserId(user), following: true });
    }
    assert_eq!(refusal(&world.command(follow(true))), Refusal::TooManyFollowers { limit: 50 });
}
