//! The deliveries of one endpoint.

use std::sync::Arc;
use std::time::Duration;

use compact_str::ToCompactString;
use futures_util::stream::{self, StreamExt as _};
use protocol::command::Party;
use protocol::directory::WebhookEndpoint;
use protocol::id::{EndpointId, TenantId};
use protocol::time::{SpanMs, TimestampMs};
use store::records::{
    Change, Delivery, DeliveryOutcome, DocumentKind, DocumentWrite, EventSeq, Expect, RecordsError,
};
use tokio::sync::watch;

use super::attempt::{Answer, Poster};
use super::breaker::{Breaker, pause};
use crate::consumers::{ConsumerError, Shared};
use crate::limits::{ENDPOINT_BATCH, ENDPOINT_POSTS, FOLLOW_POLL};
use crate::metrics::NotificationOutcome;

/// One endpoint's queue.
pub(crate) struct Queue {
    shared: Shared,
    poster: Arc<Poster>,
    tenant: TenantId,
    endpoint: EndpointId,
    breaker: Breaker,
    stop: watch::Receiver<bool>,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Something was tried; there may be more.
    Tried(usize),
    /// Nothing is due.
    Idle {
        /// When something will be.
        until: Option<TimestampMs>,
    },
    /// The endpoint is gone or switched off.
    Ended,
}

/// Ends when the queue has to stop.
async fn stopped(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl Queue {
    pub(crate) fn new(
        shared: Shared,
        poster: Arc<Poster>,
        (tenant, endpoint): (TenantId, EndpointId),
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self { shared, poster, tenant, endpoint, breaker: Breaker::default(), stop }
    }

    /// Delivers until told to stop, or until the endpoint is gone.
    pub(crate) async fn run(mut self, mut routed: watch::Receiver<u64>) -> Result<(), ConsumerError> {
        while !*self.stop.borrow() {
            routed.mark_unchanged();
            let until = match self.step().await? {
                Step::Tried(_) => continue,
                Step::Ended => {
                    // The directory may still say otherwise for a moment; the loop is started again if it goes on to.
                    return Ok(());
                }
                Step::Idle { until } => until,
            };
            let wait = self.wait(until).await?;
            tokio::select! {
                _ = routed.changed() => {}
                () = tokio::time::sleep(wait) => {}
                () = stopped(self.stop.clone()) => {}
            }
        }
        Ok(())
    }

    /// Tries what is due now, a bounded number at once.
    pub(crate) async fn step(&mut self) -> Result<Step, ConsumerError> {
        let Some(endpoint) = self.configured() else { return Ok(Step::Ended) };
        let now = self.shared.options.engine.now().await?;
        let allowed = self.breaker.allows(now, ENDPOINT_BATCH);
        if allowed == 0 {
            return Ok(Step::Idle { until: self.breaker.rests_until() });
        }
        let records = &self.shared.options.records;
        let due = records.deliveries_due(self.endpoint, now, allowed).await?;
        if due.is_empty() {
            let pending = records.pending_endpoints().await?;
            let next = pending.into_iter().find(|(endpoint, _)| *endpoint == self.endpoint);
            return Ok(Step::Idle { until: next.map(|(_, at)| at) });
        }
        let (poster, endpoint) = (&self.poster, &endpoint);
        let answers: Vec<(Delivery, Answer)> = stream::iter(due)
            .map(|delivery| async move {
                let answer = poster.post(endpoint, &delivery.event, now).await;
                (delivery, answer)
            })
            .buffer_unordered(ENDPOINT_POSTS)
            // What is cut off here is delivered again after the next start, under the same id.
            .take_until(stopped(self.stop.clone()))
            .collect()
            .await;
        let tried = answers.len();
        let gone = answers.iter().any(|(_, answer)| *answer == Answer::Gone);
        let ended = self.shared.options.engine.now().await?;
        let outcomes =
            answers.into_iter().map(|(delivery, answer)| self.outcome(&delivery, answer, ended)).collect();
        self.shared.options.records.finish_deliveries(outcomes).await?;
        if gone {
            self.switch_off().await?;
            return Ok(Step::Ended);
        }
        Ok(Step::Tried(tried))
    }

    fn outcome(
        &mut self,
        delivery: &Delivery,
        answer: Answer,
        now: TimestampMs,
    ) -> (EndpointId, EventSeq, DeliveryOutcome) {
        let outcome = match answer {
            Answer::Taken => {
                self.breaker.succeeded();
                DeliveryOutcome::Delivered
            }
            Answer::Gone => {
                DeliveryOutcome::Dead { error: "answered 410: the endpoint is switched off".to_owned() }
            }
            Answer::Failed { error, retry_after } => {
                self.breaker.failed(now);
                let wanted = retry_after.unwrap_or(SpanMs(0));
                match pause(delivery.attempts + 1, rand::random()) {
                    Some(pause) => DeliveryOutcome::Retry { at: now + pause.max(wanted), error },
                    None => DeliveryOutcome::Dead { error },
                }
            }
        };
        let counted = match &outcome {
            DeliveryOutcome::Delivered => NotificationOutcome::WebhookDelivered,
            DeliveryOutcome::Retry { .. } => NotificationOutcome::WebhookRetried,
            DeliveryOutcome::Dead { .. } => NotificationOutcome::WebhookGivenUp,
        };
        self.shared.options.metrics.notifications.of(counted).inc();
        (self.endpoint, delivery.event.seq, outcome)
    }

    fn configured(&self) -> Option<WebhookEndpoint> {
        let directory = self.shared.options.directory.load();
        let tenant = directory.tenants.get(&self.tenant)?;
        tenant.endpoints.iter().find(|known| known.id == self.endpoint && known.enabled).cloned()
    }

    /// The endpoint said that it is gone: nothing is sent there until a person switches it on again.
    async fn switch_off(&self) -> Result<(), ConsumerError> {
        let (options, id) = (&self.shared.options, self.endpoint.to_compact_string());
        let Some(document) =
            options.records.document(DocumentKind::Endpoint, Some(self.tenant), id.clone()).await?
        else {
            return Ok(());
        };
        let mut body = document.body;
        body["enabled"] = serde_json::Value::Bool(false);
        let write = DocumentWrite {
            kind: DocumentKind::Endpoint,
            tenant: Some(self.tenant),
            id,
            expect: Expect::Version(document.version),
            body: Some(body),
        };
        let change = Change { by: Party::Gateway, at: options.engine.now().await? };
        match options.records.write_documents(change, vec![write]).await {
            // A person just changed it: their word holds, and another 410 will tell again.
            Err(RecordsError::Conflict { .. }) => Ok(()),
            other => Ok(other.map(drop)?),
        }
    }

    /// How long to wait for a time of the store's clock; bounded, since that clock is not ours.
    async fn wait(&self, until: Option<TimestampMs>) -> Result<Duration, ConsumerError> {
        let Some(until) = until else { return Ok(FOLLOW_POLL) };
        let now = self.shared.options.engine.now().await?;
        let wait_ms = u64::try_from((until - now).0).unwrap_or(0);
        Ok(Duration::from_millis(wait_ms).min(FOLLOW_POLL))
    }
}
