//! Webhook → reply → POST → status.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use protocol::command::{Action, CommandResult};
use protocol::entry::ProviderStatus;
use protocol::fact::{Fact, MessageStatus};
use runtime::Node;
use tokio::time::Instant;

use crate::world::{Answer, TENANT, World, address, command, memory, queued, run, text};

fn statuses(facts: &[Fact]) -> Vec<MessageStatus> {
    let status = |fact: &Fact| match fact {
        Fact::StatusChanged { status, .. } => Some(*status),
        _ => None,
    };
    facts.iter().filter_map(status).collect()
}

#[test]
fn a3_a_webhook_is_answered_and_the_answer_is_followed_to_read() {
    run(async {
        let world = World::new(memory());
        let node = world.start();
        let anna = address(1);
        world.writes(&anna, "hello").await;
        world.rest(1).await;
        let ledger = world.provider.ledger();
        assert_eq!(ledger.len(), 1, "the bot says how to go on");
        assert_eq!(ledger[0].conversation, anna.conversation);
        world.reports(&anna, &ledger[0], ProviderStatus::Delivered).await;
        world.reports(&anna, &ledger[0], ProviderStatus::Sent).await;
        world.reports(&anna, &ledger[0], ProviderStatus::Read).await;
        world.rest(1).await;
        use MessageStatus::{Claimed, Delivered, Read, Sent};
        let facts = world.facts(anna.conversation).await;
        assert_eq!(statuses(&facts), [Claimed, Sent, Delivered, Read], "never backwards");
        assert!(node.inspect(anna.conversation).await.unwrap().is_some());
        node.shutdown().await;
    });
}

#[test]
fn p3_duplicates_change_nothing() {
    run(async {
        let world = World::new(memory());
        let _node = world.start();
        let anna = address(1);
        let id = world.writes(&anna, "hello").await;
        for _ in 0..5 {
            world.append(&anna, world.received(&anna, &id, "hello").await).await;
        }
        world.rest(1).await;
        let before = world.all_facts().await.len();
        world.append(&anna, world.received(&anna, &id, "hello").await).await;
        world.rest(1).await;
        assert_eq!(world.provider.ledger().len(), 1);
        assert_eq!(world.all_facts().await.len(), before);
    });
}

#[test]
fn p3_messages_of_a_conversation_leave_in_order_and_conversations_take_turns() {
    run(async {
        let world = World::new(memory());
        let node = world.start();
        let people: Vec<_> = (1..=3).map(address).collect();
        for person in &people {
            world.writes(person, "/chat").await;
        }
        world.rest(1).await;
        let greetings = world.provider.ledger().len();
        let now = world.now().await;
        for round in 0..4 {
            for (index, person) in people.iter().enumerate() {
                let wish = command(&format!("{round}-{index}"), now, text(&round.to_string()));
                queued(&node.command(person.clone(), wish).await.unwrap());
            }
        }
        world.rest(5).await;
        for person in &people {
            let ledger = world.provider.ledger().split_off(greetings);
            let theirs = ledger.iter().filter(|posted| posted.conversation == person.conversation);
            assert_eq!(theirs.map(|posted| posted.text.as_str()).collect::<Vec<_>>(), ["0", "1", "2", "3"]);
        }
    });
}

#[test]
fn p8_a_number_with_backlog_is_used_to_its_limit_and_not_beyond() {
    run(async {
        let world = World::new(memory());
        let _node = world.start();
        for person in 0..400 {
            world.writes(&address(person), "/chat").await;
        }
        // What was received took its share of the first seconds; then only sends count.
        let began = Instant::now();
        while world.provider.ledger().len() < 400 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let seconds = began.elapsed().as_secs_f64();
        assert!(seconds > 400.0 / 80.0 - 0.1, "{seconds}");
        assert!(seconds < 400.0 / 80.0 / 0.95 + 80.0 / 80.0 + 0.1, "{seconds}");
        let senders: BTreeSet<_> = world.provider.ledger().iter().map(|posted| posted.conversation).collect();
        assert_eq!(senders.len(), 400);
    });
}

#[test]
fn p5_a_lost_answer_is_resolved_by_its_status_and_never_posted_again() {
    run(async {
        let world = World::new(memory());
        let node = world.start();
        let anna = address(1);
        world.provider.script([Answer::TakeSilently]);
        world.writes(&anna, "hello").await;
        world.rest(5).await;
        assert_eq!(world.metrics.outbound_in_doubt.get(), 1);
        let posted = world.provider.ledger().remove(0);
        world.reports(&anna, &posted, ProviderStatus::Sent).await;
        world.rest(200).await;
        assert_eq!(world.provider.ledger().len(), 1);
        assert_eq!(world.metrics.outbound_in_doubt.get(), 0);
        let facts = world.facts(anna.conversation).await;
        assert_eq!(statuses(&facts), [MessageStatus::Claimed, MessageStatus::Sent]);
        node.shutdown().await;
    });
}

#[test]
fn p5_what_nobody_hears_of_ends_as_unknown() {
    run(async {
        let world = World::new(memory());
        let _node = world.start();
        let anna = address(1);
        world.provider.script([Answer::Lose]);
        world.writes(&anna, "hello").await;
        world.rest(200).await;
        assert!(world.provider.ledger().is_empty());
        let facts = world.facts(anna.conversation).await;
        assert_eq!(statuses(&facts), [MessageStatus::Claimed, MessageStatus::Unknown]);
        assert_eq!(world.metrics.outbound_in_doubt.get(), 0);
    });
}

#[test]
fn what_provably_never_left_is_sent_again() {
    run(async {
        let world = World::new(memory());
        let _node = world.start();
        world.provider.script([Answer::Unreachable, Answer::Refuse(131_000)]);
        world.writes(&address(1), "hello").await;
        world.rest(600).await;
        assert_eq!(world.provider.ledger().len(), 1);
    });
}

#[test]
fn a_stopping_node_finishes_what_is_under_way() {
    run(async {
        let world = World::new(memory());
        let node = world.start();
        let anna = address(1);
        world.writes(&anna, "/chat").await;
        world.rest(1).await;
        world.provider.script([Answer::TakeLate(Duration::from_secs(2))]);
        let wish = command("a", world.now().await, text("hello"));
        queued(&node.command(anna.clone(), wish.clone()).await.unwrap());
        world.rest(1).await;
        node.shutdown().await;
        assert_eq!(world.provider.texts().last().map(String::as_str), Some("hello"));
        assert_eq!(statuses(&world.facts(anna.conversation).await).last(), Some(&MessageStatus::Sent));
        assert!(node.shards().iter().all(|shard| !shard.owned), "leases were given back");
        assert!(node.command(anna.clone(), wish.clone()).await.is_err(), "a stopped node takes no commands");
        // The next node has everything at once, and the same key the same answer.
        let next = world.start();
        let again = next.command(anna, wish).await.unwrap();
        assert!(matches!(again, CommandResult::Queued { .. }));
        world.rest(1).await;
        assert!(next.health().await.ready);
    });
}

#[test]
fn shards_on_threads_of_their_own_answer_and_stop() {
    // In real time: virtual time belongs to one thread. Every wait is for an event.
    actix::System::new().block_on(async {
        let mut world = World::new(memory());
        world.settings.arbiters = 2;
        let node = world.start();
        for person in 0..20 {
            let person = address(person);
            let wish = command(&person.conversation.to_string(), world.now().await, Action::SetBlocked(true));
            let done = CommandResult::Done { conversation: person.conversation };
            assert_eq!(node.command(person, wish).await.unwrap(), done);
        }
        node.shutdown().await;
        assert_eq!(node.live().conversations, 0);
        assert!(node.shards().iter().all(|shard| !shard.owned));
    });
}

#[test]
fn f4_a_number_that_was_idle_when_it_was_paused_goes_on_at_once_when_resumed() {
    run(async {
        let world = World::new(memory());
        let options = world.options();
        let directory = Arc::clone(&options.directory);
        let pause = |everything: bool| {
            let mut changed = (**directory.load()).clone();
            let tenant = Arc::make_mut(changed.tenants.get_mut(&TENANT).unwrap());
            tenant.pauses.everything = everything;
            directory.store(Arc::new(changed));
        };
        let node = Node::start(options).unwrap();
        let anna = address(1);
        world.writes(&anna, "/chat").await;
        world.rest(5).await;
        assert_eq!(world.provider.texts().len(), 1, "the number has sent and is idle now");
        pause(true);
        for name in ["one", "two"] {
            node.command(anna.clone(), command(name, world.now().await, text(name))).await.unwrap();
        }
        world.rest(10).await;
        assert_eq!(world.provider.texts().len(), 1, "nothing leaves meanwhile");
        pause(false);
        world.rest(2).await;
        assert_eq!(world.provider.texts()[1..], ["one", "two"]);
        node.shutdown().await;
    });
}
