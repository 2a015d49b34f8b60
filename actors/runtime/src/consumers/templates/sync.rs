//! Once a night, or when somebody asks for it, the provider's list of templates is compared with ours: webhooks may
//! have been missed, and templates made elsewhere. Notes in the records say when, so a restart costs no call.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;
use domain::directory::Directory;
use domain::metering::time_zone;
use domain::template::{next_comparison, of_listed, synchronise};
use protocol::command::Party;
use protocol::content::{Channel, ProviderError};
use protocol::directory::{Number, Template, TemplateStatus};
use protocol::id::{TemplateId, TenantId, WabaId};
use protocol::time::TimestampMs;
use protocol::whatsapp::template::Listed;
use serde::{Deserialize, Serialize};
use store::records::{Change, DocumentKind, DocumentWrite, Expect, Records, RecordsError, RecordsResult};

use super::stored::{self, Wanted};
use crate::consumers::Shared;
use crate::consumers::supervised::{ConsumerError, ViewCell};
use crate::consumers::turn::Turn;
use crate::limits::{TEMPLATE_SYNC_PAGES, TEMPLATE_SYNC_POLL, TEMPLATE_SYNC_RETRY};

/// Its name.
pub(in crate::consumers) const NAME: &str = "template_sync";

/// When an account's templates were compared with ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncNote {
    /// When it was first seen, or last compared.
    pub at: TimestampMs,
    /// Somebody wants it done now.
    pub requested: bool,
    /// Not tried again before: the latest attempt failed.
    pub not_before: TimestampMs,
    /// Why.
    pub error: Option<String>,
}

impl SyncNote {
    /// The note of an account.
    ///
    /// # Errors
    /// When the records store fails.
    pub async fn read(records: &dyn Records, account: &WabaId) -> RecordsResult<Option<Self>> {
        let found = records.document(DocumentKind::TemplateSync, None, account.0.clone()).await?;
        Ok(found.and_then(|note| serde_json::from_value(note.body).ok()))
    }

    /// Keeps the note of an account.
    ///
    /// # Errors
    /// When the records store fails.
    pub async fn keep(&self, records: &dyn Records, account: &WabaId, change: Change) -> RecordsResult<()> {
        self.write(records, account, change, Expect::Any).await
    }

    /// Begins the notes of an account, unless somebody else has.
    async fn begin(records: &dyn Records, account: &WabaId, change: Change) -> RecordsResult<()> {
        let note = Self { at: change.at, ..Self::default() };
        match note.write(records, account, change, Expect::Absent).await {
            Err(RecordsError::Conflict { .. }) => Ok(()),
            done => done,
        }
    }

    async fn write(
        &self,
        records: &dyn Records,
        account: &WabaId,
        change: Change,
        expect: Expect,
    ) -> RecordsResult<()> {
        let body = serde_json::to_value(self)
            .map_err(|error| RecordsError::Invalid { field: "template_sync", detail: error.to_string() })?;
        let (kind, id) = (DocumentKind::TemplateSync, account.0.clone());
        let write = DocumentWrite { kind, tenant: None, id, expect, body: Some(body) };
        records.write_documents(change, vec![write]).await.map(drop)
    }
}

/// Compares when it is time to, until told to stop.
pub(in crate::consumers) async fn run(shared: Shared, view: ViewCell) -> Result<(), ConsumerError> {
    let mut turn = shared.turn.subscribe();
    let mut done = 0;
    while *turn.borrow() == Turn::Ours {
        let compared = step(&shared).await?;
        done += compared as u64;
        view.moved(done, compared);
        tokio::select! {
            () = tokio::time::sleep(TEMPLATE_SYNC_POLL) => {}
            _ = turn.changed() => {}
        }
    }
    Ok(())
}

/// Compares the accounts whose time has come; answers how many there were.
pub(in crate::consumers) async fn step(shared: &Shared) -> Result<usize, ConsumerError> {
    let (records, directory) = (&*shared.options.records, shared.options.directory.load_full());
    let accounts = accounts(&directory);
    if accounts.is_empty() {
        return Ok(0);
    }
    let notes = records.documents(DocumentKind::TemplateSync, None).await?;
    let notes: BTreeMap<CompactString, SyncNote> = notes
        .into_iter()
        .filter_map(|note| Some((note.id, serde_json::from_value(note.body).ok()?)))
        .collect();
    let now = shared.options.engine.now().await?;
    let change = Change { by: Party::Gateway, at: now };
    let mut compared = 0;
    for number in accounts {
        let Some(account) = &number.waba_id else { continue };
        // A new account has just been configured from what the provider has: its first night is soon enough.
        let Some(note) = notes.get(&account.0) else {
            SyncNote::begin(records, account, change).await?;
            continue;
        };
        if !is_due(note, &directory, number, now) {
            continue;
        }
        let done = match compare(shared, number, account, now).await? {
            Ok(()) => SyncNote { at: now, ..SyncNote::default() },
            Err(error) => {
                tracing::warn!(number = %number.id, code = error.code, "templates could not be compared");
                let text = Some(format!("{}: {}", error.code, error.title));
                SyncNote {
                    requested: false,
                    not_before: now + TEMPLATE_SYNC_RETRY,
                    error: text,
                    ..note.clone()
                }
            }
        };
        done.keep(records, account, change).await?;
        compared += 1;
    }
    Ok(compared)
}

/// One number of each account.
fn accounts(directory: &Directory) -> Vec<&Number> {
    let mut seen = BTreeSet::new();
    let numbers = directory.tenants.values().flat_map(|tenant| tenant.numbers.values());
    numbers
        .filter(|number| number.channel == Channel::Whatsapp)
        .filter(|number| number.waba_id.as_ref().is_some_and(|account| seen.insert(account)))
        .collect()
}

fn is_due(note: &SyncNote, directory: &Directory, number: &Number, now: TimestampMs) -> bool {
    let (Some(tenant), Some(account)) = (directory.tenants.get(&number.tenant), &number.waba_id) else {
        return false;
    };
    let tonight = || next_comparison(note.at, &time_zone(&tenant.tenant.time_zone), account) <= now;
    note.requested || (note.not_before <= now && tonight())
}

/// Takes over what the provider lists.
async fn compare(
    shared: &Shared,
    number: &Number,
    account: &WabaId,
    now: TimestampMs,
) -> Result<Result<(), ProviderError>, ConsumerError> {
    let listed = match list(shared, number, account).await {
        Ok(listed) => listed,
        Err(error) => return Ok(Err(error)),
    };
    let mut seen = BTreeSet::new();
    for found in &listed {
        let id = Template::id_of(number.tenant, &found.name, &found.language);
        seen.insert(id);
        take_over(shared, (number.tenant, id), (found, account), now).await?;
    }
    lose(shared, number.tenant, account, &seen, now).await?;
    Ok(Ok(()))
}

async fn list(shared: &Shared, number: &Number, account: &WabaId) -> Result<Vec<Listed>, ProviderError> {
    let (mut all, mut after) = (Vec::new(), None);
    for _ in 0..TEMPLATE_SYNC_PAGES {
        let page = shared.options.templates.list(number, account, None, after.as_deref()).await?;
        all.extend(page.templates);
        after = page.after;
        if after.is_none() {
            break;
        }
    }
    Ok(all)
}

async fn take_over(
    shared: &Shared,
    place: (TenantId, TemplateId),
    (listed, account): (&Listed, &WabaId),
    now: TimestampMs,
) -> Result<(), ConsumerError> {
    let records = &*shared.options.records;
    let known = stored::change(records, place, now, |known| {
        let mut template = known.clone();
        let of_account = known.review.account.as_ref().is_none_or(|holder| holder == account);
        let at_rest = known.is_there() && known.review.task.is_none();
        if of_account && at_rest && synchronise(&mut template, listed) {
            template.review.account = Some(account.clone());
            return Wanted::Changed(Box::new(template));
        }
        Wanted::Unchanged
    });
    if known.await?.is_some() {
        return Ok(());
    }
    let directory = shared.options.directory.load_full();
    let Some(tenant) = directory.tenants.get(&place.0) else { return Ok(()) };
    let limit = tenant.tenant.settings.max_templates;
    let all = tenant.templates.values().flat_map(|languages| languages.values());
    // Most that find no room are known here already; of the others the store knows.
    let is_full = all.filter(|template| template.is_there()).count() >= limit;
    match of_listed(place.0, listed, account)
        .filter(|made| !is_full && made.status != TemplateStatus::Deleted)
    {
        Some(made) => {
            let change = Change { by: Party::Gateway, at: now };
            stored::add_within(records, &made, change, limit).await
        }
        None => Ok(()),
    }
}

/// What the provider had and has no longer was deleted there.
async fn lose(
    shared: &Shared,
    tenant: TenantId,
    account: &WabaId,
    seen: &BTreeSet<TemplateId>,
    now: TimestampMs,
) -> Result<(), ConsumerError> {
    let records = &*shared.options.records;
    for document in records.documents(DocumentKind::Template, Some(tenant)).await? {
        let Ok(id) = document.id.parse::<TemplateId>() else { continue };
        if seen.contains(&id) {
            continue;
        }
        stored::change(records, (tenant, id), now, |known| {
            let gone = known.provider_id.is_some()
                && known.review.account.as_ref() == Some(account)
                && known.is_there()
                && known.review.task.is_none()
                && known.status != TemplateStatus::Deleted;
            if !gone {
                return Wanted::Unchanged;
            }
            let reason = Some("the provider no longer lists it".to_owned());
            Wanted::Changed(Box::new(Template { status: TemplateStatus::Deleted, reason, ..known.clone() }))
        })
        .await?;
    }
    Ok(())
}
