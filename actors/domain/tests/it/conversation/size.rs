//! A hundred thousand of these are alive at once: what one costs.

use domain::conversation::{Conversation, Recent, Seen};
use protocol::entry::{Happening, ProviderStatus};
use protocol::id::{Bsuid, ProviderId};
use protocol::time::SpanMs;

use super::world::{World, queued_id};

/// What an actix actor with its address and mailbox costs beside the state (measured with small states).
const ACTOR_BYTES: usize = 850;
/// Budget for a live idle conversation in the node.
const LIVE_BYTES: usize = 1_536;
/// Budget for the stored form of a typical idle conversation.
const SNAPSHOT_BYTES: usize = 600;

/// Bytes behind the pointers of the state, as far as they matter.
fn heap(state: &Conversation) -> usize {
    let inline = 24;
    let long = |text: &str| if text.len() > inline { text.len() } else { 0 };
    let name = state.identity.profile_name.as_ref().map_or(0, String::capacity);
    let newest = state.last_received.as_ref().map_or(0, |id| long(id.as_str()));
    let recent = state.recent.capacity() * size_of::<Recent>();
    let vacancy =
        state.vacancy.as_ref().map_or(0, |vacancy| size_of_val(&**vacancy) + vacancy.title.capacity());
    name + newest + recent + vacancy + state.seen.heap_bytes()
}

/// As long as the provider's ids are.
fn wamid(number: u32) -> ProviderId {
    ProviderId::new(format!("wamid.HBgMMzkzMzMxMjM0NTY3FQIAERgSMDAwMDAwMDAwMDAwMDAwMDAw{number:02}"))
}

/// A conversation as they usually are: an application, a few messages each way, everything read.
fn typical() -> World {
    let mut world = World::new();
    for text in ["TEST0001", "Anna Rossi", "1", "/skip", "Quando posso venire?"] {
        let mut message = world.later(SpanMs::minutes(1)).message(super::world::text(text));
        message.provider_id = wamid(world.count());
        world.happens(Happening::Received(message));
        while let Some(head) = world.state.queue.first() {
            let id = head.id;
            world.claim(id);
            let provider_id =
                format!("wamid.HBgMMzkzMzMxMjM0NTY3FQIAERgSMDAwMDAwMDAwMDAwMDAw{}", world.count());
            world.accepted(id, &provider_id);
            world.status(&provider_id, Some(id), ProviderStatus::Read);
        }
    }
    let id = queued_id(&world.send("Venerdì alle 10"));
    world.claim(id);
    world.accepted(id, "wamid.last");
    world.state.identity.bsuid = Some(Bsuid::new("IT.13491208655302741918"));
    world
}

#[test]
fn size_of_a_live_idle_conversation_is_within_its_budget() {
    let state = typical().state;
    let bytes = size_of::<Conversation>() + heap(&state);
    assert!(bytes + ACTOR_BYTES <= LIVE_BYTES, "{} inline, {bytes} in all", size_of::<Conversation>());
    assert!(size_of::<Seen>() <= 80);
}

#[test]
fn size_of_a_typical_snapshot_is_within_its_budget() {
    let bytes = typical().state.encode().unwrap().len();
    assert!(bytes <= SNAPSHOT_BYTES, "{bytes}");
}

#[test]
fn size_of_a_full_memory_stays_bounded() {
    let mut world = World::direct();
    for _ in 0..100 {
        world.later(SpanMs::seconds(10)).says("hello");
        world.send("hello");
        world.deliver_all();
    }
    let bytes = world.state.encode().unwrap().len();
    assert!(bytes <= 1_100, "{bytes}");
    assert!(size_of::<Conversation>() + heap(&world.state) <= 1_800);
}
