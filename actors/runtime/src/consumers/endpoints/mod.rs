//! Events are pushed to downstream endpoints, signed as Standard Webhooks describe.
//!
//! A router follows the events and queues them per endpoint, durably. Each endpoint has a loop of its own, so a slow
//! one never slows another: it tries what is due, puts failures off with growing pauses, and stops trying for a
//! while when everything fails.

pub(crate) mod attempt;
mod breaker;
mod guard;
pub(crate) mod queue;
pub(crate) mod router;
pub(crate) mod sign;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use protocol::directory::WebhookEndpoint;
use protocol::id::EndpointId;
use tokio::sync::watch;

use self::attempt::Poster;
pub(super) use self::attempt::retry_after;
pub(super) use self::breaker::Breaker;
pub(super) use self::guard::{PublicOnly, host_is_public, redirects};
use self::queue::Queue;
use self::router::Router;
use super::Shared;
use super::follow::Follower;
use super::supervised::{ConsumerError, ViewCell};
use crate::limits::{ENDPOINT_TIMEOUT, FOLLOW_POLL};

/// Name of the router and of its cursor.
pub(super) const NAME: &str = "endpoints";

/// How events are pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSettings {
    /// Endpoints may be at private, loopback and link-local addresses. Off where tenants can set addresses and must
    /// not reach into the operator's network.
    pub allow_private_addresses: bool,
    /// One attempt lasts no longer.
    pub timeout: Duration,
}

impl Default for EndpointSettings {
    fn default() -> Self {
        Self { allow_private_addresses: false, timeout: ENDPOINT_TIMEOUT }
    }
}

/// Routes and delivers until told to stop.
pub(super) async fn run(shared: Shared, view: ViewCell) -> Result<(), ConsumerError> {
    let poster = Arc::new(Poster::new(&shared.options.endpoints)?);
    let routed = watch::Sender::new(0u64);
    let router =
        Follower::new(shared.clone(), Router { shared: shared.clone(), routed: routed.clone() }).await?;
    let queues = Queues { shared, poster, routed, running: FuturesUnordered::new(), stops: BTreeMap::new() };
    tokio::try_join!(router.run(&view), queues.run())?;
    Ok(())
}

type Running = LocalBoxFuture<'static, (EndpointId, Result<(), ConsumerError>)>;

/// The loops of all endpoints that are configured and enabled.
struct Queues {
    shared: Shared,
    poster: Arc<Poster>,
    routed: watch::Sender<u64>,
    running: FuturesUnordered<Running>,
    stops: BTreeMap<EndpointId, watch::Sender<bool>>,
}

impl Queues {
    async fn run(mut self) -> Result<(), ConsumerError> {
        let mut look = tokio::time::interval(FOLLOW_POLL);
        let shared = self.shared.clone();
        loop {
            tokio::select! {
                _ = look.tick() => self.follow_directory(),
                Some((endpoint, end)) = self.running.next(), if !self.running.is_empty() => {
                    self.stops.remove(&endpoint);
                    // A fault of the store concerns every queue: all begin again together.
                    end?;
                }
                () = shared.stopped() => break,
            }
        }
        for stop in self.stops.values() {
            stop.send_replace(true);
        }
        // What was delivered is stored as such before the end.
        while let Some((_, end)) = self.running.next().await {
            end?;
        }
        Ok(())
    }

    /// Starts loops for new endpoints, and stops those of endpoints that are gone or switched off.
    fn follow_directory(&mut self) {
        let directory = self.shared.options.directory.load_full();
        let all = directory.tenants.values().flat_map(|tenant| &tenant.endpoints);
        let wanted: BTreeMap<EndpointId, &WebhookEndpoint> =
            all.filter(|endpoint| endpoint.enabled).map(|endpoint| (endpoint.id, endpoint)).collect();
        for (id, stop) in &self.stops {
            if !wanted.contains_key(id) {
                stop.send_replace(true);
            }
        }
        for (id, endpoint) in wanted {
            self.stops.entry(id).or_insert_with(|| {
                let stop = watch::Sender::new(false);
                let place = (endpoint.tenant, id);
                let queue = Queue::new(self.shared.clone(), self.poster.clone(), place, stop.subscribe());
                let run = queue.run(self.routed.subscribe());
                self.running.push(run.map(move |end| (id, end)).boxed_local());
                stop
            });
        }
    }
}
