//! Which event goes to which endpoint.

use protocol::directory::WebhookEndpoint;
use store::records::{Advance, DeliveryCommit, StoredEvent};
use tokio::sync::watch;

use crate::consumers::follow::Handler;
use crate::consumers::{ConsumerError, Shared};
use crate::metrics::FollowerKind;

/// Queues events per endpoint.
pub(crate) struct Router {
    pub(crate) shared: Shared,
    /// Moves whenever something was queued.
    pub(crate) routed: watch::Sender<u64>,
}

impl Handler for Router {
    const NAME: &'static str = super::NAME;
    const KIND: FollowerKind = FollowerKind::Endpoints;

    async fn handle(&mut self, events: &[StoredEvent], advance: Advance) -> Result<(), ConsumerError> {
        let directory = self.shared.options.directory.load_full();
        let mut deliveries = Vec::new();
        for stored in events {
            let tenant = stored.event.tenant.and_then(|tenant| directory.tenants.get(&tenant));
            let endpoints = tenant.into_iter().flat_map(|tenant| &tenant.endpoints);
            let name = stored.event.fact.name();
            let wanting = endpoints.filter(|endpoint| wants(endpoint, name));
            deliveries.extend(wanting.map(|endpoint| (endpoint.id, endpoint.tenant, stored.seq)));
        }
        let now = self.shared.options.engine.now().await?;
        self.shared.options.records.delivery_commit(DeliveryCommit { advance, now, deliveries }).await?;
        self.routed.send_modify(|count| *count += 1);
        Ok(())
    }
}

/// Whether an endpoint asked for events of a name. No names mean all; `flow.*` means every event of flows.
fn wants(endpoint: &WebhookEndpoint, name: &str) -> bool {
    let fits = |wanted: &str| match wanted.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == wanted,
    };
    endpoint.enabled && (endpoint.events.is_empty() || endpoint.events.iter().any(|wanted| fits(wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::id::{EndpointId, TenantId};

    #[test]
    fn endpoints_receive_what_they_asked_for() {
        let endpoint = |events: &[&str], enabled| WebhookEndpoint {
            id: EndpointId(1),
            tenant: TenantId(1),
            url: String::new(),
            events: events.iter().map(|name| (*name).into()).collect(),
            secrets: Vec::new(),
            enabled,
        };
        assert!(wants(&endpoint(&[], true), "message.received"));
        assert!(wants(&endpoint(&["flow.completed", "message.received"], true), "message.received"));
        assert!(wants(&endpoint(&["message.*"], true), "message.received"));
        assert!(!wants(&endpoint(&["flow.completed"], true), "message.received"));
        assert!(!wants(&endpoint(&[], false), "message.received"));
    }
}
