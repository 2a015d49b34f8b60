//! `GET /v1/conversations`: the inbox with its filters.

use actix_web::{get, web};
use protocol::api::Page;
use protocol::api::conversation::ConversationView;
use protocol::api::problem::Problem;
use protocol::command::Mode;
use protocol::condition::{Condition, MeOrUser, Span, WindowState};
use protocol::content::Channel;
use protocol::id::{ContactId, NumberId};
use protocol::limits::CONDITION_CHARS;
use protocol::text::{Line, Text};
use protocol::time::TimestampMs;
use serde::Deserialize;
use store::records::Filter;
use utoipa::IntoParams;

use super::condition::{self, Asking};
use super::views;
use crate::api::auth::{Caller, Scope};
use crate::api::body;
use crate::api::command::now;
use crate::api::known::{self, well_formed};
use crate::api::page::{Paging, page};
use crate::api::problem::{ApiError, ApiResult};
use crate::api::query::Query;
use crate::api::views as shown;
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
    #[param(value_type = Option<Text<{ CONDITION_CHARS }>>, inline)]
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
    #[param(value_type = Option<Line<{ CONDITION_CHARS }>>, inline)]
    owner: Option<String>,
    /// About this vacancy, or `none`.
    #[param(value_type = Option<Line<{ CONDITION_CHARS }>>, inline)]
    vacancy: Option<String>,
    /// With a contact at this stage.
    #[param(value_type = Option<Line<{ CONDITION_CHARS }>>, inline)]
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
    #[param(value_type = Option<MeOrUser>, inline)]
    replied_by: Option<String>,
    /// `open` or `closed`.
    #[param(inline)]
    window: Option<WindowState>,
    /// The window closes within this many minutes.
    #[param(maximum = 65_535)]
    window_closes_within_minutes: Option<u16>,
    /// Newest message at or after this time.
    since: Option<TimestampMs>,
    /// Newest message before this time.
    before: Option<TimestampMs>,
    /// Conversations with blocked contacts; left out unless asked for.
    blocked: Option<bool>,
    /// Chats that the tenant left.
    left: Option<bool>,
    /// Conditions as JSON, combined with and, or, not, such as `{"any":[{"owner":"me"},{"unanswered_for":{"days":3}}]}`; the
    /// shape is that of a view's `filter`.
    filter: Option<String>,
    /// A saved view, or a built-in one: `unanswered`, `sent_today` (in the tenant's zone) or `all_unanswered`.
    view: Option<String>,
}

/// The inbox, newest message first. Where a filter has to look through very many conversations, a page may have fewer
/// entries than asked for, even none, while `next` leads on.
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
    let view = match &query.view {
        Some(id) => Some(views::condition(&state, &caller, id).await?),
        None => None,
    };
    let filter = filter(&state, &caller, &query, view, now)?;
    let rows = state.records.conversations(caller.tenant, filter, paging).await?;
    Ok(web::Json(page(rows, |row| shown::conversation(row, now))))
}

fn filter(
    state: &AppState,
    caller: &Caller,
    query: &ListQuery,
    view: Option<Condition>,
    now: TimestampMs,
) -> ApiResult<Filter> {
    let mut all = subject(query);
    let wrong = all.iter().filter_map(condition::malformed);
    well_formed(wrong.map(|(name, detail)| known::wrong(&format!("?{name}"), detail)))?;
    all.extend(state_and_times(query));
    all.extend(query.filter.as_deref().map(given).transpose()?);
    all.extend(view);
    Asking::new(state, caller, now).filter(&all)
}

/// Conditions as JSON text.
fn given(text: &str) -> ApiResult<Condition> {
    let mut json = serde_json::Deserializer::from_str(text);
    let condition = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (pointer, detail) = body::place(error.path(), &error.inner().to_string());
        ApiError::field(format!("?filter{pointer}"), detail)
    })?;
    // To the contract it is a text: what is wrong within is not its business.
    match condition::malformed(&condition) {
        Some((name, detail)) => Err(ApiError::field("?filter", format!("`{name}` {detail}"))),
        None => condition::few("?filter", &condition).map(|()| condition),
    }
}

/// Whom a conversation is with, whose it is and what it is about.
fn subject(query: &ListQuery) -> Vec<Condition> {
    // Words are looked for, whatever stands between them; none ask for nothing.
    let words = query.q.as_deref().map(|text| text.replace(char::is_control, " "));
    let all = [
        words.filter(|text| !text.trim().is_empty()).map(Condition::Q),
        query.number_id.map(Condition::NumberId),
        query.contact_id.map(Condition::ContactId),
        query.channel.map(Condition::Channel),
        query.mode.map(Condition::Mode),
        query.owner.clone().map(Condition::Owner),
        query.replied_by.clone().map(Condition::RepliedBy),
        query.vacancy.clone().map(Condition::Vacancy),
        query.stage.clone().map(Condition::Stage),
    ];
    all.into_iter().flatten().collect()
}

/// How a conversation stands, and since when.
fn state_and_times(query: &ListQuery) -> Vec<Condition> {
    let hours = |hours: Option<u16>| hours.map(Span::Hours);
    let all = [
        query.unread.map(Condition::Unread),
        query.unanswered.map(Condition::Unanswered),
        query.blocked.map(Condition::Blocked),
        query.left.map(Condition::Left),
        hours(query.unanswered_for_hours).map(Condition::UnansweredFor),
        hours(query.answered_within_hours).map(Condition::AnsweredWithin),
        query.window.map(Condition::Window),
        query.window_closes_within_minutes.map(|span| Condition::WindowClosesWithin(Span::Minutes(span))),
        query.since.map(Condition::Since),
        query.before.map(Condition::Before),
    ];
    all.into_iter().flatten().collect()
}
