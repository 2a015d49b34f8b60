//! A contact who writes, and a service that writes to the contact.

use std::time::Duration;

use parking_lot::Mutex;
use protocol::command::CommandResult;
use protocol::entry::{Address, Happening, InboundMessage};
use protocol::id::{MessageId, ProviderId};
use protocol::time::TimestampMs;
use tokio::time::Instant;

use super::cluster::Cluster;
use super::dice::Dice;
use crate::world::{command, text};

/// One contact with everything that was said.
pub(super) struct Person {
    pub(super) address: Address,
    dice: Dice,
    said: Mutex<Said>,
}

#[derive(Default)]
struct Said {
    received: Vec<ProviderId>,
    sent: Vec<(String, MessageId)>,
    opted_out_at: Option<TimestampMs>,
}

impl Person {
    pub(super) fn new(address: Address, seed: u64) -> Self {
        let dice = Dice::new(seed, &format!("person {}", address.contact.phone().unwrap().digits()));
        Self { address, dice, said: Mutex::default() }
    }

    /// Provider ids of everything that the contact wrote.
    pub(super) fn received(&self) -> Vec<ProviderId> {
        self.said.lock().received.clone()
    }

    /// What the service was told is on its way, in order.
    pub(super) fn sent(&self) -> Vec<(String, MessageId)> {
        self.said.lock().sent.clone()
    }

    /// When the opt-out was durable.
    pub(super) fn opted_out_at(&self) -> Option<TimestampMs> {
        self.said.lock().opted_out_at
    }

    pub(super) async fn live(&self, cluster: &Cluster, time: Duration) {
        self.writes(cluster, "/chat").await;
        let end = Instant::now() + time;
        let mut number = 0;
        while Instant::now() < end {
            tokio::time::sleep(self.dice.millis(12_000)).await;
            match self.dice.below(20) {
                0..8 => self.writes(cluster, "hello").await,
                8..19 => {
                    number += 1;
                    self.is_sent(cluster, number).await;
                }
                _ if self.dice.one_in(4) => {
                    self.writes(cluster, "#OPTOUT").await;
                    let now = cluster.world.now().await;
                    self.said.lock().opted_out_at.get_or_insert(now);
                }
                _ => {}
            }
        }
    }

    /// The provider delivers a webhook until it is accepted, and sometimes more often.
    async fn writes(&self, cluster: &Cluster, words: &str) {
        let id = ProviderId::new(format!("wamid.{}.{}", self.address.conversation, self.received().len()));
        let happening = cluster.world.received(&self.address, &id, words).await;
        let shard = cluster.world.engine.identity().shards.shard_of(self.address.conversation);
        let mut copies = if self.dice.one_in(4) { 2 } else { 1 };
        while copies > 0 {
            let bytes = cluster.world.encode(&self.address, happening.clone()).await;
            let node = cluster.node();
            let append = node.engine().append(vec![(shard, bytes)]);
            match tokio::time::timeout(Duration::from_secs(10), append).await {
                Ok(Ok(())) => copies -= 1,
                Ok(Err(_)) | Err(_) => tokio::time::sleep(self.dice.millis(3_000)).await,
            }
        }
        self.said.lock().received.push(id);
        if let (true, Happening::Received(message)) = (self.dice.one_in(5), happening) {
            self.repeats_later(cluster, message).await;
        }
    }

    async fn repeats_later(&self, cluster: &Cluster, message: InboundMessage) {
        tokio::time::sleep(self.dice.millis(2_000)).await;
        cluster.world.append(&self.address, Happening::Received(message)).await;
    }

    /// The service sends, and repeats with the same key until it has an answer.
    async fn is_sent(&self, cluster: &Cluster, number: u32) {
        let words = format!("{number:04}");
        let key = format!("{}-{words}", self.address.conversation);
        loop {
            let node = cluster.node();
            let wish = command(&key, cluster.world.now().await, text(&words));
            let asked = node.command(self.address.clone(), wish);
            match tokio::time::timeout(Duration::from_secs(15), asked).await {
                Ok(Ok(CommandResult::Queued { message, .. })) => {
                    self.said.lock().sent.push((words, message));
                    return;
                }
                Ok(Ok(_)) => return,
                Ok(Err(_)) | Err(_) => tokio::time::sleep(self.dice.millis(2_000)).await,
            }
        }
    }
}
