//! Statuses: late, doubled, out of order, before our own answer, about messages nobody knows.

use domain::limits::{PARKED, PARKED_FOR, RECENT, RECENT_HELD};
use protocol::entry::{Happening, ProviderStatus as P};
use protocol::fact::{Fact, MessageStatus as M, NotificationKind};
use protocol::id::{MessageId, ProviderId};
use protocol::outbound::Outcome;
use protocol::pricing::ProviderPricing;
use protocol::time::SpanMs;

use super::world::{World, names, notified, queued_id, statuses};

fn sent() -> (World, MessageId) {
    let mut world = World::direct();
    let id = queued_id(&world.send("hello"));
    world.claim(id);
    world.accepted(id, "wamid.1");
    (world, id)
}

fn pricing() -> ProviderPricing {
    ProviderPricing {
        billable: Some(true),
        model: "PMP".into(),
        kind: Some("regular".into()),
        category: "service".into(),
        conversation_id: None,
        conversation_expires_at: None,
        conversation_origin: None,
    }
}

#[test]
fn a_status_never_moves_backwards() {
    let table: [(&[P], &[M]); 6] = [
        (&[P::Sent, P::Delivered, P::Read], &[M::Delivered, M::Read]),
        (&[P::Read, P::Delivered, P::Sent], &[M::Read]),
        (&[P::Delivered, P::Delivered], &[M::Delivered]),
        (&[P::Read, P::Played], &[M::Read]),
        (&[P::Failed, P::Delivered], &[M::Failed, M::Delivered]),
        (&[P::Delivered, P::Failed], &[M::Delivered]),
    ];
    for (reported, expected) in table {
        let (mut world, id) = sent();
        let mut seen = Vec::new();
        for status in reported {
            let ours = (*status == P::Delivered).then_some(id);
            seen.extend(statuses(&world.status("wamid.1", ours, *status)));
        }
        assert_eq!(seen, expected, "{reported:?}");
    }
}

#[test]
fn d13_a_template_that_the_provider_holds_back_is_followed_and_never_sent_again() {
    for (told, end) in [(P::Sent, M::Sent), (P::Delivered, M::Delivered), (P::Failed, M::Failed)] {
        let mut world = World::direct();
        let id = queued_id(&world.send_template("interview_invite", "it", &["Anna", "lunedì"]));
        let next = queued_id(&world.send("next"));
        world.claim(id);
        let (provider_id, recipient) = (ProviderId::new("wamid.1"), None);
        let effects = world.outcome(id, Outcome::Held { provider_id, recipient });
        assert_eq!(statuses(&effects), [M::Held]);
        assert_eq!(effects.offers[0].message, next, "nothing waits for it");
        assert!(world.claim(id).posts.is_empty());
        let late = world.later(SpanMs::hours(2)).tick();
        assert_eq!(statuses(&late), [], "it is not in doubt");
        assert_eq!(statuses(&world.status("wamid.1", None, told)), [end]);
    }
}

#[test]
fn a_status_with_our_id_overtakes_the_answer() {
    let mut world = World::direct();
    let id = queued_id(&world.send("hello"));
    let next = queued_id(&world.send("next"));
    world.claim(id);
    let effects = world.status("wamid.1", Some(id), P::Delivered);
    assert_eq!(statuses(&effects), [M::Delivered]);
    assert_eq!(effects.offers[0].message, next);
    assert!(names(&world.accepted(id, "wamid.1")).is_empty(), "the answer says nothing new");
    assert_eq!(statuses(&world.status("wamid.1", None, P::Read)), [M::Read]);
}

#[test]
fn a_status_without_our_id_waits_for_the_answer() {
    let mut world = World::direct();
    let id = queued_id(&world.send("hello"));
    world.claim(id);
    assert!(names(&world.status("wamid.1", None, P::Delivered)).is_empty());
    assert!(names(&world.status("wamid.1", None, P::Delivered)).is_empty());
    assert_eq!(world.state.parked.len(), 1);
    assert_eq!(statuses(&world.accepted(id, "wamid.1")), [M::Sent, M::Delivered]);
    assert!(world.state.parked.is_empty());
}

#[test]
fn what_nobody_knows_is_passed_on_after_a_while() {
    let mut world = World::direct();
    let id = queued_id(&world.send("hello"));
    world.claim(id);
    for other in 0..=PARKED {
        let effects = world.status(&format!("wamid.other.{other}"), None, P::Sent);
        let expected: &[&str] = if other == PARKED { &["message.status_unmatched"] } else { &[] };
        assert_eq!(names(&effects), expected);
    }
    world.accepted(id, "wamid.1");
    let effects = world.later(PARKED_FOR).tick();
    assert_eq!(names(&effects), vec!["message.status_unmatched"; PARKED]);
    assert!(world.state.parked.is_empty());
}

#[test]
fn nothing_waits_when_nothing_is_under_way() {
    let (mut world, _) = sent();
    assert_eq!(names(&world.status("wamid.other", None, P::Sent)), ["message.status_unmatched"]);
    let effects = world.status("wamid.other", Some(MessageId(99)), P::Sent);
    let Some(Fact::StatusUnmatched { message, .. }) = effects.facts.first() else { panic!("no fact") };
    assert_eq!(*message, Some(MessageId(99)));
    assert!(world.state.parked.is_empty());
}

#[test]
fn a_failure_tells_the_owner_once() {
    let (mut world, id) = sent();
    assert_eq!(notified(&world.status("wamid.1", Some(id), P::Failed)), [NotificationKind::SendFailed]);
    assert!(notified(&world.status("wamid.1", Some(id), P::Failed)).is_empty());
}

#[test]
fn the_providers_price_is_passed_on_once_even_when_it_comes_late() {
    let (mut world, _) = sent();
    world.status("wamid.1", None, P::Read);
    let mut delivered = world.status_update("wamid.1", None, P::Delivered);
    delivered.pricing = Some(pricing());
    let effects = world.happens(Happening::Status(delivered.clone()));
    let Some(Fact::StatusChanged { status, pricing: Some(_), .. }) = effects.facts.first() else {
        panic!("no price")
    };
    assert_eq!(*status, M::Read, "the status stays where it is");
    assert!(names(&world.happens(Happening::Status(delivered))).is_empty());
}

#[test]
fn statuses_are_followed_for_a_bounded_number_of_messages() {
    let mut world = World::direct();
    for _ in 0..(2 * RECENT) {
        world.send("hello");
        world.later(domain::limits::PAIR_INTERVAL).deliver_all();
    }
    assert_eq!(world.state.recent.len(), RECENT);
}

#[test]
fn d13_what_is_held_back_outlives_what_is_sent_after_it_up_to_a_share() {
    let mut world = World::direct();
    let hold = |world: &mut World, n: usize| {
        let id = queued_id(&world.send_template("interview_invite", "it", &["Anna", "lunedì"]));
        world.claim(id);
        world.outcome(
            id,
            Outcome::Held { provider_id: ProviderId::new(format!("held.{n}")), recipient: None },
        );
        world.later(domain::limits::PAIR_INTERVAL);
        id
    };
    let ids: Vec<_> = (0..=RECENT_HELD).map(|n| hold(&mut world, n)).collect();
    for _ in 0..(2 * RECENT) {
        world.send("hello");
        world.later(domain::limits::PAIR_INTERVAL).deliver_all();
    }
    let kept: Vec<_> =
        world.state.recent.iter().map(|recent| recent.id()).filter(|id| ids.contains(id)).collect();
    assert_eq!(kept, ids[1..], "the oldest one too many has gone");
    let effects = world.status("held.1", None, P::Failed);
    assert_eq!(statuses(&effects), [M::Failed]);
    assert_eq!(notified(&effects), [NotificationKind::SendFailed], "its recruiter hears of it");
}
