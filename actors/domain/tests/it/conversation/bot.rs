//! Modes and what the bot answers.

use domain::texts;
use protocol::command::{Action, Mode, Party};
use protocol::content::{Content, Media, MediaKind, MediaSource};
use protocol::entry::ProviderStatus;
use protocol::fact::{Fact, NotificationKind};
use protocol::id::{MediaId, ProviderId};
use protocol::time::SpanMs;

use super::world::{ANNA, World, names, notified};

fn photo() -> Content {
    Content::Media(Media {
        kind: MediaKind::Image,
        source: MediaSource::Provider(MediaId::new("1")),
        mime_type: None,
        sha256: None,
        filename: None,
        caption: None,
        voice: false,
    })
}

#[test]
fn a2_a_flow_id_inside_a_longer_text_begins_the_application() {
    for text in
        ["TEST0001", "Hi, I want to apply test0001!", "(Test0001)", "TEST0001に応募します", "ref:TEST0001"]
    {
        let mut world = World::new();
        let effects = world.says(text);
        assert!(names(&effects).contains(&"flow.started"), "{text}");
        assert_eq!(world.queued(), ["name?"]);
    }
}

#[test]
fn a2_an_id_inside_another_word_or_an_unknown_one_begins_nothing() {
    for text in ["XTEST0001", "TEST00011", "TEST0002", "TEST 0001", "hello"] {
        let mut world = World::new();
        let effects = world.says(text);
        assert!(!names(&effects).contains(&"flow.started"), "{text}");
        assert_eq!(world.queued(), [texts::of("it").error_reply]);
    }
}

#[test]
fn a3_the_error_reply_says_how_to_open_the_chat_and_not_too_often() {
    let mut world = World::new();
    world.says("hello");
    world.says("hello?");
    world.receives(photo());
    assert_eq!(world.queued().len(), 1);
    assert!(world.queued()[0].contains("/chat"));
    let interval = SpanMs::seconds(i64::from(world.tenant.tenant.settings.error_reply_interval_seconds));
    world.later(interval).says("still there?");
    assert_eq!(world.queued().len(), 2);
}

#[test]
fn a3_the_error_reply_speaks_the_tenants_language() {
    let mut world = World::new();
    world.tenant.tenant.language = "ja".into();
    world.says("hello");
    assert_eq!(world.queued(), [texts::of("ja").error_reply]);
}

#[test]
fn a3_a_reaction_is_not_answered() {
    let mut world = World::new();
    world.receives(Content::Reaction { message: ProviderId::new("wamid.1"), emoji: Some("👍".into()) });
    assert!(world.queued().is_empty());
}

#[test]
fn a4_in_direct_mode_every_message_lands_in_the_inbox() {
    let mut world = World::direct();
    let effects = world.says("TEST0001");
    assert_eq!(names(&effects), ["message.received", "notification.due"]);
    let Fact::MessageReceived { for_inbox: true, .. } = effects.facts[0] else { panic!("not for the inbox") };
    assert_eq!(notified(&effects), [NotificationKind::NewMessage]);
    assert_eq!(world.state.unread, 1);
    assert!(world.queued().is_empty());
}

#[test]
fn a5_commands_of_the_contact_switch_modes_and_are_acknowledged() {
    let mut world = World::new();
    for (text, mode, answer) in [
        ("/chat", Mode::Direct, texts::of("it").chat_opened),
        (" /EndChat ", Mode::Bot, texts::of("it").chat_closed),
        ("/CHAT", Mode::Direct, texts::of("it").chat_opened),
    ] {
        let effects = world.says(text);
        assert!(effects.facts.contains(&Fact::ModeChanged { mode, by: Party::Contact }));
        assert_eq!(world.state.mode, mode);
        assert_eq!(world.queued(), [answer]);
        world.deliver_all();
    }
    for other in ["please /endchat now", "/endchat!", "endchat"] {
        world.says(other);
    }
    assert_eq!(world.state.mode, Mode::Direct, "only the exact command");
}

#[test]
fn a7_a_recruiter_switches_the_mode_by_hand() {
    let mut world = World::new();
    world.says("TEST0001");
    let effects = world.command(Action::SetMode(Mode::Direct));
    assert_eq!(names(&effects), ["flow.abandoned", "conversation.mode_changed"]);
    assert!(effects.facts.contains(&Fact::ModeChanged { mode: Mode::Direct, by: Party::User(ANNA) }));
    assert!(names(&world.command(Action::SetMode(Mode::Direct))).is_empty(), "it is so already");
    world.command(Action::SetMode(Mode::Bot));
    assert_eq!(world.state.mode, Mode::Bot);
}

#[test]
fn a_disabled_number_leaves_everything_to_people() {
    let mut world = World::new();
    world.number.enabled = false;
    let effects = world.says("TEST0001");
    assert_eq!(notified(&effects), [NotificationKind::Assigned, NotificationKind::NewMessage]);
    assert!(world.queued().is_empty());
}

#[test]
fn two_bots_do_not_talk_for_ever() {
    let mut world = World::new();
    world.says("TEST0001");
    world.says("Anna");
    let mut said = world.deliver_all().len();
    for _ in 0..100 {
        world.later(SpanMs::seconds(1)).says("I did not understand that.");
        said += world.deliver_all().len();
    }
    assert!(said <= 7, "{said}");
}

#[test]
fn a_status_does_not_begin_a_conversation() {
    let mut world = World::new();
    world.status("wamid.1", None, ProviderStatus::Sent);
    assert!(!world.state.started);
}
