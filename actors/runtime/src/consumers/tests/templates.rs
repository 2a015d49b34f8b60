//! Templates: what the provider says reaches the document, what people change reaches the provider.

use std::collections::{BTreeMap, VecDeque};

use async_trait::async_trait;
use domain::template::{Deletion, delete, edit, submit};
use parking_lot::Mutex;
use protocol::content::{Category, ProviderError};
use protocol::directory::{RecordType, Review, Template, TemplateKind, TemplateStatus};
use protocol::entry::{AccountNotice, Notice};
use protocol::id::WabaId;
use protocol::whatsapp::template::{Listed, Listing, TemplateAnswer, TemplateCall};

use super::*;
use crate::consumers::follow::Follower;
use crate::consumers::templates::notices::Templates;
use crate::consumers::templates::sync::{self, SyncNote};
use crate::consumers::templates::tasks::Tasks;

const WABA: &str = "102290129340398";

/// A provider that answers as it is told.
#[derive(Default)]
pub(super) struct Scripted {
    pub(super) calls: Mutex<Vec<TemplateCall>>,
    pub(super) answers: Mutex<VecDeque<TemplateAnswer>>,
    pub(super) pages: Mutex<Vec<Listing>>,
    pub(super) lists: Mutex<usize>,
}

#[async_trait]
impl TemplateProvider for Scripted {
    async fn call(&self, _: &Number, account: &WabaId, call: TemplateCall) -> TemplateAnswer {
        assert_eq!(account.as_str(), WABA);
        self.calls.lock().push(call);
        self.answers.lock().pop_front().unwrap()
    }

    async fn list(
        &self,
        _: &Number,
        _: &WabaId,
        _: Option<&str>,
        after: Option<&str>,
    ) -> Result<Listing, ProviderError> {
        *self.lists.lock() += 1;
        let page: usize = after.map_or(0, |after| after.parse().unwrap());
        Ok(self.pages.lock().get(page).cloned().unwrap_or_default())
    }
}

fn template() -> Template {
    Template {
        id: Template::id_of(ACME, "invite", "it"),
        tenant: ACME,
        name: "invite".into(),
        kind: TemplateKind::Approved,
        language: "it".into(),
        category: Category::Utility,
        record_type: RecordType::Candidate,
        body: "Ciao.".into(),
        status: TemplateStatus::Pending,
        reason: None,
        quality: None,
        provider_id: None,
        examples: Vec::new(),
        merge: BTreeMap::new(),
        review: Review::default(),
    }
}

fn new() -> Template {
    let mut new = template();
    submit(&mut new, WabaId::new(WABA));
    new
}

fn created(status: TemplateStatus) -> TemplateAnswer {
    TemplateAnswer::Created { id: "42".into(), status, category: None }
}

fn listed(name: &str, status: TemplateStatus) -> Listed {
    Listed {
        id: "42".into(),
        name: name.into(),
        language: "it".into(),
        status: Some(status),
        category: Some(Category::Utility),
        quality: Some("GREEN".into()),
        reason: None,
        body: "Ciao.".into(),
        is_plain: true,
    }
}

fn refused(code: i64) -> TemplateAnswer {
    TemplateAnswer::Refused(ProviderError { code, title: "no".into(), detail: None })
}

impl World {
    /// Writes the template and lets every node see it.
    async fn keep(&self, template: &Template) {
        let write = DocumentWrite {
            kind: DocumentKind::Template,
            tenant: Some(ACME),
            id: template.id.to_string().into(),
            expect: Expect::Any,
            body: Some(serde_json::to_value(template).unwrap()),
        };
        let change = store::records::Change { by: protocol::command::Party::Gateway, at: NOON };
        self.records.write_documents(change, vec![write]).await.unwrap();
        self.see(template);
    }

    async fn clock_now(&self) -> TimestampMs {
        self.engine.now().await.unwrap()
    }

    fn see(&self, template: &Template) {
        let known = DirectoryDocuments { templates: vec![template.clone()], ..documents(Vec::new()) };
        self.shared.options.directory.store(Arc::new(Directory::build(known)));
    }

    async fn kept(&self) -> Option<Template> {
        let id = template().id.to_string().into();
        let found = self.records.document(DocumentKind::Template, Some(ACME), id).await.unwrap();
        found.map(|document| serde_json::from_value(document.body).unwrap())
    }

    /// Lets the provider answer, and what follows from it.
    async fn told(&self, template: &Template, answers: Vec<TemplateAnswer>) -> Option<Template> {
        self.keep(template).await;
        self.templates.answers.lock().extend(answers);
        Tasks::new(self.shared.clone()).step().await.unwrap();
        assert!(self.templates.answers.lock().is_empty(), "every answer was asked for");
        self.kept().await
    }
}

fn notice(waba: &str, notice: Notice) -> Fact {
    let (tenant, number, at) = (Some(ACME), None, None);
    Fact::Account(AccountNotice { tenant, waba: WabaId::new(waba), number, at, notice })
}

#[tokio::test]
async fn d13_the_providers_word_on_a_template_is_kept_in_its_document() {
    let mut world = World::new().await;
    world.keep(&template()).await;
    // This node has not heard of the template yet.
    world.shared.options.directory.store(Arc::new(Directory::build(documents(Vec::new()))));
    let status = |event: &str| Notice::TemplateStatus {
        template_id: "42".into(),
        name: "invite".into(),
        language: "it".into(),
        event: event.into(),
        reason: None,
    };
    let quality = |name: &str, score: &str| Notice::TemplateQuality {
        name: name.into(),
        language: "it".into(),
        score: score.into(),
    };
    let told = [
        notice(WABA, status("APPROVED")),
        notice(WABA, quality("other", "RED")),
        notice(WABA, quality("invite", "GREEN")),
        notice("another", status("REJECTED")),
    ];
    world.commit(CHAT, told.to_vec()).await;
    world.project().await;
    let templates = || Follower::new(world.shared.clone(), Templates::new(world.shared.clone()));
    assert_eq!(templates().await.unwrap().step().await.unwrap(), 4);
    let kept = world.kept().await.unwrap();
    assert_eq!((kept.status, kept.quality.as_deref()), (TemplateStatus::Approved, Some("GREEN")));
    assert_eq!(templates().await.unwrap().step().await.unwrap(), 0, "the cursor is kept");
}

#[tokio::test]
async fn d13_a_new_template_is_submitted_once() {
    let world = World::new().await;
    let kept = world.told(&new(), vec![created(TemplateStatus::Pending)]).await.unwrap();
    assert_eq!((kept.provider_id.as_deref(), kept.review.task.as_ref()), (Some("42"), None));
    // The directory is behind: the document tells that nothing is left to do.
    assert_eq!(Tasks::new(world.shared.clone()).step().await.unwrap(), 1);
    assert!(matches!(world.templates.calls.lock().as_slice(), [TemplateCall::Create(_)]));
}

#[tokio::test]
async fn d13_a_submission_whose_answer_was_lost_is_recognised() {
    let world = World::new().await;
    let lost = TemplateAnswer::NoAnswer { detail: "no answer in time".into() };
    let waiting = world.told(&new(), vec![lost]).await.unwrap();
    assert_eq!(waiting.review.task.as_ref().unwrap().error.as_deref(), Some("no answer in time"));
    world.see(&waiting);
    assert_eq!(Tasks::new(world.shared.clone()).step().await.unwrap(), 0, "not before its time");
    world.clock.advance(SpanMs::seconds(2));
    let templates = vec![listed("invite", TemplateStatus::Approved)];
    world.templates.pages.lock().push(Listing { templates, after: None });
    let kept = world.told(&waiting, vec![refused(2_388_024)]).await.unwrap();
    assert_eq!((kept.status, kept.provider_id.as_deref()), (TemplateStatus::Approved, Some("42")));
}

#[tokio::test]
async fn d13_a_refused_submission_is_told_to_everybody() {
    let world = World::new().await;
    let kept = world.told(&new(), vec![refused(2_388_299)]).await.unwrap();
    assert_eq!((kept.status, kept.reason.as_deref()), (TemplateStatus::Rejected, Some("2388299: no")));
    let logged = world.engine.read(ShardId(0), world.lease.position, 10).await.unwrap();
    assert_eq!(logged.len(), 1, "downstream services hear of it in the order of the provider's notices");
}

#[tokio::test]
async fn d13_edits_and_deletions_reach_the_provider() {
    let world = World::new().await;
    let approved = Template {
        status: TemplateStatus::Approved,
        provider_id: Some("42".into()),
        review: Review { account: Some(WabaId::new(WABA)), ..Review::default() },
        ..template()
    };
    let edited = edit(&approved, Template { body: "Salve.".into(), ..approved.clone() }, NOON).unwrap();
    let kept = world.told(&edited, vec![TemplateAnswer::Done]).await.unwrap();
    assert_eq!((kept.body.as_str(), kept.review.edited_at.len()), ("Salve.", 1));
    let Deletion::AfterTask(deleted) = delete(&kept, NOON).unwrap() else { panic!() };
    let gone = world.told(&deleted, vec![TemplateAnswer::Done]).await;
    assert_eq!(gone, None, "one in review does not block its name");
}

#[tokio::test]
async fn e4_once_a_night_two_pages_are_compared_and_a_restart_costs_no_call() {
    let world = World::new().await;
    let known = Template {
        provider_id: Some("42".into()),
        review: Review { account: Some(WabaId::new(WABA)), ..Review::default() },
        ..template()
    };
    world.keep(&known).await;
    let lists = || *world.templates.lists.lock();
    for _ in 0..3 {
        assert_eq!(sync::step(&world.shared).await.unwrap(), 0);
    }
    assert_eq!(lists(), 0, "a new account waits for its first night");
    let pages = [("invite", Some("1")), ("other", None)].map(|(name, after)| Listing {
        templates: vec![listed(name, TemplateStatus::Approved)],
        after: after.map(str::to_owned),
    });
    *world.templates.pages.lock() = pages.to_vec();
    world.clock.advance(SpanMs::hours(24));
    assert_eq!(sync::step(&world.shared).await.unwrap(), 1);
    for _ in 0..3 {
        assert_eq!(sync::step(&world.shared).await.unwrap(), 0, "the note is in the records");
    }
    assert_eq!(lists(), 2, "one call for each page");
    let kept = world.kept().await.unwrap();
    assert_eq!((kept.status, kept.quality.as_deref()), (TemplateStatus::Approved, Some("GREEN")));
    let all = world.records.documents(DocumentKind::Template, Some(ACME)).await.unwrap();
    assert_eq!(all.len(), 2, "one made elsewhere is added");
    *world.templates.pages.lock() = vec![Listing::default()];
    let change = store::records::Change { by: protocol::command::Party::Gateway, at: NOON };
    let asked = SyncNote { at: world.clock_now().await, requested: true, ..SyncNote::default() };
    asked.keep(&*world.records, &WabaId::new(WABA), change).await.unwrap();
    assert_eq!(sync::step(&world.shared).await.unwrap(), 1);
    assert_eq!(world.kept().await.unwrap().status, TemplateStatus::Deleted, "the provider has it no more");
}
