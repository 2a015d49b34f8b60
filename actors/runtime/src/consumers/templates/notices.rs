//! What the provider says about templates is carried into their documents, and what waits for approval is submitted.

use domain::template::{apply_notice, of_message, submit};
use protocol::content::Content;
use protocol::directory::Template;
use protocol::entry::AccountNotice;
use protocol::fact::Fact;
use protocol::id::TenantId;
use protocol::time::TimestampMs;
use store::records::{Advance, Change, StoredEvent};

use super::stored::{self, Wanted};
use super::used::Used;
use crate::consumers::Shared;
use crate::consumers::follow::{Follower, Handler};
use crate::consumers::supervised::{ConsumerError, ViewCell};
use crate::metrics::FollowerKind;

/// Its name.
pub(in crate::consumers) const NAME: &str = "templates";

/// Follows account notices until told to stop.
pub(in crate::consumers) async fn run(shared: Shared, view: ViewCell) -> Result<(), ConsumerError> {
    Follower::new(shared.clone(), Templates::new(shared)).await?.run(&view).await
}

/// Keeps templates as the provider sees them.
pub(in crate::consumers) struct Templates {
    shared: Shared,
    used: Used,
}

impl Handler for Templates {
    const NAME: &'static str = NAME;
    const KIND: FollowerKind = FollowerKind::Templates;

    async fn handle(&mut self, events: &[StoredEvent], advance: Advance) -> Result<(), ConsumerError> {
        for stored in events {
            match (stored.event.tenant, &stored.event.fact) {
                (Some(tenant), Fact::Account(notice)) => self.apply(tenant, notice).await?,
                (Some(tenant), awaited @ Fact::ApprovalAwaited { .. }) => {
                    self.submit(tenant, awaited, stored.event.at).await?;
                }
                _ => {}
            }
        }
        self.used.note(&*self.shared.options.records, events).await?;
        // Documents are written first: a notice that is applied again changes nothing.
        self.shared.options.records.advance(advance).await?;
        Ok(())
    }
}

impl Templates {
    pub(in crate::consumers) fn new(shared: Shared) -> Self {
        Self { shared, used: Used::default() }
    }

    /// A message waits for a template that is made of it: whoever comes first has it submitted.
    async fn submit(&self, tenant: TenantId, awaited: &Fact, at: TimestampMs) -> Result<(), ConsumerError> {
        let Fact::ApprovalAwaited { by, content, category, language, account, .. } = awaited else {
            return Ok(());
        };
        let (Content::Text { body }, Some(account)) = (content, account) else { return Ok(()) };
        let mut made = of_message(tenant, (body, language, *category), Some(account.clone()));
        submit(&mut made, account.clone());
        stored::add(&*self.shared.options.records, &made, Change { by: *by, at }).await
    }

    async fn apply(&self, tenant: TenantId, account: &AccountNotice) -> Result<(), ConsumerError> {
        let Some((name, language)) = account.notice.template() else { return Ok(()) };
        // Not by the directory: it may not know yet what another node has just submitted.
        let id = Template::id_of(tenant, name, language);
        let now = self.shared.options.engine.now().await?;
        let told = stored::change(&*self.shared.options.records, (tenant, id), now, |known| {
            let mut template = known.clone();
            match apply_notice(&mut template, &account.waba, &account.notice) {
                true => Wanted::Changed(Box::new(template)),
                false => Wanted::Unchanged,
            }
        });
        if told.await?.is_none() {
            tracing::info!(%tenant, template = name, language, "the provider spoke of a template that is not configured");
        }
        Ok(())
    }
}
