//! Conditions as callers say them, as filters that the records understand: `me`, spans and `today` become users and
//! times.

use std::sync::Arc;

use domain::directory::TenantDirectory;
use jiff::Span as Calendar;
use protocol::command::{Owner, Party};
use protocol::condition::{Condition, MeOrUser, Span, WindowState};
use protocol::id::{GroupId, UserId};
use protocol::limits::CONDITION_CHARS;
use protocol::text::is_line;
use protocol::time::{SpanMs, TimestampMs};
use store::records::Filter;

use crate::api::auth::Caller;
use crate::api::problem::{ApiError, ApiResult};
use crate::state::AppState;

/// Conditions of one question: the records allow 50, and those of a view are joined by what a list is asked for.
const MAX_CONDITIONS: usize = 30;

/// Who asks, and when.
pub(super) struct Asking<'a> {
    caller: &'a Caller,
    tenant: Option<Arc<TenantDirectory>>,
    now: TimestampMs,
}

impl<'a> Asking<'a> {
    pub(super) fn new(state: &AppState, caller: &'a Caller, now: TimestampMs) -> Self {
        let tenant = state.directory.load().tenants.get(&caller.tenant).cloned();
        Self { caller, tenant, now }
    }

    /// What the records are asked for. Blocked contacts are kept apart unless a condition asks for them.
    pub(super) fn filter(&self, conditions: &[Condition]) -> ApiResult<Filter> {
        let mut all: Vec<_> = conditions.iter().map(|one| self.one(one)).collect::<ApiResult<_>>()?;
        let mut parts = conditions.iter().flat_map(Condition::parts);
        if !parts.any(|part| matches!(part, Condition::Blocked(_))) {
            all.push(unless(false, Filter::Blocked));
        }
        Ok(Filter::All(all))
    }

    fn one(&self, condition: &Condition) -> ApiResult<Filter> {
        let each = |parts: &[Condition]| parts.iter().map(|part| self.one(part)).collect::<ApiResult<_>>();
        Ok(match condition {
            Condition::All(parts) => Filter::All(each(parts)?),
            Condition::Any(parts) => Filter::Any(each(parts)?),
            Condition::Not(part) => unless(false, self.one(part)?),
            Condition::Q(text) => Filter::Search(text.clone()),
            Condition::NumberId(number) => Filter::Numbers(vec![*number]),
            Condition::ContactId(contact) => Filter::Contact(*contact),
            Condition::Channel(channel) => Filter::Channel(*channel),
            Condition::Mode(mode) => Filter::Mode(*mode),
            Condition::Owner(text) => self.owner(text)?,
            Condition::RepliedBy(text) => self.replied_by(text)?,
            Condition::Vacancy(text) if text == "none" => Filter::WithoutVacancy,
            Condition::Vacancy(id) => Filter::Vacancy(id.into()),
            Condition::Stage(stage) => Filter::Stage(stage.into()),
            Condition::Unread(yes) => unless(*yes, Filter::Unread),
            Condition::Unanswered(yes) => unless(*yes, Filter::Unanswered),
            Condition::InFlow(yes) => unless(*yes, Filter::InFlow),
            Condition::Blocked(yes) => unless(*yes, Filter::Blocked),
            Condition::Left(yes) => unless(*yes, Filter::Left),
            Condition::Paused(yes) => unless(*yes, Filter::Paused),
            timed => self.timed(timed),
        })
    }

    /// Conditions that the time of the question decides.
    fn timed(&self, condition: &Condition) -> Filter {
        let now = self.now;
        match condition {
            Condition::UnansweredFor(span) => Filter::UnansweredSince(self.before(*span)),
            Condition::AnsweredWithin(span) => Filter::AnsweredSince(self.before(*span)),
            Condition::LastMessageWithin(span) => Filter::LastMessageSince(self.before(*span)),
            Condition::Since(at) => Filter::LastMessageSince(*at),
            Condition::Before(at) => Filter::LastMessageBefore(*at),
            Condition::SentToday(yes) => unless(*yes, Filter::SentSince(self.midnight())),
            Condition::Window(WindowState::Open) => Filter::WindowOpen(now),
            Condition::Window(WindowState::Closed) => Filter::WindowClosed(now),
            Condition::WindowClosesWithin(span) => {
                Filter::WindowCloses { now, until: now + (now - self.before(*span)) }
            }
            // All others were taken before.
            _ => Filter::All(Vec::new()),
        }
    }

    fn owner(&self, text: &str) -> ApiResult<Filter> {
        Ok(match text {
            "none" => Filter::Unowned,
            "me" => Filter::Owners(self.mine()?),
            text => Filter::Owners(vec![owner(text)]),
        })
    }

    fn replied_by(&self, text: &str) -> ApiResult<Filter> {
        let user = match text {
            "me" => self.caller.require_user()?,
            text => text.parse::<UserId>().map_err(|_| ApiError::malformed("?replied_by", ME_OR_USER))?,
        };
        Ok(Filter::RepliedBy(Party::User(user)))
    }

    /// Everything that the caller's person owns: directly, by groups and by role.
    fn mine(&self) -> ApiResult<Vec<Owner>> {
        let user = self.caller.require_user()?;
        let mut owners = vec![Owner::User(user)];
        if let Some(tenant) = &self.tenant {
            let groups = tenant.groups.values().filter(|group| group.members.contains(&user));
            owners.extend(groups.map(|group| Owner::Group(group.id)));
            owners.extend(tenant.users.get(&user).map(|user| Owner::Role(user.role.to_string())));
        }
        Ok(owners)
    }

    fn before(&self, span: Span) -> TimestampMs {
        let hours = |hours: u16, each: i64| self.now - SpanMs::hours(i64::from(hours) * each);
        match span {
            Span::Minutes(minutes) => self.now - SpanMs::minutes(i64::from(minutes)),
            Span::Hours(count) => hours(count, 1),
            Span::Days(count) => hours(count, 24),
            Span::Weeks(count) => hours(count, 24 * 7),
            Span::Months(count) => self.months_before(count),
        }
    }

    /// The same day and hour some months ago, in the tenant's time zone; before all of them where there is none.
    fn months_before(&self, months: u16) -> TimestampMs {
        let local = self.now.to_jiff().in_tz(self.zone());
        local
            .and_then(|local| local.checked_sub(Calendar::new().try_months(months)?))
            .map_or(TimestampMs(0), |then| TimestampMs(then.timestamp().as_millisecond()))
    }

    /// Midnight in the tenant's time zone.
    fn midnight(&self) -> TimestampMs {
        let local = self.now.to_jiff().in_tz(self.zone());
        local.and_then(|local| local.start_of_day()).map_or(self.now - SpanMs::hours(24), |midnight| {
            TimestampMs(midnight.timestamp().as_millisecond())
        })
    }

    fn zone(&self) -> &str {
        self.tenant.as_ref().map_or("UTC", |tenant| tenant.tenant.time_zone.as_str())
    }
}

/// What `replied_by` has to be.
const ME_OR_USER: &str = "must be `me` or a user id";

/// What no schema allows of conditions: the name of one, and why.
pub(super) fn malformed(condition: &Condition) -> Option<(&'static str, String)> {
    let of = |part: &Condition| {
        let (name, text) = match part {
            Condition::Q(text) => ("q", text),
            Condition::Owner(text) => ("owner", text),
            Condition::Vacancy(text) => ("vacancy", text),
            Condition::Stage(text) => ("stage", text),
            Condition::RepliedBy(text) => {
                return (!MeOrUser::is(text)).then(|| ("replied_by", ME_OR_USER.to_owned()));
            }
            _ => return None,
        };
        let detail = || format!("must have 1 to {CONDITION_CHARS} characters on one line");
        (!is_line(text, CONDITION_CHARS)).then(|| (name, detail()))
    };
    condition.parts().into_iter().find_map(of)
}

/// Refuses, at a place, more conditions than the records can be asked for.
pub(super) fn few(place: &str, condition: &Condition) -> ApiResult<()> {
    if condition.parts().len() <= MAX_CONDITIONS {
        return Ok(());
    }
    Err(ApiError::field(place, format!("may have {MAX_CONDITIONS} conditions, nested ones too")))
}

fn unless(yes: bool, filter: Filter) -> Filter {
    if yes { filter } else { Filter::Not(Box::new(filter)) }
}

fn owner(text: &str) -> Owner {
    if let Ok(user) = text.parse::<UserId>() {
        Owner::User(user)
    } else if let Ok(group) = text.parse::<GroupId>() {
        Owner::Group(group)
    } else {
        Owner::Role(text.to_owned())
    }
}
