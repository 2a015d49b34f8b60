//! Files of messages: stored once, fetched later, gone with the contact.

use protocol::api::file::Scan;
use protocol::command::Party;
use protocol::content::{Category, Channel, Content, Media, MediaKind, MediaSource};
use protocol::fact::{Event, Fact};
use protocol::id::{FileId, MediaId, NumberId};
use store::records::*;

use super::facts::{ACME, ANNA, Chat, NUMBER, OTHER, minute, project, user};
use super::{Backend, fresh};

fn file(id: u128, blob: &str) -> FileRecord {
    FileRecord {
        id: FileId(id),
        tenant: ACME,
        sha256: [7; 32],
        mime: "application/pdf".into(),
        kind: Some(MediaKind::Document),
        bytes: 12,
        blob: blob.into(),
        created_at: minute(1),
        scan: Scan::Unchecked,
    }
}

fn content(source: MediaSource) -> Content {
    Content::Media(Media {
        kind: MediaKind::Document,
        source,
        mime_type: None,
        sha256: None,
        filename: Some("cv.pdf".into()),
        caption: None,
        voice: false,
    })
}

fn sends(chat: &Chat, n: u128) -> Event {
    let media = MediaId::new(format!("media.{n}"));
    chat.received_as(minute(n as i64), n, content(MediaSource::Provider(media)), false)
}

fn is_sent(chat: &Chat, n: u128, file: FileId) -> Event {
    let fact = Fact::MessageQueued {
        message: chat.message(n),
        by: user(ANNA),
        content: content(MediaSource::File(file)),
        category: Category::Service,
        reply_to: None,
    };
    chat.event(minute(n as i64), fact)
}

fn erased(chat: &Chat) -> Event {
    let contact_id = chat.key().contact_id(ACME);
    let fact =
        Fact::ContactErased { channel: Channel::Whatsapp, contact_id, consent: None, by: Party::Gateway };
    chat.event(minute(50), fact)
}

async fn spare(records: &impl Records, minutes: i64) -> Vec<String> {
    let found = records.spare_blobs(minute(minutes), 9).await.unwrap();
    found.into_iter().map(|name| name.to_string()).collect()
}

/// Stores a file under a name, as a node does.
async fn store(records: &impl Records, file: FileRecord) -> FileRecord {
    records.reserve_blob(file.blob.clone(), minute(60)).await.unwrap();
    records.add_file(file).await.unwrap()
}

async fn attachment(records: &impl Records, chat: &Chat, n: u128) -> Attachment {
    records.message(ACME, chat.message(n)).await.unwrap().unwrap().attachment.unwrap()
}

pub(super) async fn d15_the_same_content_is_one_file<B: Backend>() {
    let (backend, records) = fresh::<B>().await;
    let first = store(&records, file(1, "a/1")).await;
    assert_eq!(store(&records, file(1, "a/2")).await, first, "the one that was first");
    records.reserve_blob("a/3".into(), minute(60)).await.unwrap();
    assert_eq!(spare(&records, 1).await, ["a/2"]);
    assert_eq!(spare(&records, 60).await, ["a/2", "a/3"]);
    records.forget_blobs(vec!["a/2".into(), "a/3".into()]).await.unwrap();
    drop(records);
    let records = backend.open().await;
    assert_eq!(spare(&records, 99).await, Vec::<String>::new());
    assert_eq!(records.file(ACME, first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(records.file(OTHER, first.id).await.unwrap(), None);
}

pub(super) async fn d15_uploads_are_kept_per_number<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let upload = |media: &str, at| Some(Upload { media: MediaId::new(media), at: minute(at) });
    for (number, wanted) in [(1, upload("m1", 1)), (2, upload("m2", 1)), (1, upload("m3", 2)), (2, None)] {
        records.set_upload(FileId(1), NumberId(number), wanted.clone()).await.unwrap();
        assert_eq!(records.upload(FileId(1), NumberId(number)).await.unwrap(), wanted);
    }
    assert_eq!(records.upload(FileId(1), NumberId(1)).await.unwrap(), upload("m3", 2));
}

pub(super) async fn d15_files_of_contacts_are_fetched_later<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chat = Chat::with(ACME, 1);
    project(&records, vec![chat.started(minute(0)), sends(&chat, 1), sends(&chat, 2), sends(&chat, 3)]).await;
    let due = records.fetches_due(minute(2), 9).await.unwrap();
    let asked: Vec<_> = due.iter().map(|task| (task.message, task.media.to_string(), task.at)).collect();
    let wanted =
        [(1, "media.1"), (2, "media.2")].map(|(n, media)| (chat.message(n), media.into(), minute(n as i64)));
    assert_eq!(asked, wanted);
    assert!(due.iter().all(|task| (task.tenant, task.number, task.attempts) == (ACME, NUMBER, 0)));

    let with = async |tenant, media| records.message_with(tenant, MediaId::new(media)).await.unwrap();
    assert_eq!(with(ACME, "media.2").await, Some(chat.message(2)));
    assert_eq!((with(OTHER, "media.2").await, with(ACME, "media.9").await), (None, None));
    let end = Fetched::Again { at: minute(9), error: "HTTP 500".into() };
    records.finish_fetch(chat.message(1), end).await.unwrap();
    records.finish_fetch(chat.message(2), Fetched::Lost { error: "too large".into() }).await.unwrap();
    records.reserve_blob("a/3".into(), minute(60)).await.unwrap();
    records.finish_fetch(chat.message(3), Fetched::Stored(file(3, "a/3"))).await.unwrap();
    let shown = async |n| {
        let found = attachment(&records, &chat, n).await;
        (found.file.map(|file| file.id), found.next_at, found.error)
    };
    assert_eq!(shown(1).await, (None, Some(minute(9)), Some("HTTP 500".into())));
    assert_eq!(shown(2).await, (None, None, Some("too large".into())));
    assert_eq!(shown(3).await, (Some(FileId(3)), None, None));
    assert_eq!(records.fetches_due(minute(9), 9).await.unwrap()[0].attempts, 1);
    // Another node fetched the same: its content is not needed.
    records.reserve_blob("a/4".into(), minute(60)).await.unwrap();
    records.finish_fetch(chat.message(3), Fetched::Stored(file(3, "a/4"))).await.unwrap();
    assert_eq!((spare(&records, 1).await, shown(3).await.0), (vec!["a/4".to_owned()], Some(FileId(3))));

    records.rebuild().await.unwrap();
    assert_eq!(shown(3).await.0, Some(FileId(3)), "what was fetched is not fetched again");
    assert_eq!(records.fetches_due(minute(9), 9).await.unwrap().len(), 1);
}

pub(super) async fn p10_a_number_with_many_files_leaves_room_for_others<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let busy = Chat::with(ACME, 1);
    let other = Chat { number: NumberId(11), ..busy };
    let many = [busy.started(minute(0))].into_iter().chain((1..=9).map(|n| sends(&busy, n)));
    project(&records, many.collect()).await;
    project(&records, vec![other.started(minute(9)), sends(&other, 10)]).await;
    let due = records.fetches_due(minute(20), 3).await.unwrap();
    let asked: Vec<_> = due.iter().map(|task| task.message).collect();
    assert_eq!(asked, [busy.message(1), busy.message(2), other.message(10)]);
}

pub(super) async fn d15_files_are_listed_by_conversation_and_contact<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chat = Chat::with(ACME, 1);
    let second = Chat { number: NumberId(11), ..chat };
    store(&records, file(5, "a/5")).await;
    project(&records, vec![chat.started(minute(0)), sends(&chat, 1), chat.received(minute(2), 2, "ciao")])
        .await;
    project(&records, vec![second.started(minute(3)), is_sent(&second, 4, FileId(5))]).await;
    assert_eq!(attachment(&records, &second, 4).await.file, Some(file(5, "a/5")));
    store(&records, file(6, "a/6")).await;
    let removed = async |tenant, id| records.remove_file(tenant, FileId(id)).await.unwrap();
    assert_eq!((removed(ACME, 5).await, removed(OTHER, 6).await), (Removal::InUse, Removal::Unknown));
    assert_eq!((removed(ACME, 6).await, removed(ACME, 6).await), (Removal::Removed, Removal::Unknown));
    assert_eq!(spare(&records, 1).await, ["a/6"]);
    let contact = chat.key().contact_id(ACME);
    let list = async |tenant, limit, cursor| {
        let page = records.attachments(tenant, contact, PageRequest { limit, cursor }).await.unwrap();
        (page.data.iter().map(|row| row.id).collect::<Vec<_>>(), page.next)
    };
    let (first, next) = list(ACME, 1, None).await;
    assert_eq!(first, [second.message(4)]);
    assert_eq!(list(ACME, 1, next).await, (vec![chat.message(1)], None));
    assert_eq!(list(OTHER, 9, None).await, (vec![], None));
}

pub(super) async fn d15_files_are_scanned_until_somebody_decides<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let waiting = FileRecord { scan: Scan::Waiting, ..file(1, "a/1") };
    store(&records, waiting).await;
    store(&records, file(2, "a/2")).await;
    assert_eq!(records.scans_due(minute(0), 9).await.unwrap(), []);
    let due = async |minutes| {
        let due = records.scans_due(minute(minutes), 9).await.unwrap();
        due.into_iter().map(|task| (task.file.id.0, task.attempts)).collect::<Vec<_>>()
    };
    assert_eq!(due(1).await, [(1, 0)]);
    records.finish_scan(FileId(1), Scanned::Again(minute(5))).await.unwrap();
    assert_eq!((due(4).await, due(5).await), (vec![], vec![(1, 1)]));
    records.finish_scan(FileId(1), Scanned::Decided(Scan::Infected)).await.unwrap();
    assert_eq!(due(9).await, []);
    assert_eq!(records.file(ACME, FileId(1)).await.unwrap().unwrap().scan, Scan::Infected);
}

pub(super) async fn d14_d15_files_go_with_the_contact_unless_others_have_them<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let (chat, other) = (Chat::with(ACME, 1), Chat::with(ACME, 2));
    store(&records, file(5, "a/5")).await;
    let life = |chat: &Chat| vec![chat.started(minute(0)), sends(chat, 1), is_sent(chat, 2, FileId(5))];
    project(&records, life(&chat)).await;
    project(&records, life(&other)).await;
    records.reserve_blob("a/1".into(), minute(60)).await.unwrap();
    records.finish_fetch(chat.message(1), Fetched::Stored(file(1, "a/1"))).await.unwrap();
    let contact = chat.key().contact_id(ACME);
    let left = async || {
        let traces = records.traces(ACME, contact, vec![chat.id()], minute(51)).await.unwrap();
        traces.into_iter().find(|trace| trace.place == "files").map_or(0, |trace| trace.count)
    };
    assert_eq!(left().await, 2);

    project(&records, vec![erased(&chat)]).await;
    assert_eq!(records.file(ACME, FileId(1)).await.unwrap(), None);
    assert!(records.file(ACME, FileId(5)).await.unwrap().is_some(), "the other contact has it, too");
    assert_eq!((spare(&records, 1).await, left().await), (vec!["a/1".to_owned()], 1));
    records.forget_blobs(vec!["a/1".into()]).await.unwrap();
    assert_eq!(left().await, 0);
    // What was being fetched meanwhile finds nobody.
    records.reserve_blob("a/9".into(), minute(60)).await.unwrap();
    records.finish_fetch(chat.message(1), Fetched::Stored(file(9, "a/9"))).await.unwrap();
    assert_eq!(records.file(ACME, FileId(9)).await.unwrap(), None);
    assert_eq!(spare(&records, 1).await, ["a/9"]);

    project(&records, vec![erased(&other)]).await;
    assert_eq!(records.file(ACME, FileId(5)).await.unwrap(), None);
}
