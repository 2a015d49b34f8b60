//! The 24-hour rule.

use domain::limits::WINDOW;
use protocol::command::Refusal;
use protocol::entry::{CallEvent, Happening, Identity};
use protocol::fact::{Fact, MessageStatus, NotificationKind};
use protocol::id::ProviderId;
use protocol::time::{SpanMs, TimestampMs};

use super::world::{START, World, names, notified, queued_id, refusal, statuses, text};

fn expires_at(world: &World) -> TimestampMs {
    world.state.window.as_ref().unwrap().expires_at
}

#[test]
fn a1_a9_free_form_outside_window_is_refused_with_templates() {
    let mut world = World::direct();
    world.later(WINDOW);
    let refusal = refusal(&world.send("hello"));
    let Refusal::WindowClosed { since, templates } = &refusal else { panic!("another refusal: {refusal:?}") };
    assert_eq!(*since, Some(START + WINDOW));
    // Only approved ones that may be sent now, those in the tenant's language first.
    let hints: Vec<_> = templates.iter().map(|hint| (hint.name.as_str(), hint.parameters.len())).collect();
    assert_eq!(hints, [("interview_invite", 2), ("hello", 0)]);
    assert!(world.state.queue.is_empty());
}

#[test]
fn a1_a_contact_that_never_wrote_has_no_window() {
    let mut world = World::new();
    let Refusal::WindowClosed { since: None, .. } = refusal(&world.send("hello")) else {
        panic!("another refusal")
    };
    assert!(!world.state.started, "a refused first send begins nothing");
}

#[test]
fn a1_an_approved_template_goes_out_and_the_answer_opens_a_window() {
    let mut world = World::new();
    let sent = world.send_template("interview_invite", "it", &["Anna", "lunedì"]);
    assert_eq!(names(&sent)[..2], ["conversation.started", "message.queued"]);
    assert_eq!(world.claim(queued_id(&sent)).posts.len(), 1);
    assert!(!world.state.window_open(world.now));
    world.later(SpanMs::minutes(5)).says("ok");
    assert!(world.state.window_open(world.now));
}

#[test]
fn a1_each_message_restarts_the_window_from_the_providers_time() {
    let mut world = World::new();
    world.says("first");
    assert_eq!(expires_at(&world), START + WINDOW);
    let mut late = world.message(text("second"));
    world.later(SpanMs::hours(2));
    late.sent_at = START + SpanMs::hours(1);
    world.happens(Happening::Received(late));
    assert_eq!(expires_at(&world), START + SpanMs::hours(25));
    assert_eq!(world.state.window.as_ref().unwrap().opened_at, START);
}

#[test]
fn a1_late_messages_never_shorten_and_future_ones_count_as_now() {
    let mut world = World::new();
    world.says("now");
    let mut old = world.message(text("old"));
    old.sent_at = START - SpanMs::hours(5);
    world.happens(Happening::Received(old));
    assert_eq!(expires_at(&world), START + WINDOW);
    let mut future = world.message(text("future"));
    future.sent_at = START + SpanMs::hours(5);
    world.happens(Happening::Received(future));
    assert_eq!(expires_at(&world), START + WINDOW);
}

#[test]
fn a1_a_message_that_comes_a_day_late_opens_nothing() {
    let mut world = World::new();
    let mut old = world.message(text("old"));
    old.sent_at = START - WINDOW;
    world.happens(Happening::Received(old));
    assert!(!world.state.window_open(world.now));
    assert_eq!(world.state.next_deadline(), None, "there is no end to announce");
}

#[test]
fn a1_what_comes_too_late_for_the_bot_is_read_by_people() {
    let mut world = World::new();
    let mut old = world.message(text("TEST0001"));
    old.sent_at = START - WINDOW;
    let effects = world.happens(Happening::Received(old));
    assert!(notified(&effects).contains(&NotificationKind::NewMessage));
    assert!(world.state.run.is_none());
}

#[test]
fn a1_a_call_of_the_contact_restarts_the_window() {
    let mut world = World::new();
    let call = |event: &str, by_contact| {
        Happening::Call(CallEvent {
            call_id: ProviderId::new("call.1"),
            at: START,
            event: event.into(),
            by_contact,
            duration_seconds: None,
            identity: Identity::default(),
        })
    };
    world.happens(call("connect", false));
    assert!(!world.state.window_open(world.now), "our own call opens nothing");
    world.happens(call("ringing", true));
    assert!(world.state.window_open(world.now));
    let missed = world.happens(call("terminate", true));
    assert_eq!(notified(&missed), [NotificationKind::MissedCall]);
    assert!(names(&world.happens(call("terminate", true))).is_empty(), "a repeated event changes nothing");
}

#[test]
fn a1_a_message_that_waited_past_the_window_is_refused_at_the_claim() {
    let mut world = World::direct();
    world.later(SpanMs(WINDOW.0 - 1));
    let id = queued_id(&world.send("just in time"));
    world.later(SpanMs(1));
    let effects = world.claim(id);
    assert!(effects.posts.is_empty());
    assert_eq!(statuses(&effects), [MessageStatus::Refused]);
}

#[test]
fn the_end_of_the_window_is_announced_once_and_refuses_what_waits() {
    let mut world = World::direct();
    world.send("first");
    world.send_template("hello", "en", &[]);
    world.says("hello");
    let warn_at = START + WINDOW - SpanMs::hours(1);
    // The offer is repeated meanwhile; nothing of the window is announced early.
    world.now = warn_at - SpanMs(1);
    assert!(names(&world.tick()).is_empty());
    world.now = warn_at;
    let effects = world.tick();
    assert_eq!(names(&effects), ["window.closing_soon", "notification.due"]);
    assert_eq!(notified(&effects), [NotificationKind::WindowClosingSoon]);
    world.now = START + WINDOW;
    let effects = world.tick();
    assert_eq!(names(&effects), ["window.closed", "message.status_changed"]);
    assert_eq!(world.queued(), ["Hello!"], "templates may still go");
    assert_eq!(effects.offers.len(), 1);
    assert!(!names(&world.tick()).contains(&"window.closed"));
}

#[test]
fn a1_a_window_that_closes_soon_is_announced_without_a_deadline_in_the_past() {
    let mut world = World::direct();
    world.later(SpanMs::hours(48));
    let mut late = world.message(text("anybody there?"));
    late.sent_at = world.now - WINDOW + SpanMs::seconds(30);
    world.happens(Happening::Received(late));
    assert_eq!(world.state.next_deadline(), Some(world.now), "now, not an hour before the message came");
    assert_eq!(notified(&world.tick()), [NotificationKind::WindowClosingSoon]);
}

#[test]
fn a_timer_that_fires_late_skips_the_warning() {
    let mut world = World::direct();
    world.later(SpanMs::hours(48));
    assert_eq!(names(&world.tick()), ["window.closed"]);
    assert_eq!(world.state.next_deadline(), None);
}

#[test]
fn a_new_message_arms_the_warning_again() {
    let mut world = World::direct();
    world.later(SpanMs::hours(23)).tick();
    world.says("still here");
    let Some(Fact::WindowClosingSoon { expires_at }) =
        world.later(SpanMs::hours(23)).tick().facts.into_iter().next()
    else {
        panic!("no warning")
    };
    assert_eq!(expires_at, START + SpanMs::hours(47));
}
