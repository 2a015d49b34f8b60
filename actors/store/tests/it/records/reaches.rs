use std::collections::BTreeSet;

use domain::notice::Way;
use protocol::fact::NotificationKind::{self, NewMessage, SendFailed};
use protocol::id::{ConversationId, NotificationId, UserId};
use store::records::*;

use super::facts::{ACME, ANNA, OTHER, minute};
use super::{Backend, fresh};

const IVO: UserId = UserId(101);

fn note(seq: u64, user: UserId, about: NotificationKind, conversation: Option<u128>) -> NotificationRecord {
    NotificationRecord {
        seq: EventSeq(seq),
        id: NotificationId(u128::from(seq) + user.0),
        tenant: ACME,
        user,
        about,
        conversation: conversation.map(ConversationId),
        message: None,
        at: minute(seq as i64),
        read_at: None,
    }
}

/// Anna wants to be written to, Ivo does not.
async fn tell(records: &impl Records, (from, to): (u64, u64), notifications: Vec<NotificationRecord>) {
    let advance = Advance { consumer: "notifier", from: EventSeq(from), to: EventSeq(to) };
    let mailboxes = BTreeSet::from([ANNA]);
    records.notify_commit(NotifyCommit { advance, notifications, mailboxes }).await.unwrap();
}

async fn due(records: &impl Records, minutes: i64) -> Vec<Reach> {
    records.reaches_due(Way::Mail, minute(minutes), 9).await.unwrap()
}

fn device(name: &str) -> Device {
    let endpoint = format!("https://push.example/{name}");
    Device { endpoint, p256dh: "key".to_owned(), auth: "auth".to_owned() }
}

pub(super) async fn d12_who_is_away_is_told_what_they_have_not_read<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let many = [Some(5), Some(6), None].into_iter().zip(1..);
    let mut notes: Vec<_> = many.map(|(chat, seq)| note(seq, ANNA, NewMessage, chat)).collect();
    notes.extend([note(4, ANNA, SendFailed, Some(5)), note(4, IVO, NewMessage, Some(5))]);
    tell(&records, (0, 9), notes).await;
    let [reach] = &due(&records, 1).await[..] else { panic!("one mailbox") };
    assert_eq!((reach.user, &reach.device, reach.told), (ANNA, &None, EventSeq(0)));
    records.mark_present(vec![ANNA], minute(3)).await.unwrap();
    let untold = records.untold(reach).await.unwrap().unwrap();
    assert_eq!(
        untold,
        Untold {
            counts: vec![(NewMessage, 3), (SendFailed, 1)],
            conversations: 2,
            oldest: minute(1),
            newest: EventSeq(4),
            present_until: Some(minute(3)),
        }
    );
    records.settle_reach(reach.id, Settled::Later(minute(20))).await.unwrap();
    tell(&records, (9, 10), vec![note(10, ANNA, NewMessage, Some(5))]).await;
    assert_eq!(due(&records, 19).await, [], "it is known when to look");
    records.wake_reaches(ANNA, minute(18)).await.unwrap();
    assert_eq!(due(&records, 18).await.len(), 1);
    let failed = Settled::Failed { at: minute(21), error: "no answer".to_owned() };
    records.settle_reach(reach.id, failed).await.unwrap();
    assert_eq!(due(&records, 21).await[0].last_error.as_deref(), Some("no answer"));
    records.settle_reach(reach.id, Settled::Told(EventSeq(4))).await.unwrap();
    let [reach] = &due(&records, 21).await[..] else { panic!("one came meanwhile") };
    assert_eq!((reach.told, reach.attempts, &reach.last_error), (EventSeq(4), 0, &None));
    records.mark_read(ACME, ANNA, ReadThrough::Seq(EventSeq(10)), minute(22)).await.unwrap();
    assert_eq!(records.untold(reach).await.unwrap(), None);
    records.settle_reach(reach.id, Settled::Nothing).await.unwrap();
    assert_eq!(due(&records, 99).await, []);
    tell(&records, (10, 30), vec![note(30, ANNA, NewMessage, Some(5))]).await;
    assert_eq!(due(&records, 30).await.len(), 1);
    let given_up = Settled::GivenUp { through: EventSeq(30), error: "no such mailbox".to_owned() };
    records.settle_reach(reach.id, given_up).await.unwrap();
    assert_eq!(due(&records, 99).await, []);
}

pub(super) async fn d12_two_nodes_do_not_tell_at_once<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    tell(&records, (0, 9), vec![note(1, ANNA, NewMessage, Some(5))]).await;
    let reach = due(&records, 1).await.remove(0);
    assert!(records.claim_reach(&reach, minute(9)).await.unwrap());
    assert!(!records.claim_reach(&reach, minute(9)).await.unwrap());
    assert_eq!(due(&records, 8).await, []);
    tell(&records, (9, 10), vec![note(3, ANNA, NewMessage, Some(5))]).await;
    assert_eq!(due(&records, 8).await, [], "whoever has it sees what came");
    let again = due(&records, 9).await.remove(0);
    assert_eq!(again.attempts, 1, "whoever had it is gone");
    assert!(records.claim_reach(&again, minute(19)).await.unwrap());
}

pub(super) async fn d12_browsers_are_bounded_and_belong_to_one_user<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    for count in 0..=limits::MAX_DEVICES_PER_USER {
        let at = minute(count as i64);
        records.add_device(ACME, ANNA, device(&count.to_string()), at).await.unwrap();
    }
    let devices = records.devices(ACME, ANNA).await.unwrap();
    assert_eq!(devices.len(), limits::MAX_DEVICES_PER_USER);
    assert_eq!(devices[0].device, Some(device("1")), "the oldest one is gone");
    assert_eq!(records.devices(OTHER, ANNA).await.unwrap(), []);
    tell(&records, (0, 9), vec![note(1, ANNA, NewMessage, Some(5))]).await;
    let pushes = records.reaches_due(Way::Push, minute(1), 99).await.unwrap();
    assert_eq!((pushes.len(), due(&records, 1).await.len()), (limits::MAX_DEVICES_PER_USER, 1));
    let id = records.add_device(ACME, IVO, device("1"), minute(50)).await.unwrap();
    assert_eq!(id, devices[0].id, "somebody else signs in there");
    assert_eq!(records.devices(ACME, IVO).await.unwrap().len(), 1);
    assert!(!records.remove_device(ACME, ANNA, id).await.unwrap());
    assert!(records.remove_device(ACME, IVO, id).await.unwrap());
    records.forget_reach(devices[1].id).await.unwrap();
    assert_eq!(records.devices(ACME, ANNA).await.unwrap().len(), limits::MAX_DEVICES_PER_USER - 2);
    records.forget_user(ANNA).await.unwrap();
    assert_eq!(due(&records, 99).await, []);
}
