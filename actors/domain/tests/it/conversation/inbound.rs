//! Messages of the contact: each counts once, however often it comes.

use domain::conversation::{Context, Effects, Input, Step, apply};
use domain::limits::SEEN_HALF;
use protocol::entry::Happening;
use protocol::fact::Fact;
use protocol::time::SpanMs;

use super::world::{World, names, text};

#[test]
fn a_message_counts_once() {
    let mut world = World::direct();
    let message = Happening::Received(world.message(text("hello")));
    world.happens(message.clone());
    let before = world.state.clone();
    let effects = world.later(SpanMs::hours(3)).happens(message);
    assert_eq!(effects, Effects::default());
    assert_eq!(world.state, before);
}

#[test]
fn what_the_conversation_forgot_the_store_remembers() {
    let mut world = World::direct();
    let first = Happening::Received(world.message(text("hello")));
    world.happens(first.clone());
    assert_eq!(world.state.seen_lookup(&first), None, "it is remembered here");
    let mut forgotten = Vec::new();
    for _ in 0..(2 * SEEN_HALF) {
        world.later(SpanMs::seconds(1));
        let fresh = Happening::Received(world.message(text("more")));
        assert_eq!(world.state.seen_lookup(&fresh), None, "new messages never ask the store");
        forgotten.extend(world.happens(fresh).forgotten);
    }
    let key = world.state.seen_lookup(&first).unwrap();
    assert!(forgotten.contains(&key), "the store was told");
    let before = world.state.clone();
    let mut effects = Effects::default();
    let context = Context { now: world.now, tenant: &world.tenant, number: &world.number };
    let step = Step { input: Input::Happening(Box::new(first)), traceparent: None, already_seen: true };
    apply(&mut world.state, &context, step, &mut effects);
    assert_eq!((effects, world.state), (Effects::default(), before));
}

#[test]
fn the_first_message_begins_the_conversation() {
    let mut world = World::new();
    let effects = world.says("hello");
    assert_eq!(
        names(&effects)[..3],
        ["conversation.started", "contact.identified", "message.received"],
        "in the order in which they are told"
    );
    let Fact::ConversationStarted { by_contact: true, .. } = effects.facts[0] else { panic!("by whom") };
    assert!(!names(&world.says("again")).contains(&"conversation.started"));
}

#[test]
fn ids_derive_from_causes() {
    let (mut one, mut two) = (World::new(), World::new());
    assert_eq!(one.says("TEST0001"), two.says("TEST0001"));
    assert_eq!(one.send("hello"), two.send("hello"));
    assert_eq!(one.state.queue.iter().map(|m| m.id).collect::<std::collections::BTreeSet<_>>().len(), 2);
}
