//! A provider that takes its time, loses answers, and reports early, late, doubled, out of order or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use protocol::content::{Content, ProviderError};
use protocol::directory::Number;
use protocol::entry::{Happening, Identity, ProviderStatus, StatusUpdate};
use protocol::id::ProviderId;
use protocol::outbound::{OpaqueId, Outcome};
use protocol::time::TimestampMs;
use runtime::{OutboundMessage, Provider};
use tokio::time::sleep;

use super::dice::Dice;
use crate::world::{World, address};

/// A message that was taken.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) id: OpaqueId,
    pub(super) text: String,
    pub(super) at: TimestampMs,
    /// Its statuses, or some of them, were reported with our opaque id.
    pub(super) reported: bool,
}

pub(super) struct ChaoticProvider {
    world: Arc<World>,
    dice: Arc<Dice>,
    ledger: Mutex<Vec<Taken>>,
    calm: AtomicBool,
    faults: AtomicU64,
}

impl ChaoticProvider {
    pub(super) fn new(world: Arc<World>, seed: u64) -> Self {
        let dice = Arc::new(Dice::new(seed, "provider"));
        Self {
            world,
            dice,
            ledger: Mutex::default(),
            calm: AtomicBool::new(false),
            faults: AtomicU64::new(0),
        }
    }

    /// Behaves from now on.
    pub(super) fn calm(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    /// Answers that were lost or refused, and messages of which nothing was reported.
    pub(super) fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    pub(super) fn ledger(&self) -> Vec<Taken> {
        self.ledger.lock().clone()
    }

    fn count(&self, fault: bool) {
        self.faults.fetch_add(u64::from(fault), Ordering::Relaxed);
    }

    async fn take(&self, number: &Number, message: &OutboundMessage) -> ProviderId {
        let id =
            OpaqueId::open(&message.opaque, number.id, &self.world.engine.identity().opaque_key).unwrap();
        let text = match &message.content {
            Content::Text { body } => body.clone(),
            other => other.kind().to_owned(),
        };
        let at = self.world.now().await;
        let reported = !self.dice.one_in(8);
        self.count(!reported);
        let provider_id = {
            let mut ledger = self.ledger.lock();
            ledger.push(Taken { id, text, at, reported });
            ProviderId::new(format!("wamid.out.{}", ledger.len()))
        };
        if reported {
            let (world, dice) = (Arc::clone(&self.world), Arc::clone(&self.dice));
            actix_rt::spawn(report(world, dice, id, provider_id.clone()));
        }
        provider_id
    }
}

/// Statuses after random times: so in random order, and some twice. The first one always carries the opaque id.
async fn report(world: Arc<World>, dice: Arc<Dice>, id: OpaqueId, provider_id: ProviderId) {
    let person =
        (0..super::PEOPLE).map(address).find(|address| address.conversation == id.conversation).unwrap();
    let mut statuses = vec![ProviderStatus::Sent];
    for further in [ProviderStatus::Delivered, ProviderStatus::Read, ProviderStatus::Sent] {
        if dice.one_in(2) {
            statuses.insert(dice.below(statuses.len() as u64 + 1) as usize, further);
        }
    }
    for (place, status) in statuses.into_iter().enumerate() {
        sleep(dice.millis(if dice.one_in(3) { 20 } else { 10_000 })).await;
        let message = (place == 0 || dice.one_in(2)).then_some(id.message);
        let update = StatusUpdate {
            provider_id: provider_id.clone(),
            message,
            status,
            at: world.now().await,
            pricing: None,
            errors: Vec::new(),
            identity: Identity::default(),
        };
        world.append(&person, Happening::Status(update)).await;
    }
}

#[async_trait]
impl Provider for ChaoticProvider {
    async fn send(&self, number: &Number, message: OutboundMessage) -> Outcome {
        if self.calm.load(Ordering::Relaxed) {
            return Outcome::Accepted { provider_id: self.take(number, &message).await, recipient: None };
        }
        sleep(self.dice.millis(if self.dice.one_in(6) { 8_000 } else { 200 })).await;
        let lost = || Outcome::InDoubt { detail: "no answer".to_owned() };
        let draw = self.dice.below(20);
        self.count(draw < 5);
        match draw {
            0 => lost(),
            1 | 2 => {
                self.take(number, &message).await;
                lost()
            }
            3 => Outcome::NotSent { detail: "no connection".to_owned() },
            4 => {
                let error = ProviderError { code: 131_000, title: "try again".to_owned(), detail: None };
                Outcome::Rejected { error, retry_after_ms: None }
            }
            _ => {
                let provider_id = self.take(number, &message).await;
                sleep(self.dice.millis(500)).await;
                Outcome::Accepted { provider_id, recipient: None }
            }
        }
    }

    async fn show_typing(&self, _: &Number, _: &ProviderId) {}
}
