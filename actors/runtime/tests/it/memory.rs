//! Passivation: memory is given back, and nothing is forgotten.

use std::time::Duration;

use crate::world::{World, address, command, memory, queued, run, text};

#[test]
fn p11_silent_conversations_give_their_memory_back_and_go_on_where_they_were() {
    run(async {
        let mut world = World::new(memory());
        world.settings.idle = Duration::from_secs(60);
        let node = world.start();
        let anna = address(1);
        let first = world.writes(&anna, "/chat").await;
        world.rest(5).await;
        assert_eq!(node.live().conversations, 1);
        // Its timer looks once after a minute whether the greeting has to be offered again.
        world.rest(150).await;
        assert_eq!(node.live().conversations, 0);
        assert_eq!(world.metrics.actors_passivated.get(), 1);
        // A duplicate is still known, the mode is kept, and the window is still open.
        let sent = world.provider.ledger().len();
        world.append(&anna, world.received(&anna, &first, "/chat").await).await;
        let wish = command("k", world.now().await, text("hello"));
        queued(&node.command(anna.clone(), wish).await.unwrap());
        world.rest(5).await;
        assert_eq!(world.provider.texts()[sent..], ["hello"]);
        assert_eq!(node.live().conversations, 1);
    });
}

#[test]
fn p11_no_more_conversations_live_than_configured() {
    run(async {
        let mut world = World::new(memory());
        world.settings.live_conversations = 128;
        let node = world.start();
        for person in 0..600 {
            world.writes(&address(person), "/chat").await;
        }
        world.rest(30).await;
        // Each shard sees the excess when it has something to do, so a batch may stand above the limit.
        assert!(node.live().conversations <= 128 + 4 * 128, "{}", node.live().conversations);
        for person in 0..8 {
            world.writes(&address(person), "hello").await;
            world.rest(1).await;
        }
        assert!(node.live().conversations <= 128, "{}", node.live().conversations);
        assert_eq!(world.provider.ledger().len(), 600, "each was acknowledged once");
    });
}
