//! Claim, POST, outcome: nothing is sent twice, and order is kept.

use domain::conversation::{Input, Waiting};
use domain::limits::{IN_DOUBT, OFFER_AGAIN, PAIR_BURST, PAIR_INTERVAL};
use protocol::command::Action;
use protocol::entry::ProviderStatus;
use protocol::fact::{Fact, MessageStatus, NotificationKind};
use protocol::outbound::Outcome;
use protocol::time::{SpanMs, TimestampMs};
use protocol::whatsapp::errors::MAX_ATTEMPTS;

use super::world::{World, body, names, notified, queued_id, statuses};

fn retry_at(effects: &domain::conversation::Effects) -> Option<TimestampMs> {
    effects.facts.iter().find_map(|fact| match fact {
        Fact::AttemptFailed { retry_at, .. } => *retry_at,
        _ => None,
    })
}

#[test]
fn a_message_is_offered_claimed_posted_and_sent() {
    let mut world = World::direct();
    let sent = world.send("hello");
    let id = queued_id(&sent);
    assert_eq!(sent.offers.len(), 1);
    let claimed = world.claim(id);
    assert_eq!(statuses(&claimed), [MessageStatus::Claimed]);
    assert_eq!(claimed.posts.len(), 1);
    assert_eq!(body(&claimed.posts[0].content), "hello");
    assert_eq!(claimed.posts[0].to.phone, world.state.identity.phone);
    assert_eq!(statuses(&world.accepted(id, "wamid.1")), [MessageStatus::Sent]);
    assert!(world.state.queue.is_empty());
}

#[test]
fn a_claim_posts_at_most_once() {
    let mut world = World::direct();
    let id = queued_id(&world.send("hello"));
    assert_eq!(world.claim(id).posts.len(), 1);
    assert!(world.claim(id).posts.is_empty());
    world.outcome(id, Outcome::InDoubt { detail: "time-out".into() });
    assert!(world.claim(id).posts.is_empty());
    let recovered = world.apply(Input::Recover);
    assert!(recovered.offers.is_empty(), "a take-over never offers a claimed message");
    assert_eq!(recovered.in_doubt, [id], "the next owner counts it");
    world.accepted(id, "wamid.1");
    assert!(world.claim(id).posts.is_empty());
}

#[test]
fn one_is_under_way_at_a_time_and_order_is_kept() {
    let mut world = World::direct();
    let first = queued_id(&world.send("first"));
    let sent = world.send("second");
    let second = queued_id(&sent);
    assert!(sent.offers.is_empty());
    assert!(world.claim(second).posts.is_empty(), "not its turn");
    world.claim(first);
    assert!(world.claim(second).posts.is_empty(), "the first is still under way");
    let effects = world.accepted(first, "wamid.1");
    assert_eq!(effects.offers.iter().map(|offer| offer.message).collect::<Vec<_>>(), [second]);
    assert_eq!(world.claim(second).posts.len(), 1);
}

#[test]
fn offers_are_repeated_and_recovered() {
    let mut world = World::direct();
    world.send("hello");
    assert_eq!(world.state.next_deadline(), Some(world.now + OFFER_AGAIN));
    assert!(world.tick().offers.is_empty(), "an early tick finds nothing");
    assert_eq!(world.later(OFFER_AGAIN).tick().offers.len(), 1);
    assert_eq!(world.later(SpanMs(1)).apply(Input::Recover).offers.len(), 1);
}

#[test]
fn what_provably_never_left_is_tried_again_and_not_for_ever() {
    let mut world = World::direct();
    let id = queued_id(&world.send("hello"));
    for attempt in 1..=MAX_ATTEMPTS {
        assert_eq!(world.claim(id).posts.len(), 1, "attempt {attempt}");
        let effects = world.outcome(id, Outcome::NotSent { detail: "connect".into() });
        match retry_at(&effects) {
            Some(at) => {
                assert!(at > world.now && effects.offers.is_empty());
                assert!(world.claim(id).posts.is_empty(), "not before its time");
                assert_eq!(world.state.next_deadline(), Some(at));
                world.now = at;
                assert_eq!(world.tick().offers.len(), 1);
            }
            None => {
                assert_eq!(attempt, MAX_ATTEMPTS);
                assert_eq!(statuses(&effects), [MessageStatus::Failed]);
                assert_eq!(notified(&effects), [NotificationKind::SendFailed]);
            }
        }
    }
    assert!(world.state.queue.is_empty());
}

#[test]
fn the_pair_limit_of_the_provider_waits_in_powers_of_four() {
    let mut world = World::direct();
    let id = queued_id(&world.send("hello"));
    for expected_seconds in [1, 4, 16] {
        world.claim(id);
        let at = retry_at(&world.rejected(id, 131_056)).unwrap();
        assert_eq!(at, world.now + SpanMs::seconds(expected_seconds));
        world.now = at;
        world.tick();
    }
}

#[test]
fn a_message_that_is_held_back_for_hours_lets_others_pass() {
    let mut world = World::direct();
    let held = queued_id(&world.send_template("hello", "en", &[]));
    let next = queued_id(&world.send("next"));
    world.claim(held);
    let effects = world.rejected(held, 131_049);
    let at = retry_at(&effects).unwrap();
    assert_eq!(effects.offers[0].message, next);
    world.claim(next);
    world.accepted(next, "wamid.1");
    assert_eq!(world.state.next_deadline(), Some(world.now + SpanMs::hours(23)), "the warning of the window");
    let third = world.send("third");
    assert_eq!(third.offers[0].message, queued_id(&third), "it is not stuck behind the first");
    world.deliver_all();
    world.now = at;
    assert_eq!(world.tick().offers[0].message, held);
}

#[test]
fn codes_decide_what_follows() {
    for (code, expected) in
        [(131_026, MessageStatus::Failed), (131_047, MessageStatus::Refused), (100, MessageStatus::Failed)]
    {
        let mut world = World::direct();
        let id = queued_id(&world.send("hello"));
        world.claim(id);
        let effects = world.rejected(id, code);
        assert_eq!(statuses(&effects), [expected], "{code}");
        assert_eq!(retry_at(&effects), None);
        assert_eq!(notified(&effects), [NotificationKind::SendFailed]);
    }
}

#[test]
fn in_doubt_ends_as_unknown_and_a_person_is_told() {
    let mut world = World::direct();
    let id = queued_id(&world.send("hello"));
    let next = queued_id(&world.send("next"));
    world.claim(id);
    let effects = world.outcome(id, Outcome::InDoubt { detail: "time-out".into() });
    assert_eq!(names(&effects), ["message.attempt_failed"]);
    assert!(names(&world.outcome(id, Outcome::InDoubt { detail: "again".into() })).is_empty());
    let effects = world.later(IN_DOUBT).tick();
    assert_eq!(statuses(&effects), [MessageStatus::Unknown]);
    assert_eq!(notified(&effects), [NotificationKind::SendFailed]);
    assert_eq!(effects.offers[0].message, next, "the next one goes on");
    // Much later the provider says what became of it.
    assert_eq!(
        statuses(&world.status("wamid.1", Some(id), ProviderStatus::Delivered)),
        [MessageStatus::Delivered]
    );
}

#[test]
fn a_crash_after_the_claim_ends_as_unknown_unless_a_status_tells() {
    let mut world = World::direct();
    let id = queued_id(&world.send("hello"));
    world.claim(id);
    // The process dies here; nobody reports an outcome.
    assert!(world.apply(Input::Recover).offers.is_empty());
    assert_eq!(statuses(&world.status("wamid.1", Some(id), ProviderStatus::Sent)), [MessageStatus::Sent]);
    assert!(names(&world.later(IN_DOUBT).tick()).is_empty());
}

#[test]
fn an_answer_after_unknown_is_still_believed() {
    let mut world = World::direct();
    let id = queued_id(&world.send("hello"));
    world.claim(id);
    world.later(IN_DOUBT).tick();
    assert_eq!(statuses(&world.accepted(id, "wamid.1")), [MessageStatus::Sent]);
    assert_eq!(statuses(&world.status("wamid.1", None, ProviderStatus::Read)), [MessageStatus::Read]);
}

#[test]
fn the_limit_per_recipient_delays_the_offer() {
    let mut world = World::direct();
    let mut sent = 1; // the acknowledgement of /chat
    while sent < PAIR_BURST {
        world.send("hello");
        assert_eq!(world.deliver_all().len(), 1);
        sent += 1;
    }
    let effects = world.send("one too many");
    assert!(effects.offers.is_empty());
    assert!(world.claim(queued_id(&effects)).posts.is_empty());
    assert_eq!(world.state.next_deadline(), Some(world.now + PAIR_INTERVAL));
    assert_eq!(world.later(PAIR_INTERVAL).tick().offers.len(), 1);
    assert_eq!(world.claim(queued_id(&effects)).posts.len(), 1);
}

#[test]
fn f3_it_can_be_told_what_a_message_waits_for() {
    let mut world = World::direct();
    assert_eq!(world.waiting(), None);
    let id = queued_id(&world.send("hello"));
    assert_eq!(world.waiting(), Some(Waiting::Slot));
    world.command(Action::SetPaused(true));
    assert_eq!(world.waiting(), Some(Waiting::Paused));
    world.command(Action::SetPaused(false));
    world.claim(id);
    let until = world.now + IN_DOUBT;
    assert_eq!(world.waiting(), Some(Waiting::Answer { until }));
    world.outcome(id, Outcome::InDoubt { detail: "time-out".into() });
    assert_eq!(world.waiting(), Some(Waiting::InDoubt { until }));
    let mut other = World::direct();
    let id = queued_id(&other.send("hello"));
    other.claim(id);
    other.rejected(id, 131_000);
    assert_eq!(other.waiting(), Some(Waiting::Until(other.now + SpanMs::seconds(1))));
    other.number.enabled = false;
    assert_eq!(other.waiting(), Some(Waiting::NumberDisabled));
}

#[test]
fn a_pause_holds_everything_back_until_it_ends() {
    let mut world = World::direct();
    let id = queued_id(&world.send("hello"));
    world.command(Action::SetPaused(true));
    assert!(world.claim(id).posts.is_empty());
    assert!(world.later(OFFER_AGAIN).tick().offers.is_empty());
    let effects = world.command(Action::SetPaused(false));
    assert_eq!(effects.offers.len(), 1);
    assert_eq!(world.claim(id).posts.len(), 1);
}

#[test]
fn d1_a_disabled_number_neither_sends_nor_forgets() {
    let mut world = World::direct();
    let id = queued_id(&world.send("hello"));
    world.number.enabled = false;
    assert!(world.claim(id).posts.is_empty());
    assert!(world.later(OFFER_AGAIN).tick().offers.is_empty());
    world.number.enabled = true;
    let at = world.state.next_deadline().unwrap();
    world.now = at;
    assert_eq!(world.tick().offers.len(), 1);
}
