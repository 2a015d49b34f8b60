//! Brings updates to the callback: batched, signed, several at once, repeated until they are answered with 200.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Client;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::behaviour::Delivery;
use super::shared::Shared;
use super::world::{Update, World, envelope};
use crate::client::{SIGNATURE_HEADER, escaped_json, signature};
use crate::limits::UPDATES_PER_WEBHOOK;

/// A webhook that is ready to go.
struct Webhook {
    /// Where it goes, the first attempt to the first.
    urls: Vec<String>,
    body: bytes::Bytes,
    signature: String,
    updates: usize,
    manners: Delivery,
}

/// Delivers for ever.
pub(crate) async fn run(shared: Arc<Shared>) {
    let client = Client::new();
    let width = shared.peek(|world, _| world.behaviour.delivery.concurrency.max(1));
    let slots = Arc::new(Semaphore::new(width));
    loop {
        let next = shared.peek(|world, now_ms| {
            let linger_ms = world.behaviour.delivery.linger_ms;
            world.schedule.next_due_ms().map(|due_ms| due_ms + linger_ms - now_ms)
        });
        match next {
            None => shared.wake.notified().await,
            Some(wait_ms) if wait_ms > 0 => {
                let wait = Duration::from_millis(wait_ms.unsigned_abs());
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = shared.wake.notified() => {}
                }
            }
            Some(_) => {
                let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
                if let Some(webhook) = shared.peek(take) {
                    shared.in_flight.fetch_add(webhook.updates, Ordering::Relaxed);
                    actix_rt::spawn(deliver(Arc::clone(&shared), client.clone(), webhook, slot));
                }
            }
        }
    }
}

/// The next webhook. Updates of an account without a callback are dropped.
fn take(world: &mut World, now_ms: i64) -> Option<Webhook> {
    let manners = world.behaviour.delivery.clone();
    let limit = manners.batch_max.clamp(1, UPDATES_PER_WEBHOOK);
    let updates: Vec<Update> = world.schedule.take_batch(now_ms, limit);
    let account = &world.accounts[updates.first()?.account];
    let mut urls = account.callback_urls.clone();
    if urls.is_empty() {
        return None;
    }
    let turn = world.ledger.stats.webhooks_delivered % urls.len() as u64;
    urls.rotate_left(turn as usize);
    let body = escaped_json(&envelope(world, &updates, now_ms));
    let signature = signature(&account.app_secret.0, &body);
    Some(Webhook { urls, body: body.into(), signature, updates: updates.len(), manners })
}

async fn deliver(shared: Arc<Shared>, client: Client, webhook: Webhook, slot: OwnedSemaphorePermit) {
    // A webhook that waits for its repetition does not hold up the others.
    let mut slot = Some(slot);
    let mut pause_ms = webhook.manners.retry_first_ms;
    let mut delivered = false;
    let attempts = webhook.manners.attempts.max(1);
    for (attempt, url) in (1..=attempts).zip(webhook.urls.iter().cycle()) {
        if attempt > 1 {
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            pause_ms = (pause_ms * 2).min(webhook.manners.retry_max_ms);
        }
        delivered = post(&client, &webhook, url).await;
        slot.take();
        shared.peek(|world, _| {
            let stats = &mut world.ledger.stats;
            *(if delivered { &mut stats.webhooks_delivered } else { &mut stats.webhooks_failed }) += 1;
        });
        if delivered {
            break;
        }
    }
    if !delivered {
        shared.peek(|world, _| world.ledger.stats.webhooks_dropped += 1);
    } else if shared.peek(|world, _| world.chance(webhook.manners.double_probability)) {
        post(&client, &webhook, &webhook.urls[0]).await;
    }
    shared.in_flight.fetch_sub(webhook.updates, Ordering::Relaxed);
}

/// One delivery; only 200 counts.
async fn post(client: &Client, webhook: &Webhook, url: &str) -> bool {
    let answer = client
        .post(url)
        .header("Content-Type", "application/json")
        .header(SIGNATURE_HEADER, &webhook.signature)
        .timeout(Duration::from_millis(webhook.manners.timeout_ms))
        .body(webhook.body.clone())
        .send()
        .await;
    match answer {
        Ok(answer) => answer.status().as_u16() == 200,
        Err(error) => {
            tracing::debug!(error = %error.without_url(), "webhook was not delivered");
            false
        }
    }
}
