use protocol::command::{Consent, ConsentRecord, ConsentSource, Mode, Party, Refusal};
use protocol::content::Channel;
use protocol::fact::Fact;
use serde_json::json;
use store::records::*;

use super::facts::{ACME, ANNA, Chat, OTHER, minute, project, user};
use super::{Backend, fresh};

pub(super) async fn e5_decisions_are_audited_and_filtered<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chat = Chat::with(ACME, 1);
    let record = ConsentRecord {
        consent: Consent::OptedOut,
        source: ConsentSource::Keyword,
        text: Some("STOP".into()),
        by: Party::Contact,
        at: minute(2),
    };
    let refused = Fact::CommandRefused { by: user(ANNA), action: "send".into(), refusal: Refusal::Blocked };
    let events = vec![
        chat.started(minute(0)),
        chat.event(minute(1), Fact::ModeChanged { mode: Mode::Direct, by: user(ANNA) }),
        chat.event(minute(2), Fact::ConsentChanged { channel: Channel::Whatsapp, record }),
        chat.event(minute(3), refused),
    ];
    project(&records, events).await;
    let write = DocumentWrite {
        kind: DocumentKind::Template,
        tenant: Some(ACME),
        id: "tpl_1".into(),
        expect: Expect::Any,
        body: Some(json!({ "secret": "hidden" })),
    };
    records.write_documents(Change { by: user(ANNA), at: minute(4) }, vec![write]).await.unwrap();

    let actions = async |tenant, query| {
        let page = records.audit(tenant, query, PageRequest::first(50)).await.unwrap();
        page.data.iter().map(|line| line.action.to_string()).collect::<Vec<_>>()
    };
    let all = AuditQuery::default();
    let expected =
        ["template.put", "command.refused", "contact.consent_changed", "conversation.mode_changed"];
    assert_eq!(actions(ACME, all.clone()).await, expected);
    assert_eq!(actions(OTHER, all.clone()).await, [""; 0]);
    let by_contact = AuditQuery { by: Some(Party::Contact), ..all.clone() };
    assert_eq!(actions(ACME, by_contact).await, expected[2..3]);
    let of_chat = AuditQuery { conversation: Some(chat.id()), to: Some(minute(3)), ..all.clone() };
    assert_eq!(actions(ACME, of_chat).await, expected[2..]);
    let templates = AuditQuery { action: Some("template.".into()), ..all.clone() };
    let lines = records.audit(ACME, templates, PageRequest::first(50)).await.unwrap().data;
    assert_eq!(lines[0].subject.as_deref(), Some("template/tpl_1"));
    assert!(!lines[0].detail.to_string().contains("hidden"), "bodies stay out of the audit");

    let first = records.audit(ACME, all.clone(), PageRequest::first(3)).await.unwrap();
    let rest = records.audit(ACME, all.clone(), PageRequest { limit: 3, cursor: first.next }).await.unwrap();
    assert_eq!((first.data.len(), rest.data.len()), (3, 1));
    records.rebuild().await.unwrap();
    assert_eq!(actions(ACME, all).await, expected, "configuration changes survive a rebuild");
}
