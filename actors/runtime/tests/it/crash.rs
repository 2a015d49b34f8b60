//! A node dies at any of its steps, and another one goes on over the same store.

use protocol::command::{Action, CommandResult};
use protocol::entry::{Address, ProviderStatus};
use protocol::fact::{Fact, MessageStatus};

use crate::world::{Life, World, address, command, memory, run, text};

/// A conversation in which everything happens once: a webhook, its reply, two messages of a service, statuses.
async fn converse(world: &World, life: &Life, node: &runtime::NodeHandle, anna: &Address) {
    world.writes(anna, "/chat").await;
    world.rest(2).await;
    for name in ["one", "two"] {
        if life.is_over() {
            return;
        }
        let wish = command(name, world.now().await, text(name));
        // A caller of a node that dies hears nothing, or that it is late.
        let _ =
            tokio::time::timeout(std::time::Duration::from_secs(15), node.command(anna.clone(), wish)).await;
    }
    world.rest(2).await;
}

/// What the caller of a dead node does: repeat with the same key.
async fn repeat(world: &World, node: &runtime::NodeHandle, anna: &Address) {
    for name in ["one", "two"] {
        let wish = command(name, world.now().await, text(name));
        let result = node.command(anna.clone(), wish).await.unwrap();
        assert!(matches!(result, CommandResult::Queued { .. }), "{result:?}");
    }
}

async fn check(world: &World, anna: &Address, what: &str) {
    let texts = world.provider.texts();
    for name in ["one", "two"] {
        assert!(
            texts.iter().filter(|text| *text == name).count() <= 1,
            "{what}: `{name}` was sent twice: {texts:?}"
        );
    }
    let facts = world.facts(anna.conversation).await;
    let received = facts.iter().filter(|fact| matches!(fact, Fact::MessageReceived { .. })).count();
    assert_eq!(received, 1, "{what}: the webhook was applied once");
    let queued: Vec<_> = facts
        .iter()
        .filter_map(|fact| if let Fact::MessageQueued { message, .. } = fact { Some(*message) } else { None })
        .collect();
    assert_eq!(queued.len(), 3, "{what}: a greeting and two messages");
    for message in queued {
        let ours =
            |fact: &&Fact| matches!(fact, Fact::StatusChanged { message: moved, .. } if *moved == message);
        let Some(Fact::StatusChanged { status, .. }) = facts.iter().rfind(ours) else {
            panic!("{what}: nothing became of a message")
        };
        let posted = world.provider.ledger().iter().any(|posted| posted.message == message);
        let known = matches!(status, MessageStatus::Sent | MessageStatus::Unknown);
        assert!(known, "{what}: {status:?}");
        assert!(posted || *status == MessageStatus::Unknown, "{what}: a message was lost silently");
    }
    let order: Vec<_> = texts.iter().filter(|text| ["one", "two"].contains(&text.as_str())).collect();
    assert!(order.is_sorted(), "{what}: out of order: {order:?}");
}

#[test]
fn p1_p3_p5_a_node_may_die_at_any_step() {
    let steps = run(async {
        let world = World::new(memory());
        let life = Life::long();
        let node = world.start_mortal(&life);
        converse(&world, &life, &node, &address(1)).await;
        check(&world, &address(1), "undisturbed").await;
        life.steps()
    });
    assert!(steps > 12, "the conversation has many steps: {steps}");
    for last in 0..steps {
        for effect in [false, true] {
            run(async {
                let world = World::new(memory());
                let anna = address(1);
                let life = Life::until(last, effect);
                let node = world.start_mortal(&life);
                converse(&world, &life, &node, &anna).await;
                life.end();
                let next = world.start();
                world.rest(10).await;
                repeat(&world, &next, &anna).await;
                world.rest(300).await;
                check(&world, &anna, &format!("died at step {last} of {steps}, effect {effect}")).await;
            });
        }
    }
}

#[test]
fn p7_an_opt_out_that_waited_in_the_log_of_a_dead_node_stops_what_was_queued() {
    run(async {
        let world = World::new(memory());
        let anna = address(1);
        let life = Life::long();
        let node = world.start_mortal(&life);
        world.writes(&anna, "/chat").await;
        world.rest(1).await;
        // Held back, so that it is still queued when the node dies.
        let pause = command("p", world.now().await, Action::SetPaused(true));
        node.command(anna.clone(), pause).await.unwrap();
        let wish = command("k", world.now().await, text("never"));
        node.command(anna.clone(), wish).await.unwrap();
        life.end();
        world.writes(&anna, "#OPTOUT").await;
        let next = world.start();
        world.rest(1).await;
        let resume = command("r", world.now().await, Action::SetPaused(false));
        next.command(anna.clone(), resume).await.unwrap();
        world.rest(600).await;
        assert!(!world.provider.texts().contains(&"never".to_owned()));
    });
}

#[test]
fn p6_a_message_whose_window_closed_while_no_node_lived_is_not_sent() {
    run(async {
        let world = World::new(memory());
        let anna = address(1);
        let life = Life::long();
        let node = world.start_mortal(&life);
        world.writes(&anna, "/chat").await;
        world.rest(1).await;
        let wish = command("k", world.now().await, text("too late"));
        world.provider.script([crate::world::Answer::Unreachable]);
        node.command(anna.clone(), wish).await.unwrap();
        world.rest(1).await;
        life.end();
        world.rest(25 * 3_600).await;
        let _next = world.start();
        world.rest(3_600).await;
        assert!(!world.provider.texts().contains(&"too late".to_owned()));
        let facts = world.facts(anna.conversation).await;
        let refused =
            |fact: &Fact| matches!(fact, Fact::StatusChanged { status: MessageStatus::Refused, .. });
        assert!(facts.iter().any(refused), "and people are told");
        assert!(facts.iter().any(|fact| matches!(fact, Fact::WindowClosed { .. })));
    });
}

#[test]
fn p2_a_node_that_lost_its_shards_changes_nothing_and_sends_nothing() {
    run(async {
        let mut world = World::new(memory());
        let anna = address(1);
        let old = world.start();
        world.writes(&anna, "/chat").await;
        world.rest(1).await;
        // Another node with the same id takes every lease over, as after a restart that the old one survived.
        let new = world.start();
        world.settings.node_id = 2;
        world.rest(1).await;
        world.writes(&anna, "hello").await;
        world.rest(30).await;
        let facts = world.facts(anna.conversation).await;
        let received = facts.iter().filter(|fact| matches!(fact, Fact::MessageReceived { .. })).count();
        assert_eq!(received, 2, "each webhook is applied once, whoever does it");
        drop((old, new));
    });
}

#[test]
fn p5_a_status_that_comes_to_the_next_node_resolves_what_the_dead_one_had_posted() {
    run(async {
        let world = World::new(memory());
        let anna = address(1);
        let life = Life::long();
        let _node = world.start_mortal(&life);
        world.provider.script([crate::world::Answer::TakeLate(std::time::Duration::from_secs(3))]);
        world.writes(&anna, "hello").await;
        world.rest(1).await;
        // The POST is under way, and its answer will never be seen.
        life.end();
        world.rest(4).await;
        let _next = world.start();
        let posted = world.provider.ledger().remove(0);
        world.reports(&anna, &posted, ProviderStatus::Delivered).await;
        world.rest(300).await;
        assert_eq!(world.provider.ledger().len(), 1);
        let facts = world.facts(anna.conversation).await;
        let last = facts.iter().rfind(|fact| matches!(fact, Fact::StatusChanged { .. }));
        assert!(
            matches!(last, Some(Fact::StatusChanged { status: MessageStatus::Delivered, .. })),
            "{last:?}"
        );
    });
}
