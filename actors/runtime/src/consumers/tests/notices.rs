use protocol::content::Category;
use protocol::directory::{RecordType, Template, TemplateKind, TemplateStatus};
use protocol::entry::{AccountNotice, Notice};
use protocol::id::{TemplateId, WabaId};
use store::records::Notifications as _;

use super::*;
use crate::consumers::follow::Follower;
use crate::consumers::notifier::Notifier;
use crate::consumers::templates::Templates;

async fn notified(owner: Option<Owner>) -> Vec<UserId> {
    let mut world = World::new().await;
    world.commit(CHAT, vec![started(), notify(owner)]).await;
    world.project().await;
    let notifier = Notifier { shared: world.shared.clone() };
    Follower::new(world.shared.clone(), notifier).await.unwrap().step().await.unwrap();
    let mut told = Vec::new();
    for (tenant, user) in [(ACME, anna()), (ACME, ivo()), (OTHER, stranger()), (ACME, stranger())] {
        let found = world.records.notifications_after(tenant, user, EventSeq(0), 10).await.unwrap();
        told.extend(found.iter().map(|record| record.user));
        let total = world.records.unread_counts(tenant, user).await.unwrap().total;
        assert_eq!(total, found.len() as u64);
    }
    told
}

#[tokio::test]
async fn d12_the_users_behind_an_owner_are_told_and_only_the_tenants_own() {
    assert_eq!(notified(Some(Owner::User(anna()))).await, [anna()]);
    assert_eq!(notified(Some(Owner::Role("admin".into()))).await, [ivo()]);
    assert_eq!(
        notified(Some(Owner::Group(GroupId(1)))).await,
        [anna(), ivo()],
        "not the stranger in the group"
    );
    assert_eq!(notified(None).await, [anna(), ivo()], "unassigned concerns everybody");
    assert_eq!(notified(Some(Owner::User(stranger()))).await, [anna(), ivo()], "nobody is left: everybody");
}

#[tokio::test]
async fn d12_streams_hear_what_is_stored_and_a_slow_one_learns_that_it_missed_some() {
    let mut world = World::new().await;
    let mut annas = NotificationStream::new(world.shared.told.subscribe(), ACME, anna());
    let mut ivos = NotificationStream::new(world.shared.told.subscribe(), ACME, ivo());
    let slow = NotificationStream::new(world.shared.told.subscribe(), ACME, ivo());
    world
        .commit(CHAT, vec![started(), notify(Some(Owner::User(anna()))), notify(Some(Owner::User(ivo())))])
        .await;
    world.project().await;
    let notifier = Notifier { shared: world.shared.clone() };
    Follower::new(world.shared.clone(), notifier).await.unwrap().step().await.unwrap();
    let Some(Told::New(first)) = annas.next().await else { panic!("nothing") };
    assert_eq!((first.user, first.conversation), (anna(), CHAT));
    let Some(Told::New(second)) = ivos.next().await else { panic!("nothing") };
    assert!(second.user == ivo() && second.seq > first.seq);
    for _ in 0..NOTIFICATIONS_IN_FLIGHT {
        world.shared.told.send(Told::New(first.clone())).unwrap();
    }
    let mut slow = slow;
    assert_eq!(slow.next().await, Some(Told::Missed));
}

fn template() -> Template {
    Template {
        id: TemplateId(1),
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
    }
}

#[tokio::test]
async fn d13_the_providers_word_on_a_template_is_kept_in_its_document() {
    let mut world = World::new().await;
    let write = DocumentWrite {
        kind: DocumentKind::Template,
        tenant: Some(ACME),
        id: TemplateId(1).to_string().into(),
        expect: Expect::Absent,
        body: Some(serde_json::to_value(template()).unwrap()),
    };
    let change = store::records::Change { by: protocol::command::Party::Gateway, at: NOON };
    world.records.write_documents(change, vec![write]).await.unwrap();
    let mut known = documents(Vec::new());
    known.templates = vec![template()];
    world.shared.options.directory.store(Arc::new(Directory::build(known)));
    let notice = |notice| {
        let (tenant, number, at) = (Some(ACME), None, None);
        Fact::Account(AccountNotice { tenant, waba: WabaId::new("1"), number, at, notice })
    };
    let (name, language): (compact_str::CompactString, compact_str::CompactString) =
        ("invite".into(), "it".into());
    let approved = Notice::TemplateStatus {
        template_id: "42".into(),
        name: name.clone(),
        language: language.clone(),
        event: "APPROVED".into(),
        reason: None,
    };
    let unknown =
        Notice::TemplateQuality { name: "other".into(), language: language.clone(), score: "RED".into() };
    let quality = Notice::TemplateQuality { name, language, score: "GREEN".into() };
    world.commit(CHAT, vec![notice(approved), notice(unknown), notice(quality)]).await;
    world.project().await;
    let templates = || Follower::new(world.shared.clone(), Templates { shared: world.shared.clone() });
    assert_eq!(templates().await.unwrap().step().await.unwrap(), 3);
    let stored =
        world.records.document(DocumentKind::Template, Some(ACME), TemplateId(1).to_string().into()).await;
    let stored: Template = serde_json::from_value(stored.unwrap().unwrap().body).unwrap();
    assert_eq!((stored.status, stored.quality.as_deref()), (TemplateStatus::Approved, Some("GREEN")));
    assert_eq!(templates().await.unwrap().step().await.unwrap(), 0, "the cursor is kept");
}
