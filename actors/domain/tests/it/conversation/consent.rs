//! Consent: refusals count at once, on every path and on every number.

use domain::texts;
use protocol::command::{Action, Consent, ConsentRecord, ConsentSource, Party, Refusal, SendBody};
use protocol::entry::{ContactChange, Happening, Identity, PreferenceChange};
use protocol::fact::{Fact, MessageStatus, NotificationKind};
use protocol::id::NumberId;
use protocol::time::{SpanMs, TimestampMs};

use super::world::{ANNA, World, body, names, notified, queued_id, refusal, statuses};

fn record(consent: Consent, at: TimestampMs) -> ConsentRecord {
    ConsentRecord { consent, source: ConsentSource::Recorded, text: None, by: Party::User(ANNA), at }
}

fn preference(world: &World, stopped: bool) -> Happening {
    let identity = Identity::default();
    Happening::Preference(PreferenceChange {
        at: world.now,
        marketing_stopped: stopped,
        identity,
        detail: None,
    })
}

#[test]
fn e3_a_keyword_opts_out_at_once_and_is_confirmed_once() {
    let mut world = World::direct();
    let waiting = queued_id(&world.send("hello"));
    let effects = world.says("#OPTOUT");
    assert_eq!(world.state.consent(), Consent::OptedOut);
    assert_eq!(statuses(&effects), [MessageStatus::Refused]);
    assert!(notified(&effects).contains(&NotificationKind::OptedOut));
    assert!(world.claim(waiting).posts.is_empty());
    let sent: Vec<_> = world.deliver_all().iter().map(body).collect();
    assert_eq!(sent, [texts::of("it").opted_out]);
    assert_eq!(names(&world.says("STOP")), ["message.received"], "a repeated refusal changes nothing");
    assert!(world.deliver_all().is_empty());
}

#[test]
fn d14_an_opted_out_contact_is_never_messaged_whatever_the_path() {
    let mut world = World::direct();
    world.says("stop");
    world.deliver_all();
    let since = world.now;
    for by in [Party::User(ANNA), Party::Automation, Party::Service(protocol::id::KeyId(1))] {
        let text = SendBody::Text { body: "hello".into(), reply_to: None };
        assert_eq!(refusal(&world.command_by(by, Action::Send(text))), Refusal::OptedOut { since });
    }
    assert_eq!(refusal(&world.send_template("hello", "en", &[])), Refusal::OptedOut { since });
    assert!(world.command(Action::ShowTyping).typing.is_none());
    for said in ["hello", "TEST0001", "/chat", "/endchat"] {
        assert!(notified(&world.says(said)).contains(&NotificationKind::NewMessage), "a person reads it");
        assert!(world.queued().is_empty(), "{said}");
    }
}

#[test]
fn d14_an_opt_out_that_comes_during_a_retry_stops_it() {
    let mut world = World::direct();
    let id = queued_id(&world.send("hello"));
    world.claim(id);
    world.says("stop");
    let effects = world.rejected(id, 131_000);
    assert_eq!(statuses(&effects), [MessageStatus::Refused]);
    assert_eq!(world.deliver_all().len(), 1, "only the confirmation");
}

#[test]
fn e3_opting_in_again_is_explicit() {
    let mut world = World::direct();
    world.says("start");
    assert_eq!(world.state.consent(), Consent::Undefined, "no refusal, nothing to undo");
    world.says("stop");
    world.says("hello again");
    assert_eq!(world.state.consent(), Consent::OptedOut);
    world.deliver_all();
    world.says("START");
    assert_eq!(world.state.consent(), Consent::OptedIn);
    assert_eq!(world.deliver_all().iter().map(body).collect::<Vec<_>>(), [texts::of("it").opted_in]);
    queued_id(&world.send("welcome back"));
}

#[test]
fn e3_the_providers_preference_turns_it_red_and_only_it_turns_back() {
    let mut world = World::direct();
    world.happens(preference(&world, true));
    assert_eq!(world.state.consent(), Consent::OptedOut);
    assert!(world.queued().is_empty(), "the provider has confirmed it");
    world.later(SpanMs(1));
    world.happens(preference(&world, false));
    assert_eq!(world.state.consent(), Consent::OptedIn);
    world.says("stop");
    world.later(SpanMs(1));
    world.happens(preference(&world, false));
    assert_eq!(
        world.state.consent(),
        Consent::OptedOut,
        "a word in the chat is undone by a word in the chat"
    );
}

#[test]
fn e3_the_providers_error_says_that_marketing_was_stopped() {
    let mut world = World::direct();
    let id = queued_id(&world.send_template("hello", "en", &[]));
    world.claim(id);
    let effects = world.rejected(id, 131_050);
    assert_eq!(statuses(&effects), [MessageStatus::Refused]);
    assert_eq!(world.state.consent(), Consent::OptedOut);
}

#[test]
fn e2_single_sends_are_allowed_while_undefined_bulk_needs_an_opt_in() {
    let mut world = World::direct();
    queued_id(&world.send("single"));
    let text = || Action::Send(SendBody::Text { body: "bulk".into(), reply_to: None });
    assert_eq!(refusal(&world.command_by(Party::Automation, text())), Refusal::OptInRequired);
    let now = world.now;
    let effects = world.command(Action::SetConsent(record(Consent::OptedIn, now)));
    let Some(Fact::ConsentChanged { record, .. }) = effects.facts.first() else { panic!("no fact") };
    assert_eq!((record.source, record.by), (ConsentSource::Recorded, Party::User(ANNA)));
    queued_id(&world.command_by(Party::Automation, text()));
}

#[test]
fn e2_consent_reaches_the_tenants_other_numbers_of_the_channel() {
    let mut world = World::direct();
    let second = NumberId::derive(&[b"second"]);
    let effects = world.says("stop");
    let [(number, change)] = effects.siblings.as_slice() else { panic!("{:?}", effects.siblings) };
    assert_eq!(*number, second, "not the text message number, not this one");
    // Another conversation of the same contact learns it before its first message, and tells nobody.
    let mut sibling = World::new();
    let effects = sibling.happens(Happening::ContactChanged(change.clone()));
    assert!(effects.siblings.is_empty() && effects.facts.is_empty());
    assert!(!sibling.state.started);
    let Refusal::OptedOut { .. } = refusal(&sibling.send_template("hello", "en", &[])) else {
        panic!("allowed")
    };
    // An older record that comes late does not undo it.
    let older = record(Consent::OptedIn, TimestampMs(0));
    sibling.happens(Happening::ContactChanged(ContactChange::Consent(older)));
    assert_eq!(sibling.state.consent(), Consent::OptedOut);
}

#[test]
fn e3_the_tenants_own_words_count() {
    let mut world = World::direct();
    world.tenant.tenant.settings.opt_out_keywords = vec!["Basta così".into()];
    world.says("basta cosi");
    assert_eq!(world.state.consent(), Consent::OptedOut);
}

#[test]
fn e3_an_opt_out_breaks_an_application_off() {
    let mut world = World::new();
    world.says("TEST0001");
    let effects = world.says("stop");
    assert!(names(&effects).contains(&"flow.abandoned"));
    assert_eq!(statuses(&effects), [MessageStatus::Refused], "the question that waited");
    assert_eq!(world.queued(), [texts::of("it").opted_out]);
}
