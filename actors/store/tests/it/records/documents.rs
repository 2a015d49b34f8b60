use futures_util::future::join_all;
use protocol::command::Party;
use protocol::directory::{Contract, Tenant, TenantSettings, User};
use protocol::id::{TenantId, UserId};
use serde_json::{Value, json};
use store::records::*;

use super::facts::{ACME, OTHER, minute};
use super::{Backend, fresh};

const CHANGE: Change = Change { by: Party::Gateway, at: minute_zero() };

const fn minute_zero() -> protocol::time::TimestampMs {
    protocol::time::TimestampMs(1_790_000_000_000)
}

fn put(id: &str, expect: Expect, body: Value) -> DocumentWrite {
    let (kind, tenant) = (DocumentKind::Template, Some(ACME));
    DocumentWrite { kind, tenant, id: id.into(), expect, body: Some(body) }
}

async fn bodies(records: &impl Records, tenant: TenantId) -> Vec<(String, Value)> {
    let found = records.documents(DocumentKind::Template, Some(tenant)).await.unwrap();
    found.into_iter().map(|document| (document.id.to_string(), document.body)).collect()
}

pub(super) async fn writes_all_or_none<B: Backend>() {
    let backend = B::new().await;
    let records = backend.open().await;
    let both = vec![put("b", Expect::Any, json!(1)), put("a", Expect::Absent, json!(2))];
    assert_eq!(records.write_documents(CHANGE, both).await.unwrap().len(), 2);
    let second_fails = vec![put("c", Expect::Any, json!(3)), put("a", Expect::Absent, json!(4))];
    let answer = records.write_documents(CHANGE, second_fails).await;
    assert!(matches!(answer, Err(RecordsError::Conflict { kind: "template", .. })));
    let expected = [("a".to_owned(), json!(2)), ("b".to_owned(), json!(1))];
    assert_eq!(bodies(&records, ACME).await, expected);
    assert_eq!(bodies(&records, OTHER).await, []);
    records.close().await.unwrap();
    assert_eq!(bodies(&backend.open().await, ACME).await, expected);
}

pub(super) async fn equal_bodies_change_nothing<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let write = || vec![put("a", Expect::Any, json!({ "x": 1, "y": [2] }))];
    let first = records.write_documents(CHANGE, write()).await.unwrap();
    let revision = records.revision().await.unwrap();
    let later = Change { at: minute(60), ..CHANGE };
    assert_eq!(records.write_documents(later, write()).await.unwrap(), first);
    assert_eq!(records.revision().await.unwrap(), revision);
    let audit = records.audit(ACME, AuditQuery::default(), PageRequest::first(9)).await.unwrap();
    assert_eq!(audit.data.len(), 1);
    let mut view = put("v", Expect::Any, json!({}));
    view.kind = DocumentKind::View;
    records.write_documents(CHANGE, vec![view]).await.unwrap();
    assert_eq!(records.revision().await.unwrap(), revision, "views are not in the directory");
}

pub(super) async fn versions_guard_writes<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let write = async |expect, body| {
        let written = records.write_documents(CHANGE, vec![put("a", expect, body)]).await?;
        RecordsResult::Ok(written[0].version)
    };
    let missing = write(Expect::Version(1), json!(0)).await;
    assert!(matches!(missing, Err(RecordsError::Conflict { .. })));
    let first = write(Expect::Absent, json!(1)).await.unwrap();
    let second = write(Expect::Version(first), json!(2)).await.unwrap();
    assert!(second > first);
    assert!(matches!(write(Expect::Version(first), json!(3)).await, Err(RecordsError::Conflict { .. })));
    let delete = DocumentWrite { body: None, ..put("a", Expect::Version(second), json!(0)) };
    assert_eq!(records.write_documents(CHANGE, vec![delete]).await.unwrap(), []);
    let found = records.document(DocumentKind::Template, Some(ACME), "a".into()).await.unwrap();
    assert_eq!(found, None);
    let again = write(Expect::Absent, json!(1)).await.unwrap();
    assert!(again > second, "a version is never used twice");
}

pub(super) async fn d13_no_two_find_room_for_one<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let ids: Vec<_> = (0..6).map(|n| n.to_string()).collect();
    let add = |id: &String| {
        add_if(&records, CHANGE, put(id, Expect::Any, json!(1)), |all| {
            if all.len() < 3 { Ok(()) } else { Err(all.len()) }
        })
    };
    let answers = join_all(ids.iter().map(add)).await;
    let (added, refused): (Vec<_>, Vec<_>) = answers.into_iter().map(Result::unwrap).partition(Result::is_ok);
    assert_eq!((added.len(), refused), (3, vec![Err(3); 3]));
    let all = records.documents(DocumentKind::Template, Some(ACME)).await.unwrap();
    let again = add_if(&records, CHANGE, put(&all[0].id, Expect::Any, json!(2)), |_| Ok::<_, ()>(())).await;
    assert!(matches!(again, Err(RecordsError::Conflict { .. })));
}

pub(super) async fn directory_is_loaded<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let tenant = Tenant {
        id: ACME,
        name: "acme".into(),
        language: "it".into(),
        time_zone: "Europe/Rome".into(),
        contract: Contract::Conversation,
        credits: None,
        settings: TenantSettings::default(),
    };
    let user = |id, tenant| User {
        id: UserId(id),
        tenant,
        name: "Anna".into(),
        email: "anna@acme.example".into(),
        role: "recruiter".into(),
    };
    let document = |kind, tenant, id: &str, body: Value| DocumentWrite {
        kind,
        tenant: Some(tenant),
        id: id.into(),
        expect: Expect::Any,
        body: Some(body),
    };
    let writes = vec![
        document(DocumentKind::User, ACME, "u1", serde_json::to_value(user(1, ACME)).unwrap()),
        document(DocumentKind::User, OTHER, "u2", serde_json::to_value(user(2, OTHER)).unwrap()),
        document(DocumentKind::Tenant, ACME, "acme", serde_json::to_value(&tenant).unwrap()),
    ];
    records.write_documents(CHANGE, writes).await.unwrap();
    let (revision, directory) = records.load_directory().await.unwrap();
    assert_eq!(revision, records.revision().await.unwrap());
    assert_eq!(directory.tenants.len(), 1, "users of unknown tenants are left out");
    assert_eq!(directory.tenants[&ACME].tenant, tenant);
    assert_eq!(directory.tenants[&ACME].users[&UserId(1)], user(1, ACME));
    let broken = document(DocumentKind::User, ACME, "u1", json!({ "id": 7 }));
    records.write_documents(CHANGE, vec![broken]).await.unwrap();
    assert!(matches!(records.load_directory().await, Err(RecordsError::Damaged { what: "user", .. })));
}
