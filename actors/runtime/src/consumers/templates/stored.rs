//! Templates in the records.

use compact_str::ToCompactString;
use protocol::command::Party;
use protocol::directory::Template;
use protocol::id::{TemplateId, TenantId};
use protocol::time::TimestampMs;
use serde::Deserialize as _;
use store::records::{
    Change, Document, DocumentKind, DocumentWrite, Expect, Records, RecordsError, RecordsResult, add_if,
};

use crate::consumers::ConsumerError;

/// A template with the version of its document.
pub(super) struct Stored {
    pub(super) template: Template,
    version: u64,
}

/// What is to become of a document.
pub(super) enum Wanted {
    /// It stays as it is.
    Unchanged,
    /// It says this from now on.
    Changed(Box<Template>),
    /// It goes.
    Removed,
}

/// The template of a document; `None` when there is none, or none that can be read.
pub(super) async fn find(
    records: &dyn Records,
    tenant: TenantId,
    id: TemplateId,
) -> RecordsResult<Option<Stored>> {
    let found = records.document(DocumentKind::Template, Some(tenant), id.to_compact_string()).await?;
    let Some(document) = found else { return Ok(None) };
    match serde_json::from_value(document.body) {
        Ok(template) => Ok(Some(Stored { template, version: document.version })),
        Err(error) => {
            tracing::error!(id = %document.id, %error, "a stored template cannot be read; it is left alone");
            Ok(None)
        }
    }
}

/// Adds a template unless there is one of its name and language.
pub(super) async fn add(
    records: &dyn Records,
    template: &Template,
    change: Change,
) -> Result<(), ConsumerError> {
    match records.write_documents(change, vec![new(template)?]).await {
        Ok(_) | Err(RecordsError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The same, unless the tenant has as many templates as it may.
pub(super) async fn add_within(
    records: &dyn Records,
    template: &Template,
    change: Change,
    limit: usize,
) -> Result<(), ConsumerError> {
    let is_there = |document: &&Document| {
        Template::deserialize(&document.body).is_ok_and(|template| template.is_there())
    };
    let look = |all: &[Document]| if all.iter().filter(is_there).count() < limit { Ok(()) } else { Err(()) };
    match add_if(records, change, new(template)?, look).await {
        Ok(_) | Err(RecordsError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn new(template: &Template) -> Result<DocumentWrite, ConsumerError> {
    let body = serde_json::to_value(template).map_err(|error| ConsumerError::Encode(error.into()))?;
    let (kind, tenant, id) = (DocumentKind::Template, Some(template.tenant), template.id.to_compact_string());
    Ok(DocumentWrite { kind, tenant, id, expect: Expect::Absent, body: Some(body) })
}

/// Changes a template by a rule that may be applied again: somebody else may change it meanwhile. Answers what the
/// rule made of it; `None` when there is no such template.
pub(super) async fn change(
    records: &dyn Records,
    (tenant, id): (TenantId, TemplateId),
    now: TimestampMs,
    mut rule: impl FnMut(&Template) -> Wanted,
) -> Result<Option<Wanted>, ConsumerError> {
    while let Some(stored) = find(records, tenant, id).await? {
        let wanted = rule(&stored.template);
        let body = match &wanted {
            Wanted::Unchanged => return Ok(Some(wanted)),
            Wanted::Changed(template) => {
                Some(serde_json::to_value(template).map_err(|error| ConsumerError::Encode(error.into()))?)
            }
            Wanted::Removed => None,
        };
        let expect = Expect::Version(stored.version);
        let (kind, id) = (DocumentKind::Template, id.to_compact_string());
        let write = DocumentWrite { kind, tenant: Some(tenant), id, expect, body };
        match records.write_documents(Change { by: Party::Gateway, at: now }, vec![write]).await {
            Err(RecordsError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(Some(wanted)),
        }
    }
    Ok(None)
}
