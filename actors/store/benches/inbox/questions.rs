//! What people ask an inbox for: common things, rare things, things that were common long ago, and several at once.

use protocol::command::{Mode, Owner, Party};
use protocol::content::Channel;
use protocol::id::{NumberId, UserId};
use protocol::time::{SpanMs, TimestampMs};
use store::records::Filter;

use crate::people::{FIRST, LAST, USERS};

/// The questions of one turn, by name. As the gateway asks: without blocked contacts.
pub(crate) fn all(now: TimestampMs, turn: u64) -> Vec<(&'static str, Filter)> {
    let unblocked = |(name, filter)| (name, Filter::All(vec![filter, not(Filter::Blocked)]));
    let all = times(now).into_iter().chain(subjects(turn)).chain(searches(turn)).chain(several(now, turn));
    all.map(unblocked).collect()
}

/// Views that come with the gateway, for the user of a turn.
pub(crate) fn views(now: TimestampMs, turn: u64) -> Vec<(&'static str, Filter)> {
    vec![
        ("view: unanswered", Filter::All(vec![Filter::Unanswered, mine(turn), not(Filter::Blocked)])),
        ("view: sent today", Filter::All(vec![Filter::SentSince(days(now, 1)), not(Filter::Blocked)])),
        ("view: all unanswered", Filter::All(vec![Filter::Unanswered, not(Filter::Blocked)])),
    ]
}

fn not(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

fn days(now: TimestampMs, days: i64) -> TimestampMs {
    now - SpanMs::hours(24 * days)
}

fn user(turn: u64) -> UserId {
    UserId(u128::from(turn % USERS))
}

fn mine(turn: u64) -> Filter {
    Filter::Owners(vec![Owner::User(user(turn)), Owner::Role("recruiter".into())])
}

fn vacancy(id: impl std::fmt::Display) -> Filter {
    Filter::Vacancy(id.to_string().into())
}

fn search(text: impl Into<String>) -> Filter {
    Filter::Search(text.into())
}

fn times(now: TimestampMs) -> Vec<(&'static str, Filter)> {
    let before = |span| days(now, span);
    vec![
        ("everything", Filter::All(Vec::new())),
        ("unanswered for 3 days", Filter::UnansweredSince(before(3))),
        ("unanswered for 3 months", Filter::UnansweredSince(before(90))),
        ("answered within a day", Filter::AnsweredSince(before(1))),
        ("last message within a week", Filter::LastMessageSince(before(7))),
        ("last message before last month", Filter::LastMessageBefore(before(30))),
        ("window open", Filter::WindowOpen(now)),
        ("window closed", Filter::WindowClosed(now)),
        ("window closes within 2 hours", Filter::WindowCloses { now, until: now + SpanMs::hours(2) }),
        ("not sent today", not(Filter::SentSince(before(1)))),
    ]
}

fn subjects(turn: u64) -> Vec<(&'static str, Filter)> {
    vec![
        ("mine", mine(turn)),
        ("owned by nobody", Filter::Unowned),
        ("owner without chats", Filter::Owners(vec![Owner::User(UserId(98))])),
        ("replied by a user", Filter::RepliedBy(Party::User(user(turn)))),
        ("replied by a rare user", Filter::RepliedBy(Party::User(UserId(99)))),
        ("replied by nobody", Filter::RepliedBy(Party::User(UserId(98)))),
        ("common vacancy", vacancy(format_args!("vac-{}", turn % 7))),
        ("rare vacancy", vacancy("rare")),
        ("filled vacancy", vacancy("old")),
        ("without vacancy", Filter::WithoutVacancy),
        ("common stage", Filter::Stage("screening".into())),
        ("rare stage", Filter::Stage("hired".into())),
        ("channel", Filter::Channel(Channel::Whatsapp)),
        ("channel that nobody uses", Filter::Channel(Channel::Sms)),
        ("bot", Filter::Mode(Mode::Bot)),
        ("direct", Filter::Mode(Mode::Direct)),
        ("common number", Filter::Numbers(vec![NumberId(1)])),
        ("rare number", Filter::Numbers(vec![NumberId(2)])),
        ("left", Filter::Left),
        ("in an application", Filter::InFlow),
        ("unread", Filter::Unread),
        ("read", not(Filter::Unread)),
        ("unanswered", Filter::Unanswered),
        ("answered", not(Filter::Unanswered)),
    ]
}

fn searches(turn: u64) -> Vec<(&'static str, Filter)> {
    let named = |(name, text)| (name, search(text));
    names(turn).into_iter().map(named).collect()
}

/// What people type to find somebody.
pub(crate) fn names(turn: u64) -> Vec<(&'static str, String)> {
    let (last, first) = (LAST[turn as usize % 8], FIRST[turn as usize % 5]);
    vec![
        ("search: surname", last.to_owned()),
        ("search: surname and name", format!("{last} {first}")),
        ("search: beginnings", if turn.is_multiple_of(2) { "ива фё" } else { "ФЕД Ив" }.to_owned()),
        ("search: two letters", "an".to_owned()),
        ("search: one person", format!("{last} {}", turn * 31)),
        ("search: phone", format!("3930000{:04}", turn * 7)),
        ("search: without country code", format!("0000{:04}", turn * 7)),
        ("search: nobody", "zzyzx rossi".to_owned()),
    ]
}

fn several(now: TimestampMs, turn: u64) -> Vec<(&'static str, Filter)> {
    let stage = || Filter::Stage("screening".into());
    let last = LAST[turn as usize % 8];
    vec![
        ("mine and unanswered", Filter::All(vec![mine(turn), Filter::Unanswered])),
        ("mine, this vacancy, this stage", Filter::All(vec![mine(turn), vacancy("vac-3"), stage()])),
        ("filled vacancy and unread", Filter::All(vec![vacancy("old"), Filter::Unread])),
        ("filled vacancy, window open", Filter::All(vec![vacancy("old"), Filter::WindowOpen(now)])),
        (
            "two that exclude each other",
            Filter::All(vec![Filter::Unanswered, Filter::AnsweredSince(days(now, 90))]),
        ),
        ("search and mine", Filter::All(vec![search(last), mine(turn)])),
        ("search and this vacancy", Filter::All(vec![search(last), vacancy("vac-3")])),
        ("search and this stage", Filter::All(vec![search(last), stage()])),
        ("mine or unread", Filter::Any(vec![mine(turn), Filter::Unread])),
        ("this vacancy or a rare stage", Filter::Any(vec![vacancy("vac-3"), Filter::Stage("hired".into())])),
        ("rare stage or left", Filter::Any(vec![Filter::Stage("hired".into()), Filter::Left])),
        (
            "replied by me, unanswered for a week, or left",
            Filter::Any(vec![
                Filter::All(vec![
                    Filter::RepliedBy(Party::User(user(turn))),
                    Filter::UnansweredSince(days(now, 7)),
                ]),
                Filter::Left,
            ]),
        ),
    ]
}
