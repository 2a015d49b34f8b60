use protocol::command::{Mode, Party, Vacancy};
use protocol::content::{Content, Media, MediaKind, MediaSource};
use protocol::entry::ProviderStatus;
use protocol::fact::{Answer, Fact, MessageStatus};
use protocol::id::{ConversationId, FlowId, MediaId, NumberId, ProviderId, UserId};
use protocol::outbound::Attempt;
use protocol::time::SpanMs;
use store::records::*;

use super::facts::{ACME, ANNA, Chat, NUMBER, OTHER, minute, owned_by, project, user};
use super::{Backend, fresh};

async fn ids(records: &impl Records, filter: Filter) -> Vec<ConversationId> {
    let found = records.conversations(ACME, filter, PageRequest::first(200)).await.unwrap();
    found.data.into_iter().map(|row| row.id).collect()
}

pub(super) async fn a_conversation_is_shown_as_its_facts_say<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chat = Chat::with(ACME, 1);
    let vacancy = Some(Vacancy { id: "vac-1".into(), title: "Magazziniere".into() });
    let flow = FlowId::new("TEST0001");
    let events = vec![
        chat.started(minute(0)),
        chat.named(minute(0), "Anna Rossi"),
        chat.received(minute(1), 1, "Buongiorno\nvorrei candidarmi"),
        chat.event(minute(2), Fact::FlowStarted { flow: flow.clone(), version: 3 }),
        chat.event(minute(2), Fact::FlowAsked { flow: flow.clone(), step: "name".into() }),
        chat.event(
            minute(2),
            Fact::FlowAnswered { flow: flow.clone(), step: "name".into(), answer: Answer::Skipped },
        ),
        chat.event(minute(2), Fact::FlowAsked { flow: flow.clone(), step: "licence".into() }),
        chat.event(minute(2), Fact::ModeChanged { mode: Mode::Direct, by: Party::Contact }),
        chat.event(minute(3), Fact::OwnerChanged { owner: owned_by(ANNA), by: Party::Gateway }),
        chat.event(minute(3), Fact::VacancyChanged { vacancy: vacancy.clone(), by: user(ANNA) }),
        chat.event(minute(3), Fact::PauseChanged { paused: true, by: user(ANNA) }),
    ];
    project(&records, events).await;
    let row = records.conversation(ACME, chat.id()).await.unwrap().unwrap();
    assert_eq!(row.contact.name(), Some("Anna Rossi"));
    assert_eq!(row.contact.phone, Some(chat.phone));
    assert_eq!((row.mode, row.unread, row.paused), (Mode::Direct, 1, true));
    assert_eq!((row.owner, row.vacancy), (owned_by(ANNA), vacancy));
    assert_eq!(row.flow, Some(FlowPlace { id: flow.clone(), version: 3, step: Some("licence".into()) }));
    assert_eq!(row.window_expires_at, Some(minute(1) + SpanMs::hours(24)));
    let last = row.last_message.unwrap();
    assert_eq!((last.text.as_str(), last.direction), ("Buongiorno vorrei candidarmi", Direction::Inbound));

    project(
        &records,
        vec![
            chat.event(minute(4), Fact::ConversationRead { by: user(ANNA) }),
            chat.event(minute(4), Fact::FlowAbandoned { flow }),
            chat.queued(minute(5), 2, user(ANNA), "Eccoci"),
        ],
    )
    .await;
    let row = records.conversation(ACME, chat.id()).await.unwrap().unwrap();
    assert_eq!((row.unread, row.flow, row.unanswered_since), (0, None, None));
    assert_eq!((row.last_outbound_by, row.last_reply_at), (Some(user(ANNA)), Some(minute(5))));
}

pub(super) async fn blocked_messages_are_kept_apart<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chat = Chat::with(ACME, 1);
    let text = |body: &str| Content::Text { body: body.into() };
    let events = vec![
        chat.started(minute(0)),
        chat.received(minute(1), 1, "ciao"),
        chat.event(minute(2), Fact::BlockChanged { blocked: true, by: user(ANNA) }),
        chat.received_as(minute(3), 2, text("again"), true),
    ];
    project(&records, events).await;
    let row = records.conversation(ACME, chat.id()).await.unwrap().unwrap();
    assert!(row.blocked);
    assert_eq!((row.unread, row.last_message.unwrap().text.as_str()), (1, "ciao"));
    assert!(records.message(ACME, chat.message(2)).await.unwrap().unwrap().blocked);
    assert_eq!(ids(&records, Filter::Not(Box::new(Filter::Blocked))).await, []);
}

pub(super) async fn d10_filters_combine<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chats: Vec<_> = (1..=4).map(|person| Chat::with(ACME, person)).collect();
    for (minutes, chat) in (1..).zip(&chats) {
        project(&records, vec![chat.started(minute(0)), chat.received(minute(minutes), 1, "ciao")]).await;
    }
    let owner = |chat: &Chat, owner| chat.event(minute(9), Fact::OwnerChanged { owner, by: Party::Gateway });
    let vacancy = Some(Vacancy { id: "v1".into(), title: String::new() });
    let events = vec![
        owner(&chats[0], owned_by(ANNA)),
        owner(&chats[1], owned_by(ANNA)),
        owner(&chats[2], owned_by(UserId(7))),
        chats[1].event(minute(9), Fact::ConversationRead { by: user(ANNA) }),
        chats[2].event(minute(9), Fact::VacancyChanged { vacancy, by: user(ANNA) }),
    ];
    project(&records, events).await;
    let mine = Filter::Owners(vec![protocol::command::Owner::User(ANNA)]);
    let [a, b, c, d] = [&chats[0], &chats[1], &chats[2], &chats[3]].map(Chat::id);
    assert_eq!(ids(&records, Filter::All(vec![])).await, [d, c, b, a], "newest first");
    assert_eq!(ids(&records, Filter::All(vec![mine.clone(), Filter::Unread])).await, [a]);
    assert_eq!(ids(&records, Filter::Any(vec![mine.clone(), Filter::Vacancy("v1".into())])).await, [c, b, a]);
    assert_eq!(ids(&records, Filter::Not(Box::new(mine))).await, [d, c], "also those without an owner");
    assert_eq!(ids(&records, Filter::Unowned).await, [d]);
    assert_eq!(ids(&records, Filter::WithoutVacancy).await, [d, b, a]);
    assert_eq!(ids(&records, Filter::LastMessageSince(minute(3))).await, [d, c]);
    assert_eq!(ids(&records, Filter::LastMessageBefore(minute(2))).await, [a]);
    assert_eq!(ids(&records, Filter::Numbers(vec![NUMBER])).await, [d, c, b, a]);
    assert_eq!(ids(&records, Filter::Numbers(vec![NumberId(99)])).await, []);
    assert_eq!(ids(&records, Filter::Mode(Mode::Direct)).await, []);
    let direct = Fact::ModeChanged { mode: Mode::Direct, by: user(ANNA) };
    project(&records, vec![chats[1].event(minute(9), direct)]).await;
    assert_eq!(ids(&records, Filter::Mode(Mode::Direct)).await, [b]);
    assert_eq!(ids(&records, Filter::Ids(vec![a, c])).await, [c, a]);
    assert_eq!(ids(&records, Filter::Any(vec![])).await, []);
    let unread = records.unread(ACME, Filter::All(vec![])).await.unwrap();
    assert_eq!(unread, Unread { conversations: 3, messages: 3 });
    let count = async |limit| records.count(ACME, Filter::All(vec![]), limit).await.unwrap();
    assert_eq!(count(4).await, Count { conversations: 4, unread: 3, more: false });
    assert_eq!(count(2).await, Count { conversations: 2, unread: 2, more: true });
}

pub(super) async fn d10_few_contacts_may_have_many_conversations<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    // On three numbers each: more conversations than keys that count as few, even twice as many.
    let (numbers, people) = (3, 2 * limits::FEW / 3 + 1);
    let chats = (0..people).flat_map(|person| {
        (1..=numbers).map(move |number| Chat { number: NumberId(number), ..Chat::with(ACME, person) })
    });
    let events = chats.flat_map(|chat| [chat.started(minute(0)), chat.named(minute(0), "Maria")]);
    project(&records, events.collect()).await;
    let named = records.count(ACME, Filter::Search("maria".into()), 10_000).await.unwrap();
    assert_eq!((named.conversations, named.more), (3 * people, false));
}

pub(super) async fn d10_a_page_that_is_hard_to_find_says_where_to_go_on<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    // The only one whose window is open is the oldest of very many.
    let many = limits::WALK_AND_ASK as u64;
    let chats: Vec<_> = (0..=many).map(|person| Chat::with(ACME, person)).collect();
    let mut events = vec![chats[0].started(minute(0)), chats[0].received(minute(0), 1, "ciao")];
    events.extend(chats[1..].iter().map(|chat| chat.started(minute(1))));
    project(&records, events).await;
    let not_hired = Filter::Not(Box::new(Filter::Stage("hired".into())));
    let filter = Filter::All(vec![not_hired, Filter::WindowOpen(minute(2))]);
    let first = records.conversations(ACME, filter.clone(), PageRequest::first(9)).await.unwrap();
    assert_eq!(first.data, []);
    let count = records.count(ACME, filter.clone(), 9).await.unwrap();
    assert_eq!(count, Count { conversations: 0, unread: 0, more: true });
    let rest = PageRequest { limit: 9, cursor: first.next };
    let rest = records.conversations(ACME, filter, rest).await.unwrap();
    assert_eq!(rest.data.iter().map(|row| row.id).collect::<Vec<_>>(), [chats[0].id()]);
    assert_eq!(rest.next, None);
}

pub(super) async fn d10_unanswered_until_somebody_replies<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chat = Chat::with(ACME, 1);
    project(&records, vec![chat.started(minute(0)), chat.received(minute(1), 1, "a")]).await;
    project(&records, vec![chat.received(minute(5), 2, "b")]).await;
    project(&records, vec![chat.queued(minute(6), 3, Party::Bot, "automatic")]).await;
    assert_eq!(ids(&records, Filter::Unanswered).await, [chat.id()], "the bot is not an answer");
    assert_eq!(ids(&records, Filter::UnansweredSince(minute(1))).await, [chat.id()]);
    assert_eq!(ids(&records, Filter::UnansweredSince(minute(0))).await, []);
    assert_eq!(ids(&records, Filter::AnsweredSince(minute(0))).await, []);
    project(&records, vec![chat.queued(minute(7), 4, user(ANNA), "here")]).await;
    assert_eq!(ids(&records, Filter::Unanswered).await, []);
    assert_eq!(ids(&records, Filter::AnsweredSince(minute(7))).await, [chat.id()]);
    assert_eq!(ids(&records, Filter::SentSince(minute(8))).await, []);
    assert_eq!(ids(&records, Filter::RepliedBy(user(ANNA))).await, [chat.id()]);
    assert_eq!(ids(&records, Filter::RepliedBy(user(UserId(7)))).await, []);
}

pub(super) async fn pages_have_no_gaps_or_repetitions<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    for person in 0..23 {
        let chat = Chat::with(ACME, person);
        // Several share a time: the id decides among them.
        let at = minute(person as i64 / 5);
        project(&records, vec![chat.started(at), chat.received(at, 1, "ciao")]).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = records
            .conversations(ACME, Filter::All(vec![]), PageRequest { limit: 5, cursor: cursor.take() })
            .await
            .unwrap();
        seen.extend(page.data.into_iter().map(|row| row.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids(&records, Filter::All(vec![])).await);
    assert_eq!(seen.len(), 23);
    let strange = PageRequest { limit: 5, cursor: Some(Cursor("x".into())) };
    let answer = records.conversations(ACME, Filter::All(vec![]), strange).await;
    assert!(matches!(answer, Err(RecordsError::PageCursor)));
}

pub(super) async fn messages_are_listed_either_way<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chat = Chat::with(ACME, 1);
    let cv = Content::Media(Media {
        kind: MediaKind::Document,
        source: MediaSource::Provider(MediaId::new("m1")),
        mime_type: Some("application/pdf".into()),
        sha256: None,
        filename: Some("cv.pdf".into()),
        caption: None,
        voice: false,
    });
    let mut events = vec![chat.started(minute(0))];
    for n in 1..=5 {
        // Other things happen between messages.
        let read = chat.event(minute(n), Fact::ConversationRead { by: user(ANNA) });
        events.extend([chat.received(minute(n), n as u128, "ciao"), read]);
    }
    events.push(chat.received_as(minute(6), 6, cv.clone(), false));
    project(&records, events).await;
    let list = async |order, attachments_only, limit, cursor| {
        let page = PageRequest { limit, cursor };
        let query = MessageQuery { tenant: ACME, conversation: chat.id(), attachments_only, order, page };
        let page = records.messages(query).await.unwrap();
        (page.data.iter().map(|row| row.id.0 - chat.message(0).0).collect::<Vec<_>>(), page.next)
    };
    let (first, next) = list(Order::NewestFirst, false, 4, None).await;
    assert_eq!(first, [6, 5, 4, 3]);
    assert_eq!(list(Order::NewestFirst, false, 4, next).await, (vec![2, 1], None));
    let (first, next) = list(Order::OldestFirst, false, 2, None).await;
    assert_eq!(first, [1, 2]);
    assert_eq!(list(Order::OldestFirst, false, 4, next).await, (vec![3, 4, 5, 6], None));
    assert_eq!(list(Order::NewestFirst, true, 9, None).await.0, [6]);
    assert_eq!(records.message(ACME, chat.message(6)).await.unwrap().unwrap().content, cv);
}

pub(super) async fn p3_statuses_never_move_backwards<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chat = Chat::with(ACME, 1);
    let queue = |n| chat.queued(minute(0), n, user(ANNA), "ciao");
    project(
        &records,
        vec![chat.started(minute(0)), queue(1), chat.status(minute(3), 1, MessageStatus::Read)],
    )
    .await;
    project(&records, vec![chat.status(minute(2), 1, MessageStatus::Delivered), queue(2)]).await;
    let attempt = Attempt { at: minute(1), code: Some(130_472), detail: "experiment".into() };
    let message = chat.message(2);
    let failed = Fact::AttemptFailed { message, attempt: attempt.clone(), retry_at: None };
    project(&records, vec![chat.event(minute(1), failed)]).await;
    project(&records, vec![chat.status(minute(2), 2, MessageStatus::Failed)]).await;
    project(
        &records,
        vec![
            chat.status(minute(5), 2, MessageStatus::Sent),
            chat.status(minute(6), 2, MessageStatus::Delivered),
        ],
    )
    .await;
    let first = records.message(ACME, chat.message(1)).await.unwrap().unwrap();
    assert_eq!((first.status, first.status_at), (Some(MessageStatus::Read), Some(minute(3))));
    let second = records.message(ACME, message).await.unwrap().unwrap();
    assert_eq!((second.status, second.attempts), (Some(MessageStatus::Delivered), vec![attempt]));
    assert_eq!(second.provider_id, Some(ProviderId::new("wamid.out2")));
}

pub(super) async fn unmatched_statuses_find_their_message<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chat = Chat::with(ACME, 1);
    let events = [
        chat.started(minute(0)),
        chat.queued(minute(0), 1, user(ANNA), "a"),
        chat.queued(minute(0), 2, user(ANNA), "b"),
    ];
    project(&records, events.to_vec()).await;
    project(&records, vec![chat.status(minute(1), 1, MessageStatus::Sent)]).await;
    let unmatched = |provider: &str, message| Fact::StatusUnmatched {
        provider_id: ProviderId::new(provider),
        message,
        status: ProviderStatus::Delivered,
        at: minute(9),
        pricing: None,
        errors: Vec::new(),
    };
    let by_provider = chat.event(minute(9), unmatched("wamid.out1", None));
    let by_message = chat.event(minute(9), unmatched("wamid.late", Some(chat.message(2))));
    project(&records, vec![by_provider, by_message]).await;
    for n in [1, 2] {
        let row = records.message(ACME, chat.message(n)).await.unwrap().unwrap();
        assert_eq!(row.status, Some(MessageStatus::Delivered), "message {n}");
    }
    let named = records.message(ACME, chat.message(2)).await.unwrap().unwrap();
    assert_eq!(named.provider_id, Some(ProviderId::new("wamid.late")));
}

pub(super) async fn tenants_do_not_see_each_other<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let chat = Chat::with(ACME, 1);
    project(
        &records,
        vec![chat.started(minute(0)), chat.named(minute(0), "Anna"), chat.received(minute(0), 1, "x")],
    )
    .await;
    let contact = chat.key().contact_id(ACME);
    assert!(records.conversation(OTHER, chat.id()).await.unwrap().is_none());
    assert!(records.message(OTHER, chat.message(1)).await.unwrap().is_none());
    assert!(records.contact(OTHER, contact).await.unwrap().is_none());
    assert!(records.contact_by_phone(OTHER, chat.phone).await.unwrap().is_none());
    let page = PageRequest::first(9);
    assert_eq!(records.conversations(OTHER, Filter::All(vec![]), page.clone()).await.unwrap().data, []);
    assert_eq!(records.contacts(OTHER, Some("anna".into()), page.clone()).await.unwrap().data, []);
    let query = MessageQuery {
        tenant: OTHER,
        conversation: chat.id(),
        attachments_only: false,
        order: Order::NewestFirst,
        page,
    };
    assert_eq!(records.messages(query).await.unwrap().data, []);
}

pub(super) async fn filters_are_bounded<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let many = Filter::Any(vec![Filter::Unread; limits::MAX_FILTER_CONDITIONS]);
    let wide = Filter::Ids((0..=limits::MAX_FILTER_VALUES as u128).map(ConversationId).collect());
    for filter in [many, wide] {
        let answer = records.conversations(ACME, filter, PageRequest::first(1)).await;
        assert!(matches!(answer, Err(RecordsError::Invalid { field: "filter", .. })));
    }
}

pub(super) async fn windows_are_filtered_by_time<B: Backend>() {
    let (_backend, records) = fresh::<B>().await;
    let (open, silent) = (Chat::with(ACME, 1), Chat::with(ACME, 2));
    project(
        &records,
        vec![open.started(minute(0)), silent.started(minute(0)), open.received(minute(0), 1, "x")],
    )
    .await;
    let end = minute(24 * 60);
    let just_before = end - SpanMs(1);
    let closes = |now, until| Filter::WindowCloses { now, until };
    assert_eq!(ids(&records, Filter::WindowOpen(just_before)).await, [open.id()]);
    assert_eq!(ids(&records, Filter::WindowOpen(end)).await, []);
    assert_eq!(ids(&records, Filter::WindowClosed(just_before)).await, [silent.id()]);
    assert_eq!(ids(&records, Filter::WindowClosed(end)).await.len(), 2);
    assert_eq!(ids(&records, closes(just_before, end)).await, [open.id()]);
    assert_eq!(ids(&records, closes(minute(0), just_before)).await, []);
}
