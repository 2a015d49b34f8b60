//! `GET /v1/conversations`: the inbox with its filters.

use actix_web::{get, web};
use protocol::api::Page;
use protocol::api::conversation::ConversationView;
use protocol::api::problem::Problem;
use protocol::command::{Mode, Owner, Party};
use protocol::content::Channel;
use protocol::id::{ContactId, GroupId, NumberId, UserId};
use protocol::time::{SpanMs, TimestampMs};
use serde::Deserialize;
use store::records::Filter;
use utoipa::IntoParams;

use crate::api::auth::{Caller, Scope};
use crate::api::command::now;
use crate::api::page::{Paging, page};
use crate::api::problem::{ApiError, ApiResult};
use crate::api::query::Query;
use crate::api::views;
use crate::state::AppState;

/// Filters of the inbox. All that are given must hold.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// Entries at most, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Words of the contact's name by prefix in any order, or digits of the phone number.
    q: Option<String>,
    /// On this number.
    number_id: Option<NumberId>,
    /// With this contact.
    contact_id: Option<ContactId>,
    /// On this channel.
    channel: Option<Channel>,
    /// `bot` or `direct`.
    mode: Option<Mode>,
    /// `me`, `none`, a user id, a group id, or a role.
    owner: Option<String>,
    /// About this vacancy, or `none`.
    vacancy: Option<String>,
    /// With a contact at this stage.
    stage: Option<String>,
    /// With (`true`) or without unread messages.
    unread: Option<bool>,
    /// With (`true`) or without a message that waits for an answer.
    unanswered: Option<bool>,
    /// Unanswered for at least this many hours.
    #[param(maximum = 65_535)]
    unanswered_for_hours: Option<u16>,
    /// Answered within this many hours.
    #[param(maximum = 65_535)]
    answered_within_hours: Option<u16>,
    /// `me` or a user id: somebody who wrote in it.
    replied_by: Option<String>,
    /// `open` or `closed`.
    #[param(inline)]
    window: Option<WindowFilter>,
    /// The window closes within this many minutes.
    #[param(maximum = 65_535)]
    window_closes_within_minutes: Option<u16>,
    /// Newest message at or after this time.
    since: Option<TimestampMs>,
    /// Newest message before this time.
    before: Option<TimestampMs>,
    /// Conversations with blocked contacts; left out unless asked for.
    blocked: Option<bool>,
    /// A built-in view: `unanswered`, `sent_today` (in the tenant's zone) or `all_unanswered`.
    view: Option<String>,
}

/// State of the window.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WindowFilter {
    /// Free-form may be sent.
    Open,
    /// It may not.
    Closed,
}

/// The inbox, newest message first.
#[utoipa::path(
    tag = "conversations",
    params(ListQuery),
    responses(
        (status = 200, body = Page<ConversationView>),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/conversations")]
pub(crate) async fn list_conversations(
    state: web::Data<AppState>,
    caller: Caller,
    query: Query<ListQuery>,
) -> ApiResult<web::Json<Page<ConversationView>>> {
    caller.require(Scope::ConversationsRead)?;
    let now = now();
    let paging = Paging { limit: query.limit, cursor: query.cursor.clone() }.request()?;
    let filter = filter(&state, &caller, &query, now)?;
    let rows = state.records.conversations(caller.tenant, filter, paging).await?;
    Ok(web::Json(page(rows, |row| views::conversation(row, now))))
}

fn filter(state: &AppState, caller: &Caller, query: &ListQuery, now: TimestampMs) -> ApiResult<Filter> {
    let mut all = place(query);
    all.extend(people(state, caller, query)?);
    all.extend(times(query, now));
    if let Some(view) = &query.view {
        all.push(built_in(state, caller, view, now)?);
    }
    Ok(Filter::All(all))
}

/// Where a conversation is and what it is about.
fn place(query: &ListQuery) -> Vec<Filter> {
    let mut all = Vec::new();
    all.extend(query.q.as_ref().filter(|text| !text.trim().is_empty()).cloned().map(Filter::Search));
    all.extend(query.number_id.map(|number| Filter::Numbers(vec![number])));
    all.extend(query.contact_id.map(Filter::Contact));
    all.extend(query.channel.map(Filter::Channel));
    all.extend(query.mode.map(Filter::Mode));
    all.extend(query.vacancy.as_deref().map(|vacancy| match vacancy {
        "none" => Filter::WithoutVacancy,
        id => Filter::Vacancy(id.into()),
    }));
    all.extend(query.stage.as_deref().map(|stage| Filter::Stage(stage.into())));
    all.extend(query.unread.map(|yes| unless(yes, Filter::Unread)));
    all.extend(query.unanswered.map(|yes| unless(yes, Filter::Unanswered)));
    all.push(unless(query.blocked.unwrap_or(false), Filter::Blocked));
    all
}

/// Whose a conversation is.
fn people(state: &AppState, caller: &Caller, query: &ListQuery) -> ApiResult<Vec<Filter>> {
    let mut all = Vec::new();
    match query.owner.as_deref() {
        None => {}
        Some("none") => all.push(Filter::Unowned),
        Some("me") => all.push(Filter::Owners(mine(state, caller)?)),
        Some(text) => all.push(Filter::Owners(vec![owner(text)])),
    }
    match query.replied_by.as_deref() {
        None => {}
        Some("me") => all.push(Filter::RepliedBy(Party::User(caller.require_user()?))),
        Some(text) => {
            let user: UserId =
                text.parse().map_err(|_| ApiError::field("?replied_by", "must be `me` or a user id"))?;
            all.push(Filter::RepliedBy(Party::User(user)));
        }
    }
    Ok(all)
}

/// When something happened in a conversation.
fn times(query: &ListQuery, now: TimestampMs) -> Vec<Filter> {
    let hours = |hours: u16| now - SpanMs::hours(i64::from(hours));
    let mut all = Vec::new();
    all.extend(query.unanswered_for_hours.map(|span| Filter::UnansweredSince(hours(span))));
    all.extend(query.answered_within_hours.map(|span| Filter::AnsweredSince(hours(span))));
    all.extend(query.window.map(|window| match window {
        WindowFilter::Open => Filter::WindowOpen(now),
        WindowFilter::Closed => Filter::WindowClosed(now),
    }));
    all.extend(
        query
            .window_closes_within_minutes
            .map(|minutes| Filter::WindowCloses { now, until: now + SpanMs::minutes(i64::from(minutes)) }),
    );
    all.extend(query.since.map(Filter::LastMessageSince));
    all.extend(query.before.map(Filter::LastMessageBefore));
    all
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

/// Everything that the caller's person owns: directly, by groups and by role.
fn mine(state: &AppState, caller: &Caller) -> ApiResult<Vec<Owner>> {
    let user = caller.require_user()?;
    let directory = state.directory.load();
    let mut owners = vec![Owner::User(user)];
    if let Some(tenant) = directory.tenants.get(&caller.tenant) {
        let groups = tenant.groups.values().filter(|group| group.members.contains(&user));
        owners.extend(groups.map(|group| Owner::Group(group.id)));
        owners.extend(tenant.users.get(&user).map(|user| Owner::Role(user.role.to_string())));
    }
    Ok(owners)
}

fn built_in(state: &AppState, caller: &Caller, view: &str, now: TimestampMs) -> ApiResult<Filter> {
    match view {
        "unanswered" => Ok(Filter::All(vec![Filter::Unanswered, Filter::Owners(mine(state, caller)?)])),
        "all_unanswered" => Ok(Filter::Unanswered),
        "sent_today" => Ok(Filter::SentSince(start_of_day(state, caller, now))),
        _ => Err(ApiError::field("?view", "must be `unanswered`, `all_unanswered` or `sent_today`")),
    }
}

/// Midnight in the tenant's time zone.
fn start_of_day(state: &AppState, caller: &Caller, now: TimestampMs) -> TimestampMs {
    let directory = state.directory.load();
    let zone = directory.tenants.get(&caller.tenant).map_or("UTC", |tenant| tenant.tenant.time_zone.as_str());
    now.to_jiff()
        .in_tz(zone)
        .and_then(|local| local.start_of_day())
        .map_or(now - SpanMs::hours(24), |midnight| TimestampMs(midnight.timestamp().as_millisecond()))
}
