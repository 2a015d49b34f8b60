//! What tenants configured, indexed for decisions. Immutable: a change makes a new directory.

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;
use protocol::directory::{ApiKey, Flow, Group, Number, RateCard, Template, Tenant, User, WebhookEndpoint};
use protocol::id::{FlowId, GroupId, NumberId, PhoneNumberId, TenantId, UserId, WabaId};

/// One tenant with everything that belongs to it.
#[derive(Clone, Debug)]
pub struct TenantDirectory {
    /// The tenant itself.
    pub tenant: Tenant,
    /// Its numbers.
    pub numbers: BTreeMap<NumberId, Number>,
    /// Its people.
    pub users: BTreeMap<UserId, User>,
    /// Its groups.
    pub groups: BTreeMap<GroupId, Group>,
    /// Its templates by name, then language.
    pub templates: BTreeMap<CompactString, BTreeMap<CompactString, Template>>,
    /// Its flows by id, then version: running applications finish on the version they began with.
    pub flows: BTreeMap<FlowId, BTreeMap<u32, Arc<Flow>>>,
    /// Its downstream endpoints.
    pub endpoints: Vec<WebhookEndpoint>,
}

/// Every tenant, with the indexes that requests need.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Tenants by id.
    pub tenants: BTreeMap<TenantId, Arc<TenantDirectory>>,
    /// API keys by the hex SHA-256 of their secret.
    pub keys: BTreeMap<String, ApiKey>,
    /// WhatsApp numbers by the provider's id.
    pub phone_numbers: BTreeMap<PhoneNumberId, (TenantId, NumberId)>,
    /// Tenants by WhatsApp business account.
    pub wabas: BTreeMap<WabaId, TenantId>,
    /// Prices, oldest first.
    pub rate_cards: Arc<Vec<RateCard>>,
}

impl TenantDirectory {
    /// The newest version of a flow; the id is compared in upper case.
    #[must_use]
    pub fn newest_flow(&self, id: &FlowId) -> Option<&Arc<Flow>> {
        self.flows.get(id)?.last_key_value().map(|(_, flow)| flow)
    }
}

impl Directory {
    /// A number with its tenant.
    #[must_use]
    pub fn number(&self, tenant: TenantId, number: NumberId) -> Option<(&Arc<TenantDirectory>, &Number)> {
        let directory = self.tenants.get(&tenant)?;
        Some((directory, directory.numbers.get(&number)?))
    }
}
