//! What the provider says about templates is carried into their documents.

use compact_str::{CompactString, ToCompactString};
use domain::template::apply_notice;
use protocol::command::Party;
use protocol::directory::Template;
use protocol::entry::AccountNotice;
use protocol::fact::Fact;
use protocol::id::TenantId;
use store::records::{
    Advance, Change, Document, DocumentKind, DocumentWrite, Expect, RecordsError, StoredEvent,
};

use super::Shared;
use super::follow::{Follower, Handler};
use super::supervised::{ConsumerError, ViewCell};

/// Its name.
pub(super) const NAME: &str = "templates";

/// Follows account notices until told to stop.
pub(super) async fn run(shared: Shared, view: ViewCell) -> Result<(), ConsumerError> {
    Follower::new(shared.clone(), Templates { shared }).await?.run(&view).await
}

/// Keeps templates as the provider sees them.
pub(super) struct Templates {
    pub(super) shared: Shared,
}

impl Handler for Templates {
    const NAME: &'static str = NAME;

    async fn handle(&mut self, events: &[StoredEvent], advance: Advance) -> Result<(), ConsumerError> {
        for stored in events {
            if let (Some(tenant), Fact::Account(notice)) = (stored.event.tenant, &stored.event.fact) {
                self.apply(tenant, notice).await?;
            }
        }
        // Documents are written first: a notice that is applied again changes nothing.
        self.shared.options.records.advance(advance).await?;
        Ok(())
    }
}

impl Templates {
    async fn apply(&self, tenant: TenantId, notice: &AccountNotice) -> Result<(), ConsumerError> {
        let Some((name, language)) = notice.notice.template() else { return Ok(()) };
        while let Some(document) = self.find(tenant, name, language).await? {
            match self.change(document, notice).await {
                // Somebody edited the template meanwhile: look again.
                Err(ConsumerError::Records(RecordsError::Conflict { .. })) => {}
                done => return done,
            }
        }
        tracing::info!(%tenant, template = name, language, "the provider spoke of a template that is not configured");
        Ok(())
    }

    async fn find(
        &self,
        tenant: TenantId,
        name: &str,
        language: &str,
    ) -> Result<Option<Document>, ConsumerError> {
        let directory = self.shared.options.directory.load();
        let known =
            directory.tenants.get(&tenant).and_then(|tenant| tenant.templates.get(name)?.get(language));
        let Some(id) = known.map(|template| template.id.to_compact_string()) else { return Ok(None) };
        Ok(self.shared.options.records.document(DocumentKind::Template, Some(tenant), id).await?)
    }

    async fn change(&self, document: Document, notice: &AccountNotice) -> Result<(), ConsumerError> {
        let damaged = |error: serde_json::Error| ConsumerError::Encode(error.into());
        let mut template: Template = match serde_json::from_value(document.body) {
            Ok(template) => template,
            Err(error) => {
                tracing::error!(id = %document.id, %error, "a stored template cannot be read; the notice is left out");
                return Ok(());
            }
        };
        if !apply_notice(&mut template, &notice.notice) {
            return Ok(());
        }
        let id: CompactString = document.id;
        let write = DocumentWrite {
            kind: DocumentKind::Template,
            tenant: document.tenant,
            id,
            expect: Expect::Version(document.version),
            body: Some(serde_json::to_value(&template).map_err(damaged)?),
        };
        let change = Change { by: Party::Gateway, at: self.shared.options.engine.now().await? };
        self.shared.options.records.write_documents(change, vec![write]).await?;
        Ok(())
    }
}
