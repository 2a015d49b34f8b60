//! When templates were last used, to the hour.

use std::collections::HashMap;

use compact_str::ToCompactString;
use protocol::command::Party;
use protocol::content::Content;
use protocol::directory::Template;
use protocol::fact::Fact;
use protocol::id::{TemplateId, TenantId};
use protocol::time::TimestampMs;
use store::records::{Change, DocumentKind, DocumentWrite, Expect, Records, RecordsResult, StoredEvent};

use crate::consumers::ConsumerError;
use crate::limits::TEMPLATE_USE_EVERY;

/// What this process has noted; another one may know better, and writes again.
#[derive(Default)]
pub(super) struct Used {
    noted: HashMap<TemplateId, TimestampMs>,
}

impl Used {
    /// Notes what a batch of events says.
    pub(super) async fn note(
        &mut self,
        records: &dyn Records,
        events: &[StoredEvent],
    ) -> Result<(), ConsumerError> {
        let mut newest: HashMap<TemplateId, (TenantId, TimestampMs)> = HashMap::new();
        for stored in events {
            if let (Some(tenant), Some(template)) = (stored.event.tenant, template_of(stored)) {
                newest.insert(template, (tenant, stored.event.at));
            }
        }
        newest
            .retain(|id, (_, at)| self.noted.get(id).is_none_or(|noted| *noted + TEMPLATE_USE_EVERY <= *at));
        let Some(at) = newest.values().map(|(_, at)| *at).max() else { return Ok(()) };
        let write = |(id, (tenant, at)): (&TemplateId, &(TenantId, TimestampMs))| DocumentWrite {
            kind: DocumentKind::TemplateUse,
            tenant: Some(*tenant),
            id: id.to_compact_string(),
            expect: Expect::Any,
            body: Some(serde_json::json!({ "at": at })),
        };
        let writes = newest.iter().map(write).collect();
        records.write_documents(Change { by: Party::Gateway, at }, writes).await?;
        self.noted.extend(newest.into_iter().map(|(id, (_, at))| (id, at)));
        Ok(())
    }
}

fn template_of(stored: &StoredEvent) -> Option<TemplateId> {
    match &stored.event.fact {
        Fact::MessageQueued { content: Content::Template(sent), .. } => {
            Some(Template::id_of(stored.event.tenant?, &sent.name, &sent.language))
        }
        _ => None,
    }
}

/// When the templates of a tenant were last used, to the hour.
///
/// # Errors
/// When the records store fails.
pub async fn last_used(
    records: &dyn Records,
    tenant: TenantId,
) -> RecordsResult<HashMap<TemplateId, TimestampMs>> {
    let notes = records.documents(DocumentKind::TemplateUse, Some(tenant)).await?;
    let read = |note: store::records::Document| {
        let at = serde_json::from_value(note.body.get("at")?.clone()).ok()?;
        Some((note.id.parse().ok()?, at))
    };
    Ok(notes.into_iter().filter_map(read).collect())
}
