//! What people change about templates is carried to the provider: one call at a time for each template, and each may
//! be repeated.

use std::sync::Arc;

use domain::directory::Directory;
use domain::template::{After, adopt, call, name_free_at, refuse, settle};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use protocol::content::{Channel, ProviderError};
use protocol::directory::{Number, TaskKind, Template, TemplateStatus};
use protocol::entry::{AccountNotice, Notice};
use protocol::id::{TemplateId, TenantId, WabaId};
use protocol::time::TimestampMs;
use protocol::whatsapp::template::{Listed, TemplateAnswer};

use super::stored::{self, Wanted};
use crate::consumers::Shared;
use crate::consumers::supervised::{ConsumerError, ViewCell};
use crate::consumers::turn::Turn;
use crate::ingress;
use crate::limits::{TEMPLATE_CALLS, TEMPLATE_POLL};

/// Its name.
pub(in crate::consumers) const NAME: &str = "template_tasks";

/// Carries out tasks until told to stop.
pub(in crate::consumers) async fn run(shared: Shared, view: ViewCell) -> Result<(), ConsumerError> {
    let mut turn = shared.turn.subscribe();
    let (mut tasks, mut done) = (Tasks::new(shared), 0);
    while *turn.borrow() == Turn::Ours {
        let handled = tasks.step().await?;
        done += handled as u64;
        view.moved(done, handled);
        tokio::select! {
            () = tokio::time::sleep(TEMPLATE_POLL) => {}
            _ = turn.changed() => {}
        }
    }
    Ok(())
}

/// Where a template is, and since when something may be done about it.
type Open = (TenantId, TemplateId, TimestampMs);

/// The tasks that the directory shows.
pub(in crate::consumers) struct Tasks {
    shared: Shared,
    /// The directory that was looked through; replaced as a whole when something changes.
    seen: Arc<Directory>,
    open: Vec<Open>,
}

/// What the provider said in the end.
enum Verdict {
    Answer(TemplateAnswer),
    /// What its list shows, and what it said before.
    Found(Option<Listed>, ProviderError),
}

impl Tasks {
    pub(in crate::consumers) fn new(shared: Shared) -> Self {
        Self { shared, seen: Arc::default(), open: Vec::new() }
    }

    /// Carries out what is due; answers how many tasks there were.
    pub(in crate::consumers) async fn step(&mut self) -> Result<usize, ConsumerError> {
        let directory = self.shared.options.directory.load_full();
        if !Arc::ptr_eq(&directory, &self.seen) {
            self.open = open(&directory);
            self.seen = directory;
        }
        if self.open.is_empty() {
            return Ok(0);
        }
        let now = self.shared.options.engine.now().await?;
        let (due, later) = self.open.drain(..).partition::<Vec<_>, _>(|(_, _, at)| *at <= now);
        self.open = later;
        let this = &*self;
        let calls = due.iter().map(|&(tenant, id, _)| async move {
            let again_at = this.carry_out(tenant, id, now).await?;
            Ok::<_, ConsumerError>(again_at.map(|at| (tenant, id, at)))
        });
        // Together: a provider that does not answer one tenant must not keep the others waiting.
        let again: Vec<Option<Open>> =
            stream::iter(calls).buffer_unordered(TEMPLATE_CALLS).try_collect().await?;
        self.open.extend(again.into_iter().flatten());
        Ok(due.len())
    }

    /// Carries out one task; answers when it has to be looked at again, before the directory shows it.
    async fn carry_out(
        &self,
        tenant: TenantId,
        id: TemplateId,
        now: TimestampMs,
    ) -> Result<Option<TimestampMs>, ConsumerError> {
        let records = &*self.shared.options.records;
        let Some(found) = stored::find(records, tenant, id).await? else { return Ok(None) };
        let asked = found.template;
        let Some(task) = asked.review.task.clone() else { return self.forget(&asked, now).await };
        if task.not_before > now {
            return Ok(Some(task.not_before));
        }
        let verdict = self.ask(&asked, now).await;
        let changed = stored::change(records, (tenant, id), now, |known| {
            let mut template = known.clone();
            // People may have changed their mind while the provider was asked.
            if known.review.task.as_ref().map(|task| &task.kind) != Some(&task.kind) {
                return Wanted::Unchanged;
            }
            match apply(&mut template, &verdict, now) {
                After::Remove => Wanted::Removed,
                After::Keep | After::LookUp => Wanted::Changed(Box::new(template)),
            }
        });
        let Some(Wanted::Changed(template)) = changed.await? else { return Ok(None) };
        let refused = template.status == TemplateStatus::Rejected && template.review.task.is_none();
        if task.kind == TaskKind::Create && refused {
            self.announce(&template, now).await?;
        }
        Ok(template.review.task.as_ref().map(|task| task.not_before))
    }

    /// A deleted template whose name is free again.
    async fn forget(&self, asked: &Template, now: TimestampMs) -> Result<Option<TimestampMs>, ConsumerError> {
        let place = (asked.tenant, asked.id);
        stored::change(&*self.shared.options.records, place, now, |known| match name_free_at(known) {
            Some(at) if at <= now && known.review.task.is_none() => Wanted::Removed,
            _ => Wanted::Unchanged,
        })
        .await?;
        Ok(None)
    }

    async fn ask(&self, template: &Template, now: TimestampMs) -> Verdict {
        let unasked = |detail: &str| Verdict::Answer(TemplateAnswer::NoAnswer { detail: detail.to_owned() });
        let directory = self.shared.options.directory.load_full();
        let Some((number, account)) = speaker(&directory, template) else {
            return unasked("no WhatsApp number of the tenant belongs to the template's account");
        };
        let provider = &self.shared.options.templates;
        let refusal = match call(template) {
            Some(call) => {
                let answer = provider.call(number, account, call).await;
                // On a copy: whether the answer settles the task is all that matters here.
                match (settle(&mut template.clone(), &answer, now), answer) {
                    (After::LookUp, TemplateAnswer::Refused(error)) => error,
                    (_, answer) => return Verdict::Answer(answer),
                }
            }
            None => ProviderError { code: 0, title: "the provider does not have it".into(), detail: None },
        };
        match provider.list(number, account, Some(&template.name), None).await {
            Ok(listing) => Verdict::Found(listing.find(&template.name, &template.language).cloned(), refusal),
            Err(error) => unasked(&format!("{}: {}", error.code, error.title)),
        }
    }

    /// Tells downstream services of a refusal that no webhook tells of.
    async fn announce(&self, template: &Template, now: TimestampMs) -> Result<(), ConsumerError> {
        let Some(waba) = template.review.account.clone() else { return Ok(()) };
        let notice = Notice::TemplateStatus {
            template_id: template.provider_id.clone().unwrap_or_default(),
            name: template.name.clone(),
            language: template.language.clone(),
            event: "REJECTED".into(),
            reason: template.reason.clone(),
        };
        let notice =
            AccountNotice { tenant: Some(template.tenant), waba, number: None, at: Some(now), notice };
        Ok(ingress::note(&*self.shared.options.engine, notice, now).await?)
    }
}

fn apply(template: &mut Template, verdict: &Verdict, now: TimestampMs) -> After {
    match verdict {
        Verdict::Answer(answer) => settle(template, answer, now),
        Verdict::Found(found, refusal) => adopt(template, found.as_ref(), now).unwrap_or_else(|| {
            refuse(template, refusal);
            After::Keep
        }),
    }
}

/// Everything that somebody has still to look at.
fn open(directory: &Directory) -> Vec<Open> {
    let tenants = directory.tenants.values();
    let templates = tenants.flat_map(|tenant| tenant.templates.values().flat_map(|found| found.values()));
    let due = |template: &Template| match &template.review.task {
        Some(task) => Some(task.not_before),
        None => name_free_at(template),
    };
    templates.filter_map(|template| Some((template.tenant, template.id, due(template)?))).collect()
}

/// A number that may speak for the template's account.
pub(super) fn speaker<'a>(directory: &'a Directory, template: &Template) -> Option<(&'a Number, &'a WabaId)> {
    let wanted = template.review.account.as_ref();
    let numbers = directory.tenants.get(&template.tenant)?.numbers.values();
    let of_account = numbers.filter_map(|number| Some((number, number.waba_id.as_ref()?)));
    let mut able = of_account.filter(|(number, account)| {
        number.channel == Channel::Whatsapp && wanted.is_none_or(|wanted| wanted == *account)
    });
    able.next()
}
