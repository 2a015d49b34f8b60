//! Inputs that cannot be applied are set aside, and the shard goes on.

use bytes::Bytes;
use domain::conversation::{Context, Conversation, Effects, Input, Step};
use protocol::codec;
use protocol::content::Content;
use protocol::entry::{Address, Entry, EntryBody, Happening};
use protocol::fact::Fact;
use protocol::id::NumberId;
use runtime::{Node, NodeHandle};
use store::engine::DeadLetter;

use crate::world::{Life, World, address, memory, run};

/// The domain's step, but for one text that it does not survive.
fn fragile(state: &mut Conversation, context: &Context<'_>, step: Step, effects: &mut Effects) {
    if let Input::Happening(happening) = &step.input
        && let Happening::Received(message) = happening.as_ref()
        && matches!(&message.content, Content::Text { body } if body == "poison")
    {
        // Half of a change, to show that nothing of it stays.
        state.unread += 1_000;
        panic!("on purpose");
    }
    domain::conversation::apply(state, context, step, effects);
}

async fn letters(world: &World) -> Vec<DeadLetter> {
    world.engine.dead_letters(None, 100).await.unwrap()
}

async fn state(node: &NodeHandle, address: &Address) -> Conversation {
    node.inspect(address.conversation).await.unwrap().unwrap()
}

async fn append_raw(world: &World, address: &Address, bytes: Bytes) {
    let shard = world.engine.identity().shards.shard_of(address.conversation);
    world.engine.append(vec![(shard, bytes)]).await.unwrap();
}

#[test]
fn a_panicking_input_becomes_a_dead_letter_and_its_neighbours_are_applied() {
    run(async {
        let world = World::new(memory());
        let node = Node::start_with(world.options(), fragile).unwrap();
        let anna = address(1);
        // Before the node runs for the first time, so that all of it is one batch.
        for words in ["/chat", "poison", "hello"] {
            world.writes(&anna, words).await;
        }
        world.rest(5).await;
        let dead = letters(&world).await;
        assert_eq!(dead.len(), 1);
        assert_eq!(world.metrics.dead_letters.get(), 1);
        assert_eq!(world.metrics.actor_panics.get(), 1);
        assert!(!dead[0].reason.contains("on purpose"), "a panic's text may quote a message");
        let facts = world.facts(anna.conversation).await;
        let texts: Vec<_> = facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::MessageReceived { content, .. } => content.typed_text().map(str::to_owned),
                _ => None,
            })
            .collect();
        assert_eq!(texts, ["/chat", "hello"]);
        assert!(facts.iter().any(|fact| matches!(fact, Fact::DeadLettered { .. })));
        assert_eq!(state(&node, &anna).await.unread, 1);
        // A release that can apply it takes the letter from the log again.
        node.shutdown().await;
        let fixed = world.start();
        assert!(world.engine.replay(dead[0].id).await.unwrap());
        world.rest(5).await;
        assert_eq!(state(&fixed, &anna).await.unread, 2);
        assert!(letters(&world).await.is_empty());
    });
}

#[test]
fn bytes_that_are_no_entry_become_a_dead_letter() {
    run(async {
        let world = World::new(memory());
        let node = world.start();
        let anna = address(1);
        append_raw(&world, &anna, Bytes::from_static(b"\xff not an entry")).await;
        append_raw(&world, &anna, Bytes::new()).await;
        world.writes(&anna, "/chat").await;
        world.rest(5).await;
        assert_eq!(letters(&world).await.len(), 2);
        assert_eq!(world.provider.ledger().len(), 1);
        assert!(node.shards().iter().all(|shard| shard.reloads == 0));
    });
}

#[test]
fn entries_for_a_number_that_is_not_configured_wait_as_dead_letters() {
    run(async {
        let world = World::new(memory());
        let _node = world.start();
        let mut nobody = address(1);
        nobody.number = NumberId(999);
        world.writes(&nobody, "hello").await;
        world.writes(&address(2), "/chat").await;
        world.rest(5).await;
        let dead = letters(&world).await;
        assert_eq!(dead.len(), 1);
        let entry: Entry = codec::decode(&dead[0].entry).unwrap();
        assert!(matches!(entry.body, EntryBody::Conversation { address, .. } if address == nobody));
        assert_eq!(world.provider.ledger().len(), 1);
    });
}

#[test]
fn an_entry_that_kills_the_process_three_times_is_skipped() {
    run(async {
        let world = World::new(memory());
        let anna = address(1);
        world.writes(&anna, "hello").await;
        // Four shards are acquired, the place is noted, and then the process ends while the entry is applied.
        for process in 0..3 {
            let life = Life::until(5, false);
            let node = world.start_mortal(&life);
            world.rest(10).await;
            assert!(life.is_over(), "process {process} reached the entry");
            assert!(letters(&world).await.is_empty());
            drop(node);
        }
        let node = world.start();
        world.writes(&anna, "/chat").await;
        world.rest(10).await;
        assert_eq!(letters(&world).await.len(), 1, "the entry that killed");
        assert_eq!(world.provider.ledger().len(), 1, "the one behind it is answered");
        drop(node);
    });
}
