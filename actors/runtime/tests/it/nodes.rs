//! Several nodes share the shards of one store: they take their parts, hand over and take over.

use std::time::Duration;

use protocol::command::CommandResult;
use protocol::fact::{Fact, MessageStatus};
use runtime::{NodeHandle, NodeSettings};
use tokio::time::Instant;

use crate::world::{Answer, Life, World, address, command, memory, queued, run, text};

/// Within so much time whoever is there has noticed who else is.
const NOTICED: Duration = Duration::from_millis(1_500);

/// Enough contacts to have some in every shard.
const PEOPLE: u64 = 16;

fn owned(node: &NodeHandle) -> Vec<u16> {
    node.shards().iter().filter(|shard| shard.owned).map(|shard| shard.shard).collect()
}

fn all(world: &World) -> Vec<u16> {
    world.engine.identity().shards.all().map(|shard| shard.0).collect()
}

/// How long it takes until a node owns every shard.
async fn until_all_owned(world: &World, node: &NodeHandle) -> Duration {
    let since = Instant::now();
    while owned(node) != all(world) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    since.elapsed()
}

/// Everybody writes, and a service answers each through a node.
async fn everybody_talks(world: &World, node: &NodeHandle, word: &str) {
    for contact in 0..PEOPLE {
        world.writes(&address(contact), "/chat").await;
    }
    world.rest(1).await;
    let said = (0..PEOPLE).map(|contact| async move {
        let wish = command(&format!("{word}{contact}"), world.now().await, text(word));
        node.command(address(contact), wish).await.unwrap()
    });
    for result in futures_util::future::join_all(said).await {
        assert!(matches!(result, CommandResult::Queued { .. }), "{result:?}");
    }
}

fn times_sent(world: &World, word: &str) -> usize {
    world.provider.texts().iter().filter(|text| *text == word).count()
}

#[test]
fn nodes_share_the_shards_and_each_takes_commands_for_all() {
    run(async {
        let world = World::new(memory());
        let nodes = [1, 2].map(|id| world.join(id, &Life::long()));
        tokio::time::sleep(NOTICED).await;
        let mut together: Vec<_> = nodes.iter().flat_map(owned).collect();
        together.sort_unstable();
        assert_eq!(together, all(&world), "each shard has one owner");
        for node in &nodes {
            assert!(!owned(node).is_empty(), "both have a part");
            let health = node.health().await;
            assert!(health.ready && health.nodes == 2, "{health:?}");
        }
        assert_eq!(nodes.iter().filter(|node| *node.leads().borrow()).count(), 1);
        everybody_talks(&world, &nodes[0], "first").await;
        everybody_talks(&world, &nodes[1], "second").await;
        world.rest(5).await;
        assert_eq!(times_sent(&world, "first"), PEOPLE as usize);
        assert_eq!(times_sent(&world, "second"), PEOPLE as usize);
    });
}

#[test]
fn a_node_without_shards_takes_in_what_others_apply() {
    run(async {
        let world = World::new(memory());
        let settings = NodeSettings { node_id: 1, owns_shards: false, ..world.settings };
        let intake = world.join_as(settings, &Life::long());
        tokio::time::sleep(NOTICED).await;
        let health = intake.health().await;
        assert!(
            health.ready && health.nodes == 0 && !health.leads,
            "it takes in, whoever else is there: {health:?}"
        );
        let before = address(PEOPLE);
        world.writes(&before, "anybody there?").await;
        let owner = world.join(2, &Life::long());
        until_all_owned(&world, &owner).await;
        everybody_talks(&world, &intake, "through the edge").await;
        world.rest(5).await;
        assert_eq!(times_sent(&world, "through the edge"), PEOPLE as usize);
        assert!(!world.facts(before.conversation).await.is_empty(), "what came before is applied too");
        assert_eq!((owned(&intake), *intake.leads().borrow()), (Vec::new(), false));
        intake.shutdown().await;
        assert_eq!(owned(&owner), all(&world), "nobody noticed");
    });
}

#[test]
fn a_node_that_joins_takes_its_part_while_the_others_go_on() {
    run(async {
        let world = World::new(memory());
        let first = world.join(1, &Life::long());
        until_all_owned(&world, &first).await;
        let second = world.join(2, &Life::long());
        everybody_talks(&world, &first, "meanwhile").await;
        tokio::time::sleep(NOTICED).await;
        assert!(!owned(&second).is_empty());
        assert!(owned(&second).iter().all(|shard| !owned(&first).contains(shard)));
        assert_eq!(times_sent(&world, "meanwhile"), PEOPLE as usize);
    });
}

#[test]
fn a_node_that_stops_hands_over_within_a_second() {
    run(async {
        let world = World::new(memory());
        let [leaves, stays] = [1, 2].map(|id| world.join(id, &Life::long()));
        tokio::time::sleep(NOTICED).await;
        everybody_talks(&world, &leaves, "before").await;
        let began = Instant::now();
        leaves.shutdown().await;
        until_all_owned(&world, &stays).await;
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        everybody_talks(&world, &stays, "after").await;
        world.rest(5).await;
        assert_eq!(times_sent(&world, "before"), PEOPLE as usize);
        assert_eq!(times_sent(&world, "after"), PEOPLE as usize);
    });
}

#[test]
fn p1_a_node_that_dies_is_replaced_within_six_seconds() {
    run(async {
        let world = World::new(memory());
        let life = Life::long();
        let (dies, lives) = (world.join(1, &life), world.join(2, &Life::long()));
        tokio::time::sleep(NOTICED).await;
        everybody_talks(&world, &dies, "before").await;
        world.rest(5).await;
        let began = Instant::now();
        life.end();
        for contact in 0..PEOPLE {
            world.writes(&address(contact), "somebody there?").await;
        }
        until_all_owned(&world, &lives).await;
        assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
        assert!(*lives.leads().borrow());
        world.rest(5).await;
        for contact in 0..PEOPLE {
            let facts = world.facts(address(contact).conversation).await;
            let received = facts.iter().filter(|fact| matches!(fact, Fact::MessageReceived { .. })).count();
            assert_eq!(received, 2, "before and after the death");
        }
        assert_eq!(times_sent(&world, "before"), PEOPLE as usize);
    });
}

#[test]
fn p5_a_shard_leaves_after_the_outcome_of_what_it_sends() {
    run(async {
        let world = World::new(memory());
        let leaves = world.join(1, &Life::long());
        until_all_owned(&world, &leaves).await;
        let anna = address(1);
        world.writes(&anna, "/chat").await;
        world.rest(2).await;
        world.provider.script([Answer::TakeLate(Duration::from_secs(3))]);
        let wish = command("slow", world.now().await, text("slow"));
        let message = queued(&leaves.command(anna.clone(), wish).await.unwrap());
        world.rest(1).await;
        let stays = world.join(2, &Life::long());
        leaves.shutdown().await;
        until_all_owned(&world, &stays).await;
        world.rest(120).await;
        let statuses: Vec<_> = world
            .facts(anna.conversation)
            .await
            .into_iter()
            .filter_map(|fact| match fact {
                Fact::StatusChanged { message: moved, status, .. } if moved == message => Some(status),
                _ => None,
            })
            .collect();
        assert_eq!(statuses.last(), Some(&MessageStatus::Sent), "known, not in doubt: {statuses:?}");
        assert_eq!(times_sent(&world, "slow"), 1);
    });
}

#[test]
fn p2_a_node_that_slept_through_its_lease_changes_nothing() {
    run(async {
        let world = World::new(memory());
        let sleeper = world.join(1, &Life::long());
        until_all_owned(&world, &sleeper).await;
        let anna = address(1);
        world.writes(&anna, "/chat").await;
        world.rest(2).await;
        // What a node that stopped for longer than its lease looks like to the store: another one came in between.
        let rival = world.engine.clone();
        let shard = rival.identity().shards.shard_of(anna.conversation);
        let epoch = |node: &NodeHandle| node.shards()[usize::from(shard.0)].epoch;
        let before = epoch(&sleeper);
        rival.acquire(shard, 1, protocol::time::SpanMs::seconds(4)).await.unwrap().unwrap();
        world.writes(&anna, "hello").await;
        world.rest(10).await;
        assert!(epoch(&sleeper) > before + 1, "the batch was refused, and the shard was loaded anew");
        let facts = world.facts(anna.conversation).await;
        let received = facts.iter().filter(|fact| matches!(fact, Fact::MessageReceived { .. })).count();
        assert_eq!(received, 2, "nothing was lost, nothing applied twice");
    });
}

#[test]
fn p8_nodes_keep_the_limit_of_a_number_together_and_use_it() {
    run(async {
        let world = World::new(memory());
        let nodes = [1, 2, 3].map(|id| world.join(id, &Life::long()));
        tokio::time::sleep(NOTICED).await;
        // Forty conversations of twenty messages each: ten seconds of the limit of 80.
        let people: Vec<_> = (0..40).map(address).collect();
        for person in &people {
            world.writes(person, "/chat").await;
        }
        world.rest(5).await;
        let before = world.provider.taken_at().len();
        for round in 0..20 {
            let (node, now) = (&nodes[round % 3], world.now().await);
            let said = people.iter().map(|person| async move {
                let wish = command(&format!("{round} {}", person.conversation), now, text("hello"));
                queued(&node.command(person.clone(), wish).await.unwrap())
            });
            futures_util::future::join_all(said).await;
        }
        world.rest(60).await;
        let sent = world.provider.taken_at().split_off(before);
        assert_eq!(sent.len(), 800);
        let second = Duration::from_secs(1);
        let within =
            |first: usize| sent[first..].iter().take_while(|&&at| at - sent[first] <= second).count();
        let most = (0..sent.len()).map(within).max().unwrap();
        assert!(most <= 80, "{most} in a second");
        // Without the last: what is left then is in few conversations.
        let took = sent[720] - sent[0];
        assert!(took < Duration::from_secs(9) * 100 / 95, "720 took {took:?}");
    });
}
