//! `/v1/views`: saved filters of the inbox, private and shared, with three that come with the gateway.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, put, web};
use protocol::api::Page;
use protocol::api::problem::Problem;
use protocol::api::view::{ViewBody, ViewCounts, ViewView};
use protocol::condition::Condition;
use protocol::directory::View;
use protocol::id::ViewId;
use protocol::limits::NAME_CHARS;
use serde::Deserialize;
use store::records::DocumentKind;
use utoipa::IntoParams;

use super::condition::{self, Asking};
use crate::api::auth::{Caller, Scope};
use crate::api::body::Body;
use crate::api::command::now;
use crate::api::idempotency::{Answer, once};
use crate::api::known::{line, well_formed, wrong};
use crate::api::problem::{ApiError, ApiResult};
use crate::api::query::Query;
use crate::api::settings::document::{self, Versioned, answer};
use crate::state::AppState;

/// Views that one person keeps, and that a tenant shares: a list to choose from, and each is counted when shown.
const MAX_VIEWS: usize = 50;
/// Conversations of a view that are counted: beyond that people want to know that there are many.
const MAX_COUNTED: usize = 1_000;

/// Query of the list of views.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ViewQuery {
    /// `false` leaves the counts out, which is faster.
    counts: Option<bool>,
}

/// Id, name and filter of the views that come with the gateway.
fn built_in() -> [(&'static str, &'static str, Condition); 3] {
    let mine = vec![Condition::Unanswered(true), Condition::Owner("me".into())];
    [
        ("unanswered", "Unanswered", Condition::All(mine)),
        ("sent_today", "All sent today", Condition::SentToday(true)),
        ("all_unanswered", "All unanswered", Condition::Unanswered(true)),
    ]
}

/// What a view shows, by its id.
pub(super) async fn condition(state: &AppState, caller: &Caller, id: &str) -> ApiResult<Condition> {
    if let Some((_, _, filter)) = built_in().into_iter().find(|(known, ..)| *known == id) {
        return Ok(filter);
    }
    let wrong = || ApiError::field("?view", "is not a view; GET /v1/views lists them");
    let id = id.parse::<ViewId>().map_err(|_| wrong())?;
    let view = state.records.document(DocumentKind::View, Some(caller.tenant), id.to_string().into()).await?;
    let view = view.and_then(|document| serde_json::from_value::<View>(document.body).ok());
    view.filter(|view| may_see(caller, view)).map(|view| view.filter).ok_or_else(wrong)
}

/// The views that the caller may use, with how much each shows: built-in ones, shared ones, and those of the person
/// behind the key.
#[utoipa::path(tag = "conversations", params(ViewQuery), responses((status = 200, body = Page<ViewView>)))]
#[get("/views")]
pub(crate) async fn list_views(
    state: web::Data<AppState>,
    caller: Caller,
    query: Query<ViewQuery>,
) -> ApiResult<web::Json<Page<ViewView>>> {
    caller.require(Scope::ConversationsRead)?;
    let stored = document::read_all::<View>(&state, &caller, DocumentKind::View).await?;
    let stored = stored.into_iter().filter(|view| may_see(&caller, view)).map(shown);
    let built_in = built_in().into_iter().map(|(id, name, filter)| ViewView {
        id: id.to_owned(),
        name: name.to_owned(),
        built_in: true,
        shared: true,
        owner: None,
        filter,
        counts: None,
    });
    let mut data: Vec<_> = built_in.chain(stored).collect();
    if query.counts.unwrap_or(true) {
        for view in &mut data {
            view.counts = counts(&state, &caller, &view.filter).await?;
        }
    }
    Ok(web::Json(Page { data, next: None }))
}

/// One saved view, with how much it shows.
#[utoipa::path(
    tag = "conversations",
    params(("id" = ViewId, Path)),
    responses((status = 200, body = ViewView), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[get("/views/{id}")]
pub(crate) async fn get_view(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<ViewId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::ConversationsRead)?;
    let Versioned { value, version } = read(&state, &caller, *id).await?;
    let mut view = shown(value);
    view.counts = counts(&state, &caller, &view.filter).await?;
    Ok(answer(version, &view))
}

/// Saves a view. One that is not shared belongs to the person behind the key.
#[utoipa::path(
    tag = "conversations",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = ViewBody,
    responses((status = 201, body = ViewView), (status = 422, body = Problem, content_type = "application/problem+json"))
)]
#[post("/views")]
pub(crate) async fn create_view(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    body: Body<ViewBody>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::ConversationsWrite)?;
    check(&caller, &body.value)?;
    once(&state, &caller, &request, body.fingerprint, || async {
        let ViewBody { name, shared: is_shared, filter } = body.value;
        let view = View { id: ViewId(rand::random()), name, shared: is_shared, owner: caller.user, filter };
        let place = (DocumentKind::View, view.id.to_string().into());
        let version = document::add(&state, &caller, place, &view, |known| has_room(&known, &view)).await?;
        Answer::json(StatusCode::CREATED, Some(version), &shown(view))
    })
    .await
}

/// Changes a view. Shared ones are changed by who made them, or with the scope `settings:write`.
#[utoipa::path(
    tag = "conversations",
    params(("id" = ViewId, Path), ("If-Match" = Option<String>, Header)),
    request_body = ViewBody,
    responses(
        (status = 200, body = ViewView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 412, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[put("/views/{id}")]
pub(crate) async fn change_view(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<ViewId>,
    body: Body<ViewBody>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::ConversationsWrite)?;
    let known = read(&state, &caller, *id).await?.value;
    may_change(&caller, &known)?;
    check(&caller, &body.value)?;
    let ViewBody { name, shared: is_shared, filter } = body.value;
    let view = View { name, shared: is_shared, filter, ..known };
    let place = (DocumentKind::View, id.to_string().into());
    let version = document::write(&state, &caller, place, document::expect(&request)?, Some(&view)).await?;
    Ok(answer(version, &shown(view)))
}

/// Removes a view.
#[utoipa::path(
    tag = "conversations",
    params(("id" = ViewId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204, description = "Gone"), (status = 404, body = Problem, content_type = "application/problem+json"))
)]
#[delete("/views/{id}")]
pub(crate) async fn delete_view(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<ViewId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::ConversationsWrite)?;
    let known = read(&state, &caller, *id).await?.value;
    may_change(&caller, &known)?;
    let place = (DocumentKind::View, id.to_string().into());
    document::write::<View>(&state, &caller, place, document::expect(&request)?, None).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Refuses a view that would be one too many.
fn has_room(known: &[View], new: &View) -> ApiResult<()> {
    let alike =
        known.iter().filter(|view| view.shared == new.shared && (new.shared || view.owner == new.owner));
    if alike.count() < MAX_VIEWS {
        return Ok(());
    }
    let whose = if new.shared { "the tenant shares" } else { "you have" };
    Err(ApiError::field("/name", format!("{whose} {MAX_VIEWS} views already; delete one")))
}

async fn read(state: &AppState, caller: &Caller, id: ViewId) -> ApiResult<Versioned<View>> {
    let found = document::read::<View>(state, caller, DocumentKind::View, id.to_string()).await?;
    if may_see(caller, &found.value) { Ok(found) } else { Err(ApiError::not_found("view")) }
}

fn may_see(caller: &Caller, view: &View) -> bool {
    view.shared || (view.owner.is_some() && view.owner == caller.user)
}

fn may_change(caller: &Caller, view: &View) -> ApiResult<()> {
    let made_it = view.owner.is_some() && view.owner == caller.user;
    if made_it { Ok(()) } else { caller.require(Scope::SettingsWrite) }
}

fn check(caller: &Caller, body: &ViewBody) -> ApiResult<()> {
    let filter = condition::malformed(&body.filter);
    let filter = filter.map(|(name, detail)| wrong("/filter", format!("`{name}` {detail}")));
    well_formed(line("/name", &body.name, NAME_CHARS).into_iter().chain(filter))?;
    condition::few("/filter", &body.filter)?;
    if !body.shared {
        caller.require_user()?;
    }
    Ok(())
}

fn shown(view: View) -> ViewView {
    ViewView {
        id: view.id.to_string(),
        name: view.name,
        built_in: false,
        shared: view.shared,
        owner: view.owner,
        filter: view.filter,
        counts: None,
    }
}

/// `None` where the view is about a person and the key acts for none.
async fn counts(state: &AppState, caller: &Caller, condition: &Condition) -> ApiResult<Option<ViewCounts>> {
    let about_me =
        |part: &&Condition| matches!(part, Condition::Owner(who) | Condition::RepliedBy(who) if who == "me");
    if caller.user.is_none() && condition.parts().iter().any(about_me) {
        return Ok(None);
    }
    let filter = Asking::new(state, caller, now()).filter(std::slice::from_ref(condition))?;
    let found = state.records.count(caller.tenant, filter, MAX_COUNTED).await?;
    let number = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    Ok(Some(ViewCounts {
        conversations: number(found.conversations),
        unread: number(found.unread),
        more: found.more,
    }))
}
