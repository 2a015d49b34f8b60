//! Which node shall own what: rendezvous hashing over the nodes that are there, none with more than its share. Every
//! node computes it by itself, and leases keep the promise of one writer while two nodes are of different opinion.

use protocol::id::derive;
use protocol::shard::{ShardCount, ShardId};

/// What a node knows of the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    me: u64,
    shards: ShardCount,
    /// As heard last.
    alive: Vec<u64>,
    /// Those that were heard twice in a row: a node that comes and goes moves nothing.
    settled: Vec<u64>,
    /// The owner of each shard; empty without nodes.
    owners: Vec<u64>,
}

impl Membership {
    /// Of a node that has heard of nobody yet: nothing falls to it.
    pub(crate) fn new(me: u64, shards: ShardCount) -> Self {
        Self { me, shards, alive: Vec::new(), settled: Vec::new(), owners: Vec::new() }
    }

    /// The store told which nodes are there. One that is gone counts no more at once: it had its whole
    /// time-to-live to come back.
    pub(crate) fn heard(&mut self, alive: Vec<u64>) {
        let is_first = self.alive.is_empty();
        let before = std::mem::replace(&mut self.alive, alive);
        let is_settled = |node: &&u64| is_first || **node == self.me || before.contains(node);
        let settled: Vec<u64> = self.alive.iter().filter(is_settled).copied().collect();
        if settled != self.settled {
            self.owners = owners(&settled, self.shards);
            self.settled = settled;
        }
    }

    /// Whether a shard falls to this node.
    pub(crate) fn owns(&self, shard: ShardId) -> bool {
        self.owners.get(usize::from(shard.0)) == Some(&self.me)
    }

    /// Whether this node does what one node does for all: projecting, billing, notifying, delivering.
    pub(crate) fn leads(&self) -> bool {
        self.settled.iter().max_by_key(|&&node| weight("lead", &[], node)) == Some(&self.me)
    }
}

fn weight(kind: &str, what: &[u8], node: u64) -> u128 {
    derive("owner2", &[kind.as_bytes(), what, &node.to_le_bytes()])
}

/// Each shard goes to the node where it weighs most, the heaviest first, until that node has its share: with few shards
/// chance alone would give some nodes half as much again as others.
fn owners(nodes: &[u64], shards: ShardCount) -> Vec<u64> {
    let most = usize::from(shards.get()).div_ceil(nodes.len().max(1));
    let pair = |shard: ShardId| {
        nodes.iter().map(move |&node| (weight("shard", &shard.0.to_le_bytes(), node), shard, node))
    };
    let mut pairs: Vec<_> = shards.all().flat_map(pair).collect();
    pairs.sort_unstable_by(|a, b| b.cmp(a));
    let mut owners = vec![None; usize::from(shards.get())];
    let mut owned = std::collections::HashMap::new();
    for (_, shard, node) in pairs {
        let owner = &mut owners[usize::from(shard.0)];
        let count = owned.entry(node).or_insert(0);
        if owner.is_none() && *count < most {
            *owner = Some(node);
            *count += 1;
        }
    }
    owners.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARDS: u16 = 32;

    fn settled(me: u64, nodes: &[u64]) -> Membership {
        let mut membership = Membership::new(me, ShardCount::new(SHARDS).unwrap());
        membership.heard(nodes.to_vec());
        membership
    }

    fn owned(me: u64, nodes: &[u64]) -> Vec<u16> {
        let membership = settled(me, nodes);
        (0..SHARDS).filter(|&shard| membership.owns(ShardId(shard))).collect()
    }

    #[test]
    fn every_shard_falls_to_exactly_one_node_and_none_to_too_few() {
        for count in 1..=16 {
            let nodes: Vec<u64> = (0..count).map(|node| node * 7_919).collect();
            let mut all: Vec<u16> = nodes.iter().flat_map(|&me| owned(me, &nodes)).collect();
            all.sort_unstable();
            assert_eq!(all, (0..SHARDS).collect::<Vec<_>>());
            let most = nodes.iter().map(|&me| owned(me, &nodes).len()).max().unwrap();
            assert!(most as u64 <= u64::from(SHARDS).div_ceil(count), "{count} nodes: {most}");
            assert_eq!(nodes.iter().filter(|&&me| settled(me, &nodes).leads()).count(), 1);
        }
    }

    #[test]
    fn most_shards_stay_where_they_are_when_a_node_comes() {
        for count in 1..16u64 {
            let nodes: Vec<u64> = (0..=count).map(|node| node * 7_919).collect();
            let shards = ShardCount::new(SHARDS).unwrap();
            let (before, after) = (owners(&nodes[..nodes.len() - 1], shards), owners(&nodes, shards));
            let moved = before.iter().zip(&after).filter(|(before, after)| before != after).count() as u64;
            let share = u64::from(SHARDS).div_ceil(count + 1);
            // The bound pushes some on.
            let most = (share + share / 2).max(u64::from(SHARDS) / 3);
            assert!(moved <= most, "{moved} move where {share} must, with node {count}");
        }
    }

    #[test]
    fn a_node_that_came_counts_when_it_stays_and_one_that_is_gone_at_once() {
        let mut membership = settled(1, &[1]);
        let alone = membership.clone();
        membership.heard(vec![1, 2]);
        assert_eq!(membership.settled, alone.settled, "it may be gone again");
        membership.heard(vec![1, 2]);
        assert_eq!(membership.settled, [1, 2]);
        membership.heard(vec![1]);
        assert_eq!(membership.settled, [1]);
    }

    #[test]
    fn the_choice_is_golden() {
        // Nodes of two versions must agree during an upgrade.
        assert_eq!(&owned(1, &[1, 2, 3])[..6], [3, 6, 7, 11, 15, 17]);
    }

    #[test]
    fn nothing_falls_to_a_node_that_heard_of_nobody_or_left() {
        assert!(!Membership::new(1, ShardCount::default()).leads());
        assert!(!Membership::new(1, ShardCount::default()).owns(ShardId(0)));
        assert!(!settled(1, &[2]).leads());
    }
}
