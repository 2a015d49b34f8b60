//! What tenants configured, indexed for decisions. Immutable: a change makes a new directory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use compact_str::CompactString;
use protocol::directory::{
    ApiKey, CreditRules, Erasure, Flow, Group, NoticeSettings, NoticeWishes, Number, Pause, RateCard,
    Template, Tenant, User, WebhookEndpoint,
};
use protocol::id::{FlowId, GroupId, NumberId, PhoneNumberId, TenantId, UserId, WabaId};
use protocol::time::TimestampMs;

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
    /// What somebody holds back.
    pub pauses: Pauses,
    /// What happens when its credits run low.
    pub credit_rules: Option<CreditRules>,
    /// How its people want to be told what happens while they are away; those who said so.
    pub notices: BTreeMap<UserId, NoticeWishes>,
}

/// What a tenant does not send for now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pauses {
    /// Nothing leaves.
    pub everything: bool,
    /// Nothing leaves from these numbers.
    pub numbers: BTreeSet<NumberId>,
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
    /// When a contact of the number's tenant was erased last, where one was.
    pub erased: BTreeMap<NumberId, TimestampMs>,
    /// Prices, oldest first.
    pub rate_cards: Arc<Vec<RateCard>>,
}

/// Everything that is configured, as it is stored: in no order, possibly with parts that belong to nobody.
#[derive(Clone, Debug, Default)]
pub struct DirectoryDocuments {
    /// Tenants.
    pub tenants: Vec<Tenant>,
    /// Numbers of all tenants.
    pub numbers: Vec<Number>,
    /// Users of all tenants.
    pub users: Vec<User>,
    /// Groups of all tenants.
    pub groups: Vec<Group>,
    /// API keys of all tenants.
    pub keys: Vec<ApiKey>,
    /// Templates of all tenants.
    pub templates: Vec<Template>,
    /// Every version of the flows of all tenants.
    pub flows: Vec<Flow>,
    /// Endpoints of all tenants.
    pub endpoints: Vec<WebhookEndpoint>,
    /// Pauses of all tenants and their numbers.
    pub pauses: Vec<Pause>,
    /// What happens when credits of tenants run low.
    pub credit_rules: Vec<CreditRules>,
    /// Wishes of users of all tenants.
    pub notices: Vec<NoticeSettings>,
    /// The newest erasure of each tenant that has one.
    pub erasures: Vec<Erasure>,
    /// Prices.
    pub rate_cards: Vec<RateCard>,
}

/// Whether a scope of a key, such as `*` or `billing:*`, allows another one, such as `billing:read`.
#[must_use]
pub fn grants(granted: &str, wanted: &str) -> bool {
    granted == "*"
        || granted == wanted
        || granted.strip_suffix('*').is_some_and(|kind| kind.ends_with(':') && wanted.starts_with(kind))
}

impl TenantDirectory {
    fn new(tenant: Tenant) -> Self {
        Self {
            tenant,
            numbers: BTreeMap::new(),
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            templates: BTreeMap::new(),
            flows: BTreeMap::new(),
            endpoints: Vec::new(),
            pauses: Pauses::default(),
            credit_rules: None,
            notices: BTreeMap::new(),
        }
    }

    /// Whether somebody holds back what a number would send.
    #[must_use]
    pub fn is_paused(&self, number: NumberId) -> bool {
        self.pauses.everything || self.pauses.numbers.contains(&number)
    }

    /// The newest version of a flow; the id is compared in upper case.
    #[must_use]
    pub fn newest_flow(&self, id: &FlowId) -> Option<&Arc<Flow>> {
        self.flows.get(id)?.last_key_value().map(|(_, flow)| flow)
    }
}

impl Directory {
    /// Indexes documents. What belongs to an unknown tenant is left out; of two numbers with the same id at the
    /// provider the first one, by tenant and id, receives its webhooks.
    #[must_use]
    pub fn build(documents: DirectoryDocuments) -> Self {
        let mut tenants: BTreeMap<TenantId, TenantDirectory> =
            documents.tenants.into_iter().map(|tenant| (tenant.id, TenantDirectory::new(tenant))).collect();
        let mut insert = |tenant: TenantId, add: &mut dyn FnMut(&mut TenantDirectory)| {
            tenants.get_mut(&tenant).map(add);
        };
        for number in documents.numbers {
            insert(number.tenant, &mut |t| drop(t.numbers.insert(number.id, number.clone())));
        }
        for user in documents.users {
            insert(user.tenant, &mut |t| drop(t.users.insert(user.id, user.clone())));
        }
        for group in documents.groups {
            insert(group.tenant, &mut |t| drop(t.groups.insert(group.id, group.clone())));
        }
        for template in documents.templates {
            insert(template.tenant, &mut |t| {
                let languages = t.templates.entry(template.name.clone()).or_default();
                languages.insert(template.language.clone(), template.clone());
            });
        }
        for flow in documents.flows.into_iter().map(Arc::new) {
            insert(flow.tenant, &mut |t| {
                t.flows.entry(flow.id.clone()).or_default().insert(flow.version, Arc::clone(&flow));
            });
        }
        for endpoint in documents.endpoints {
            insert(endpoint.tenant, &mut |t| t.endpoints.push(endpoint.clone()));
        }
        for pause in documents.pauses {
            insert(pause.tenant, &mut |t| match pause.number {
                Some(number) => drop(t.pauses.numbers.insert(number)),
                None => t.pauses.everything = true,
            });
        }
        for rules in documents.credit_rules {
            insert(rules.tenant, &mut |t| t.credit_rules = Some(rules.clone()));
        }
        for settings in documents.notices {
            insert(settings.tenant, &mut |t| drop(t.notices.insert(settings.user, settings.wishes.clone())));
        }
        let keys = documents.keys.into_iter().filter(|key| tenants.contains_key(&key.tenant));
        let keys = keys.map(|key| (key.secret_sha256.clone(), key)).collect();
        let mut rate_cards = documents.rate_cards;
        rate_cards.sort_by(|a, b| (a.effective_from, &a.name).cmp(&(b.effective_from, &b.name)));
        let erasures = documents.erasures.iter().filter_map(|erasure| {
            Some(tenants.get(&erasure.tenant)?.numbers.keys().map(|number| (*number, erasure.at)))
        });
        let erased = erasures.flatten().collect();
        Self { erased, ..Self::index(tenants, keys, rate_cards) }
    }

    fn index(
        tenants: BTreeMap<TenantId, TenantDirectory>,
        keys: BTreeMap<String, ApiKey>,
        rate_cards: Vec<RateCard>,
    ) -> Self {
        let mut directory = Self { keys, rate_cards: Arc::new(rate_cards), ..Self::default() };
        for (id, tenant) in tenants {
            for number in tenant.numbers.values() {
                if let Some(provider_id) = &number.phone_number_id {
                    directory.phone_numbers.entry(provider_id.clone()).or_insert((id, number.id));
                }
                if let Some(waba) = &number.waba_id {
                    directory.wabas.entry(waba.clone()).or_insert(id);
                }
            }
            directory.tenants.insert(id, Arc::new(tenant));
        }
        directory
    }

    /// Users for whom a key acts that may do something, such as `billing:read`.
    #[must_use]
    pub fn users_with(&self, tenant: TenantId, scope: &str, now: TimestampMs) -> BTreeSet<UserId> {
        let of_tenant = self.keys.values().filter(|key| key.tenant == tenant);
        let valid = of_tenant.filter(|key| key.expires_at.is_none_or(|end| now < end));
        let allowed = valid.filter(|key| key.scopes.iter().any(|granted| grants(granted, scope)));
        allowed.filter_map(|key| key.user).collect()
    }

    /// A number with its tenant.
    #[must_use]
    pub fn number(&self, tenant: TenantId, number: NumberId) -> Option<(&Arc<TenantDirectory>, &Number)> {
        let directory = self.tenants.get(&tenant)?;
        Some((directory, directory.numbers.get(&number)?))
    }
}
