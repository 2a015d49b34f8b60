//! From configured things to documents, written together: all or none.

use std::collections::BTreeMap;

use compact_str::{CompactString, ToCompactString, format_compact};
use domain::template;
use protocol::command::Party;
use protocol::directory::{Flow, Number, Review, Template, TemplateKind};
use protocol::id::TenantId;
use protocol::time::TimestampMs;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use store::records::{Change, DocumentKind, DocumentWrite, Expect, Records};

use super::{ApplyError, Resolved};
use crate::api::CREDIT_RULES;

/// What applying a file did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Documents that did not exist before.
    pub created: usize,
    /// Documents that say something else now.
    pub changed: usize,
    /// Documents that already said the same.
    pub unchanged: usize,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} created, {} changed, {} unchanged", self.created, self.changed, self.unchanged)
    }
}

type Place = (DocumentKind, Option<TenantId>, CompactString);

/// Writes everything that the file configures and that is not stored so already.
///
/// # Errors
/// When the records store fails; then nothing was written.
pub async fn write(
    records: &dyn Records,
    resolved: Resolved,
    now: TimestampMs,
) -> Result<Report, ApplyError> {
    let new_numbers = resolved.numbers.clone();
    let mut stored = Stored { records, new_numbers, known: BTreeMap::new(), read: Vec::new() };
    let mut documents = documents(&resolved)?;
    for number in resolved.numbers {
        documents.push(stored.number(number).await?);
    }
    for template in resolved.templates {
        let left_open = resolved.status_left_open.contains(&template.id);
        documents.push(stored.template(template, left_open, now).await?);
    }
    for flow in resolved.flows {
        documents.push(stored.flow(flow).await?);
    }
    let (mut report, mut writes) = (Report::default(), Vec::new());
    for (place, body) in documents {
        match stored.body(&place).await? {
            Some(known) if *known == body => report.unchanged += 1,
            Some(_) => report.changed += 1,
            None => report.created += 1,
        }
        let (kind, tenant, id) = place;
        writes.push(DocumentWrite { kind, tenant, id, expect: Expect::Any, body: Some(body) });
    }
    records.write_documents(Change { by: Party::Gateway, at: now }, writes).await?;
    Ok(report)
}

fn documents(resolved: &Resolved) -> Result<Vec<(Place, Value)>, ApplyError> {
    let mut all = Vec::new();
    let mut add = |kind, tenant, id: CompactString, body: Result<Value, serde_json::Error>| {
        body.map(|body| all.push(((kind, tenant, id), body)))
    };
    for tenant in &resolved.tenants {
        add(
            DocumentKind::Tenant,
            Some(tenant.id),
            tenant.id.to_compact_string(),
            serde_json::to_value(tenant),
        )?;
    }
    for user in &resolved.users {
        add(DocumentKind::User, Some(user.tenant), user.id.to_compact_string(), serde_json::to_value(user))?;
    }
    for rules in &resolved.credit_rules {
        let (kind, id) = CREDIT_RULES;
        add(kind, Some(rules.tenant), id, serde_json::to_value(rules))?;
    }
    for notices in &resolved.notices {
        let id = notices.user.to_compact_string();
        add(DocumentKind::Notices, Some(notices.tenant), id, serde_json::to_value(notices))?;
    }
    for group in &resolved.groups {
        add(
            DocumentKind::Group,
            Some(group.tenant),
            group.id.to_compact_string(),
            serde_json::to_value(group),
        )?;
    }
    for key in &resolved.keys {
        add(DocumentKind::Key, Some(key.tenant), key.id.to_compact_string(), serde_json::to_value(key))?;
    }
    for endpoint in &resolved.endpoints {
        let id = endpoint.id.to_compact_string();
        add(DocumentKind::Endpoint, Some(endpoint.tenant), id, serde_json::to_value(endpoint))?;
    }
    for card in &resolved.rate_cards {
        add(DocumentKind::RateCard, None, card.name.clone(), serde_json::to_value(card))?;
    }
    Ok(all)
}

/// A template as the file wants it, with what the provider says of the known one.
fn changed(known: &Template, file: Template, now: TimestampMs) -> Template {
    let wanted = Template {
        status: known.status,
        reason: known.reason.clone(),
        quality: known.quality.clone(),
        provider_id: known.provider_id.clone(),
        review: known.review.clone(),
        ..file
    };
    match template::edit(known, wanted, now) {
        Ok(after) => after,
        Err(problems) => {
            let problems: Vec<_> =
                problems.into_iter().map(|p| format!("{}: {}", p.pointer, p.detail)).collect();
            tracing::warn!(template = %known.name, ?problems, "a template stays as it is, whatever the file says");
            known.clone()
        }
    }
}

/// What the records store holds, read once per kind and tenant.
struct Stored<'a> {
    records: &'a dyn Records,
    /// Numbers of the file, which are not stored yet.
    new_numbers: Vec<Number>,
    known: BTreeMap<Place, Value>,
    read: Vec<(DocumentKind, Option<TenantId>)>,
}

impl Stored<'_> {
    async fn body(&mut self, place: &Place) -> Result<Option<&Value>, ApplyError> {
        self.load(place.0, place.1).await?;
        Ok(self.known.get(place))
    }

    async fn load(&mut self, kind: DocumentKind, tenant: Option<TenantId>) -> Result<(), ApplyError> {
        if !self.read.contains(&(kind, tenant)) {
            for document in self.records.documents(kind, tenant).await? {
                self.known.insert((kind, tenant, document.id), document.body);
            }
            self.read.push((kind, tenant));
        }
        Ok(())
    }

    /// What was read of a kind, as far as it can be understood.
    fn stored<T: DeserializeOwned>(
        &self,
        kind: DocumentKind,
        tenant: Option<TenantId>,
    ) -> impl Iterator<Item = T> {
        let of_kind =
            self.known.iter().filter(move |((known, owner, _), _)| (*known, *owner) == (kind, tenant));
        of_kind.filter_map(|(_, body)| serde_json::from_value(body.clone()).ok())
    }

    /// The first numbers of a channel have nobody to be told of. Others are introduced by the server, once.
    async fn number(&mut self, mut number: Number) -> Result<(Place, Value), ApplyError> {
        let place = (DocumentKind::Number, Some(number.tenant), number.id.to_compact_string());
        self.load(place.0, place.1).await?;
        let of_channel =
            self.stored(place.0, place.1).filter(|known: &Number| known.channel == number.channel);
        let of_channel: Vec<_> = of_channel.collect();
        let known = of_channel.iter().find(|known| known.id == number.id);
        number.introduced = known.map_or(of_channel.is_empty(), |known| known.introduced);
        Ok((place, serde_json::to_value(&number)?))
    }

    /// What the provider says about a template stays; a status that the file names wins. Without one the provider is
    /// told of the template, and of each change.
    async fn template(
        &mut self,
        template: Template,
        left_open: bool,
        now: TimestampMs,
    ) -> Result<(Place, Value), ApplyError> {
        let place = (DocumentKind::Template, Some(template.tenant), template.id.to_compact_string());
        let known = self.body(&place).await?.cloned();
        let known = known.and_then(|body| serde_json::from_value::<Template>(body).ok());
        let template = match known.filter(Template::is_there) {
            Some(known) if left_open => changed(&known, template, now),
            Some(known) => Template {
                reason: known.reason.filter(|_| known.status == template.status),
                quality: known.quality,
                provider_id: known.provider_id,
                review: Review { task: None, ..known.review },
                ..template
            },
            None if left_open && template.kind == TemplateKind::Approved => self.submitted(template).await?,
            None => template,
        };
        Ok((place, serde_json::to_value(&template)?))
    }

    /// Submits to the account of the tenant's first WhatsApp number; without one it waits for a person.
    async fn submitted(&mut self, mut template: Template) -> Result<Template, ApplyError> {
        let tenant = Some(template.tenant);
        self.load(DocumentKind::Number, tenant).await?;
        let known = self.stored::<Number>(DocumentKind::Number, tenant);
        let accounts =
            known.chain(self.new_numbers.iter().filter(|number| Some(number.tenant) == tenant).cloned());
        if let Some(account) = accounts.filter_map(|number| number.waba_id).next() {
            template::submit(&mut template, account);
        }
        Ok(template)
    }

    /// A changed flow becomes its next version: running applications finish on theirs.
    async fn flow(&mut self, mut flow: Flow) -> Result<(Place, Value), ApplyError> {
        let tenant = Some(flow.tenant);
        self.load(DocumentKind::Flow, tenant).await?;
        let newest = self
            .stored::<Flow>(DocumentKind::Flow, tenant)
            .filter(|known| known.id == flow.id)
            .max_by_key(|known| known.version);
        if let Some(newest) = newest {
            flow.version = newest.version;
            if flow != newest {
                flow.version += 1;
            }
        }
        let id = format_compact!("{}@{}", flow.id, flow.version);
        Ok(((DocumentKind::Flow, tenant, id), serde_json::to_value(&flow)?))
    }
}
