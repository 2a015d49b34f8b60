//! Which node shall own what: rendezvous hashing over the nodes that are there. Every node computes it by itself,
//! and leases keep the promise of one writer while two nodes are of different opinion.

use protocol::id::derive;
use protocol::shard::ShardId;

/// What a node knows of the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    me: u64,
    /// As heard last.
    alive: Vec<u64>,
    /// Those that were heard twice in a row: a node that comes and goes moves nothing.
    settled: Vec<u64>,
}

impl Membership {
    /// Of a node that has heard of nobody yet: nothing falls to it.
    pub(crate) fn new(me: u64) -> Self {
        Self { me, alive: Vec::new(), settled: Vec::new() }
    }

    /// The store told which nodes are there. One that is gone counts no more at once: it had its whole
    /// time-to-live to come back.
    pub(crate) fn heard(&mut self, alive: Vec<u64>) {
        let is_first = self.alive.is_empty();
        let before = std::mem::replace(&mut self.alive, alive);
        let is_settled = |node: &&u64| is_first || **node == self.me || before.contains(node);
        self.settled = self.alive.iter().filter(is_settled).copied().collect();
    }

    /// Whether a shard falls to this node.
    pub(crate) fn owns(&self, shard: ShardId) -> bool {
        self.falls_to_me("shard", &shard.0.to_le_bytes())
    }

    /// Whether this node does what one node does for all: projecting, billing, notifying, delivering.
    pub(crate) fn leads(&self) -> bool {
        self.falls_to_me("lead", &[])
    }

    fn falls_to_me(&self, kind: &str, what: &[u8]) -> bool {
        let weight = |node: &&u64| derive("owner1", &[kind.as_bytes(), what, &node.to_le_bytes()]);
        self.settled.iter().max_by_key(weight) == Some(&self.me)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(me: u64, nodes: &[u64]) -> Membership {
        let mut membership = Membership::new(me);
        membership.heard(nodes.to_vec());
        membership
    }

    fn owned(me: u64, nodes: &[u64]) -> Vec<u16> {
        let membership = settled(me, nodes);
        (0..256).filter(|&shard| membership.owns(ShardId(shard))).collect()
    }

    #[test]
    fn every_shard_falls_to_exactly_one_node_and_none_to_too_few() {
        for count in 1..=16 {
            let nodes: Vec<u64> = (0..count).map(|node| node * 7_919).collect();
            let mut all: Vec<u16> = nodes.iter().flat_map(|&me| owned(me, &nodes)).collect();
            all.sort_unstable();
            assert_eq!(all, (0..256).collect::<Vec<_>>());
            let most = nodes.iter().map(|&me| owned(me, &nodes).len()).max().unwrap();
            assert!(most as u64 <= 2 * 256 / count, "{count} nodes: {most}");
            assert_eq!(nodes.iter().filter(|&&me| settled(me, &nodes).leads()).count(), 1);
        }
    }

    #[test]
    fn only_shards_of_whoever_comes_or_goes_move() {
        let (two, three) = (owned(1, &[1, 2]), owned(1, &[1, 2, 3]));
        assert!(three.iter().all(|shard| two.contains(shard)), "a third node takes, and gives nothing");
        assert!(three.len() < two.len());
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
        assert_eq!(&owned(1, &[1, 2, 3])[..6], [0, 7, 9, 13, 16, 20]);
    }

    #[test]
    fn nothing_falls_to_a_node_that_heard_of_nobody_or_left() {
        assert!(!Membership::new(1).leads());
        assert!(!settled(1, &[2]).leads());
    }
}
