use std::collections::BTreeSet;

use protocol::fact::NotificationKind;
use protocol::id::{ConversationId, NotificationId, UserId};
use store::records::*;

use super::facts::{ACME, ANNA, OTHER, minute};
use super::{Backend, fresh};

fn note(seq: u64, user: UserId, conversation: u128) -> NotificationRecord {
    NotificationRecord {
        seq: EventSeq(seq),
        id: NotificationId(u128::from(seq) + user.0),
        tenant: ACME,
        user,
        about: NotificationKind::NewMessage,
        conversation: Some(ConversationId(conversation)),
        message: None,
        at: minute(seq as i64),
        read_at: None,
    }
}

async fn tell(records: &impl Records, (from, to): (u64, u64), notifications: Vec<NotificationRecord>) {
    let advance = Advance { consumer: "notifier", from: EventSeq(from), to: EventSeq(to) };
    let mailboxes = BTreeSet::new();
    records.notify_commit(NotifyCommit { advance, notifications, mailboxes }).await.unwrap();
}

pub(super) async fn d12_counts_and_resume<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let ivo = UserId(101);
    tell(&records, (0, 9), vec![note(1, ANNA, 5), note(3, ANNA, 5), note(3, ivo, 5), note(7, ANNA, 6)]).await;
    tell(&records, (9, 10), vec![note(3, ANNA, 5)]).await;
    let counts = records.unread_counts(ACME, ANNA).await.unwrap();
    assert_eq!(counts.total, 3);
    assert_eq!(counts.conversations, [(ConversationId(5), 2), (ConversationId(6), 1)]);
    assert_eq!(records.unread_counts(OTHER, ANNA).await.unwrap(), UnreadCounts::default());
    let resumed = records.notifications_after(ACME, ANNA, EventSeq(1), 50).await.unwrap();
    assert_eq!(resumed, [note(3, ANNA, 5), note(7, ANNA, 6)]);
    let newest = records.notifications_before(ACME, ANNA, None, 2).await.unwrap();
    assert_eq!(newest, [note(7, ANNA, 6), note(3, ANNA, 5)]);
    let older = records.notifications_before(ACME, ANNA, Some(EventSeq(3)), 2).await.unwrap();
    assert_eq!(older, [note(1, ANNA, 5)]);
}

pub(super) async fn marks_are_kept<B: Backend>() {
    let backend = B::new().await;
    let records = backend.open().await;
    tell(&records, (0, 9), (1..=4).map(|seq| note(seq, ANNA, u128::from(seq % 2))).collect()).await;
    let marked = records.mark_read(ACME, ANNA, ReadThrough::Conversation(ConversationId(1)), minute(9)).await;
    assert_eq!(marked.unwrap(), 2);
    let marked = records.mark_read(ACME, ANNA, ReadThrough::Seq(EventSeq(2)), minute(9)).await;
    assert_eq!(marked.unwrap(), 1, "what is read stays as it is");
    records.close().await.unwrap();
    let records = backend.open().await;
    assert_eq!(records.unread_counts(ACME, ANNA).await.unwrap().total, 1);
    let all = records.notifications_after(ACME, ANNA, EventSeq(0), 9).await.unwrap();
    assert_eq!(all[0].read_at, Some(minute(9)));
}

pub(super) async fn old_ones_are_forgotten<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let many = limits::MAX_NOTIFICATIONS_PER_USER as u64 + 5;
    let mut notes: Vec<_> = (1..=many).map(|seq| note(seq, ANNA, 5)).collect();
    notes.push(note(1, UserId(101), 5));
    tell(&records, (0, many), notes).await;
    records.forget(minute(0)).await.unwrap();
    let first = records.notifications_after(ACME, ANNA, EventSeq(0), 1).await.unwrap();
    assert_eq!(first[0].seq, EventSeq(6));
    assert_eq!(records.unread_counts(ACME, UserId(101)).await.unwrap().total, 1);
}
